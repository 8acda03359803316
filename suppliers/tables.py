"""Tables of suppliers: applications to supply, and what was decided about them."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable, ServiceLineTable
from market.people.tables import PersonTable


class ApplicationTable(Table, db=DB, tablename="supplier_application"):
    """An organisation's request to be admitted as a supplier."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    applicant = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    statement = columns.Text(default=None, null=False)
    applied_at = columns.Timestamptz(default=None, null=False)


class ApplicationServiceLineTable(Table, db=DB, tablename="supplier_application_service_line"):
    """A service line that an applicant offers."""

    id = columns.UUID(primary_key=True)
    application = columns.ForeignKey(
        ApplicationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    service_line = columns.ForeignKey(
        ServiceLineTable, default=None, null=False, on_delete=OnDelete.restrict
    )

    supplier_application_service_line_once = Unique(["application", "service_line"])


class DecisionTable(Table, db=DB, tablename="supplier_decision"):
    """The registrar's answer to an application, with its reason."""

    id = columns.UUID(primary_key=True)
    application = columns.ForeignKey(
        ApplicationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    decided_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    decided_at = columns.Timestamptz(default=None, null=False)

    supplier_decision_once = Unique(["application"])
    supplier_decision_outcome_known = Check("outcome IN ('admitted', 'refused')")
    supplier_decision_has_reason = Check("reason ~ '\\S'")
