"""Tables of what keeps duties apart: declarations, exemptions, decisions, delegations."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.tenders import TenderTable


class DutyDeclarationTable(Table, db=DB, tablename="duty_declaration"):
    """What somebody declared on taking up their duties; without it a duty is not in force."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    statement = columns.Varchar(length=20, default=None, null=False)
    details = columns.Text(default=None, null=False)
    declared_at = columns.Timestamptz(default=None, null=False)

    duty_declaration_statement_known = Check("statement IN ('nothing_to_declare', 'as_registered')")


class DutyDefaultTable(Table, db=DB, tablename="duty_default"):
    """A pair of duties that one person may hold in one tender by a guardian's exemption alone."""

    id = columns.UUID(primary_key=True)
    one = columns.Varchar(length=40, default=None, null=False)
    other = columns.Varchar(length=40, default=None, null=False)

    duty_default_once = Unique(["one", "other"])


class ExemptionTable(Table, db=DB, tablename="exemption"):
    """A conflicts guardian's leave for one person to hold one pair of duties, published."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    one = columns.Varchar(length=40, default=None, null=False)
    other = columns.Varchar(length=40, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    granted_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    granted_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)

    exemption_has_reason = Check("reason ~ '\\S'")
    exemption_pair_in_order = Check("one < other")


class ExemptionRevocationTable(Table, db=DB, tablename="exemption_revocation"):
    """The end of an exemption before its time."""

    id = columns.UUID(primary_key=True)
    exemption = columns.ForeignKey(
        ExemptionTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    reason = columns.Text(default=None, null=False)
    revoked_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    revoked_at = columns.Timestamptz(default=None, null=False)

    exemption_revocation_once = Unique(["exemption"])
    exemption_revocation_has_reason = Check("reason ~ '\\S'")


class ConflictDecisionTable(Table, db=DB, tablename="conflict_decision"):
    """What a conflicts guardian decided about one person's interest in one bidder."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    bidder = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    mitigation = columns.Text(default=None, null=False)
    links = columns.Array(base_column=columns.UUID(), default=None, null=False)
    decided_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    decided_at = columns.Timestamptz(default=None, null=False)

    conflict_decision_outcome_known = Check(
        "outcome IN ('no_action', 'may_discuss', 'must_leave', 'removed')"
    )
    conflict_decision_has_reason = Check("reason ~ '\\S'")


class AwardDelegationTable(Table, db=DB, tablename="award_delegation"):
    """One organisation's leave for another's people to hold award duties in its tenders."""

    id = columns.UUID(primary_key=True)
    delegator = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    delegate = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    authority = columns.Text(default=None, null=False)
    starts_on = columns.Date(default=None, null=False)
    ends_on = columns.Date(default=None, null=False)
    recorded_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    recorded_at = columns.Timestamptz(default=None, null=False)

    award_delegation_has_authority = Check("authority ~ '\\S'")
    award_delegation_ends_after_start = Check("ends_on >= starts_on")
    award_delegation_to_another = Check("delegator <> delegate")


class AwardDelegationEndingTable(Table, db=DB, tablename="award_delegation_ending"):
    """The end of a delegation before its time."""

    id = columns.UUID(primary_key=True)
    delegation = columns.ForeignKey(
        AwardDelegationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    reason = columns.Text(default=None, null=False)
    ended_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    ended_at = columns.Timestamptz(default=None, null=False)

    award_delegation_ending_once = Unique(["delegation"])
    award_delegation_ending_has_reason = Check("reason ~ '\\S'")
