"""Tables of the tender itself: its stage and timetable, its buyers, duties and requirement."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable


class TenderTable(Table, db=DB, tablename="tender"):
    """One procurement. What people did is a stage and its times; what time does is derived."""

    id = columns.UUID(primary_key=True)
    reference = columns.Varchar(length=40, default=None, null=False, unique=True)
    buyer = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    title = columns.Varchar(length=200, default=None, null=False)
    stage = columns.Varchar(length=20, default=None, null=False)
    version = columns.Integer(default=None, null=False)
    demonstration = columns.Boolean(default=None, null=False)
    rule_set_date = columns.Date(default=None, null=True)
    rule_set = columns.Varchar(length=60, default=None, null=True)
    clarifications_until = columns.Timestamptz(default=None, null=True)
    deadline = columns.Timestamptz(default=None, null=True)
    contract_starts = columns.Date(default=None, null=True)
    published_requirement = columns.Integer(default=None, null=True)
    redraft = columns.Varchar(length=20, default=None, null=True)
    amendments = columns.Integer(default=None, null=False)
    material_amendment = columns.Integer(default=None, null=True)
    created_at = columns.Timestamptz(default=None, null=False)
    submitted_at = columns.Timestamptz(default=None, null=True)
    approved_at = columns.Timestamptz(default=None, null=True)
    published_at = columns.Timestamptz(default=None, null=True, index=True)
    opened_at = columns.Timestamptz(default=None, null=True)
    abandoned_at = columns.Timestamptz(default=None, null=True)
    abandoned_because = columns.Text(default=None, null=True)

    tender_stage_known = Check(
        "stage IN ('draft', 'in_review', 'approved', 'published', 'opened', 'abandoned')"
    )
    tender_redraft_known = Check(
        "redraft IS NULL OR redraft IN ('draft', 'in_review', 'approved')"
        " AND published_at IS NOT NULL"
    )
    tender_clarifications_before_deadline = Check("clarifications_until < deadline")
    tender_abandoned_with_reason = Check(
        "(stage = 'abandoned') = (abandoned_because IS NOT NULL AND abandoned_because ~ '\\S')"
    )


class TenderTransitionTable(Table, db=DB, tablename="tender_transition"):
    """A lawful move between stages of a tender: data the guard reads, equal to the rules' map."""

    id = columns.UUID(primary_key=True)
    earlier = columns.Varchar(length=20, default=None, null=False)
    later = columns.Varchar(length=20, default=None, null=False)

    tender_transition_once = Unique(["earlier", "later"])


class TenderBuyerTable(Table, db=DB, tablename="tender_buyer"):
    """An organisation that buys in a tender, and the population its cost share follows."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    population = columns.Integer(default=None, null=False)

    tender_buyer_once = Unique(["tender", "organisation"])
    tender_buyer_population_positive = Check("population > 0")


class DutyTable(Table, db=DB, tablename="duty"):
    """A duty of one person in one tender; never deleted, since having held it is what counts."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    duty = columns.Varchar(length=40, default=None, null=False)
    assigned_by = columns.UUID(default=None, null=False)
    assigned_at = columns.Timestamptz(default=None, null=False)
    released_at = columns.Timestamptz(default=None, null=True)

    duty_once = Unique(["tender", "person", "duty"])
    duty_known = Check(
        "duty IN ('tender_manager', 'author', 'reviewer', 'opener', 'quality_evaluator',"
        " 'price_evaluator', 'moderator', 'award_approver', 'guardian', 'contract_manager',"
        " 'outcome_reviewer')"
    )


class DutyFloorTable(Table, db=DB, tablename="duty_floor"):
    """A pair of duties that no one person may hold in one tender, whatever anybody decides."""

    id = columns.UUID(primary_key=True)
    one = columns.Varchar(length=40, default=None, null=False)
    other = columns.Varchar(length=40, default=None, null=False)

    duty_floor_once = Unique(["one", "other"])


class RequirementTable(Table, db=DB, tablename="requirement_version"):
    """One version of what is needed, whole; every edit is a row, so authorship cannot be lost."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    number = columns.Integer(default=None, null=False)
    content = columns.JSONB(default=None, null=False)
    digest = columns.Bytea(default=None, null=False)
    edited_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    edited_at = columns.Timestamptz(default=None, null=False)

    requirement_version_once = Unique(["tender", "number"])
    requirement_version_number_positive = Check("number > 0")


class ReviewTable(Table, db=DB, tablename="review"):
    """An independent reviewer's answer to one version of the requirement."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    requirement = columns.Integer(default=None, null=False)
    reviewer = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    outcome = columns.Varchar(length=20, default=None, null=False)
    comments = columns.Text(default=None, null=False)
    reviewed_at = columns.Timestamptz(default=None, null=False)

    review_outcome_known = Check("outcome IN ('approved', 'returned')")
    review_has_comments = Check("comments ~ '\\S'")


class TenderDrawTable(Table, db=DB, tablename="tender_draw"):
    """The seed of draws between equal bids, wrapped; its digest is public from publication on."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    commitment = columns.Bytea(default=None, null=False)
    kept = columns.Bytea(default=None, null=False, secret=True)

    tender_draw_commitment_length = Check("octet_length(commitment) = 32")
