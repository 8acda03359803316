"""Table of saved searches: what somebody wants to be told of when it is published."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable


class SavedSearchTable(Table, db=DB, tablename="saved_search"):
    """Filters of the list of opportunities that a person keeps, for one organisation."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    name = columns.Varchar(length=100, default=None, null=False)
    text = columns.Varchar(length=100, default=None, null=True)
    service_lines = columns.Array(base_column=columns.Varchar(length=60), default=None, null=False)
    buyer = columns.ForeignKey(
        OrganisationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    minimum_value = columns.Numeric(default=None, null=True)
    maximum_value = columns.Numeric(default=None, null=True)
    made_at = columns.Timestamptz(default=None, null=False)
    ended_at = columns.Timestamptz(default=None, null=True)

    saved_search_has_name = Check("name ~ '\\S'")
    saved_search_text_is_some = Check("text <> ''")
    saved_search_lines_bounded = Check("cardinality(service_lines) <= 20")
    saved_search_values_in_order = Check(
        "minimum_value >= 0 AND maximum_value >= 0 AND minimum_value <= maximum_value"
    )
    saved_search_values_finite = Check("greatest(minimum_value, maximum_value, 0) < 'Infinity'")
