"""Tables of organisations, their identifiers, and the service lines they buy and sell."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB


class OrganisationTable(Table, db=DB, tablename="organisation"):
    """A body that buys, supplies or runs the market."""

    id = columns.UUID(primary_key=True)
    kind = columns.Varchar(length=40, default=None, null=False)
    name = columns.Varchar(length=300, default=None, null=False)
    address = columns.Varchar(length=500, default=None, null=True)
    population = columns.Integer(default=None, null=True)
    demonstration = columns.Boolean(default=None, null=False)
    # named by an applicant, confirmed by nobody yet: shown to the registrar alone
    proposed = columns.Boolean(default=False, null=False)
    registered_at = columns.Timestamptz(default=None, null=False)

    organisation_kind_known = Check(
        "kind IN ('clinical_commissioning_group', 'commissioning_support_unit',"
        " 'third_sector', 'commercial', 'other_nhs_body')"
    )
    organisation_population_positive = Check("population > 0")


class IdentifierTable(Table, db=DB, tablename="organisation_identifier"):
    """One identifier of an organisation, by scheme; nobody else can hold the same one."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    scheme = columns.Varchar(length=20, default=None, null=False)
    identifier = columns.Varchar(length=40, default=None, null=False)

    organisation_identifier_once = Unique(["scheme", "identifier"])


class ServiceLineTable(Table, db=DB, tablename="service_line"):
    """A line of commissioning support: data, not an enumeration."""

    code = columns.Varchar(primary_key=True, length=60, default=None)
    title = columns.Varchar(length=200, default=None, null=False)
    group_title = columns.Varchar(length=100, default=None, null=False)
    cpv = columns.Varchar(length=8, default=None, null=False)
    source = columns.Varchar(length=100, default=None, null=False)
