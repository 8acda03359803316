"""Tables of the registers: append-only; corrections, endings, decisions are rows of their own."""

from typing import Any

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable


def _person(*, null: bool = False, index: bool = False) -> Any:
    return columns.ForeignKey(
        PersonTable, default=None, null=null, on_delete=OnDelete.restrict, index=index
    )


def _organisation(*, null: bool = False, index: bool = False) -> Any:
    return columns.ForeignKey(
        OrganisationTable, default=None, null=null, on_delete=OnDelete.restrict, index=index
    )


class InterestTable(Table, db=DB, tablename="interest"):
    """An interest on an organisation's register, as it was declared or corrected once.

    `origin` is the first version of what this corrects, or the row itself.
    """

    id = columns.UUID(primary_key=True)
    origin = columns.UUID(default=None, null=False, index=True)
    supersedes: Any = columns.ForeignKey(
        "self", default=None, null=True, on_delete=OnDelete.restrict
    )
    person = _person(index=True)
    for_organisation = _organisation(index=True)
    kind = columns.Varchar(length=40, default=None, null=False)
    relationship = columns.Varchar(length=40, default=None, null=False)
    associate = columns.Varchar(length=300, default=None, null=True)
    organisation = _organisation(null=True, index=True)
    counterparty = columns.Varchar(length=300, default=None, null=False)
    scheme = columns.Varchar(length=20, default=None, null=True)
    identifier = columns.Varchar(length=40, default=None, null=True)
    business = columns.Varchar(length=300, default=None, null=True)
    nature = columns.Text(default=None, null=False)
    share = columns.Numeric(digits=(9, 6), default=None, null=True)
    starts_on = columns.Date(default=None, null=True)
    ends_on = columns.Date(default=None, null=True)
    aware_on = columns.Date(default=None, null=False)
    line_manager = _person(null=True, index=True)
    consents = columns.Boolean(default=None, null=False)
    consent_refused_because = columns.Text(default=None, null=True)
    accurate = columns.Boolean(default=None, null=False)
    entered_by = _person()
    declared_at = columns.Timestamptz(default=None, null=False)

    interest_corrected_once = Unique(["supersedes"])
    interest_kind_known = Check(
        "kind IN ('financial', 'non_financial_professional', 'non_financial_personal', 'indirect')"
    )
    interest_relationship_known = Check(
        "relationship IN ('employee', 'director', 'member', 'partner', 'owner', 'shareholder',"
        " 'trustee', 'office_holder', 'contractor', 'adviser', 'beneficiary', 'loyalty', 'other')"
    )
    interest_indirect_has_associate = Check("(kind = 'indirect') = (associate IS NOT NULL)")
    interest_identifier_whole = Check("(scheme IS NULL) = (identifier IS NULL)")
    interest_share_of_financial = Check(
        "share IS NULL OR kind IN ('financial', 'indirect') AND share > 0 AND share <= 100"
    )
    interest_ends_after_start = Check("ends_on >= starts_on")
    interest_dates_sensible = Check(
        "aware_on BETWEEN '1900-01-01' AND '2199-12-31'"
        " AND starts_on BETWEEN '1900-01-01' AND '2199-12-31'"
        " AND ends_on BETWEEN '1900-01-01' AND '2199-12-31'"
    )
    interest_consent_or_reason = Check("consents = (consent_refused_because IS NULL)")
    interest_stated_accurate = Check("accurate")
    interest_line_manager_is_another = Check("line_manager <> person")
    interest_text_within_limits = Check(
        "char_length(nature) BETWEEN 1 AND 4000 AND char_length(counterparty) > 0"
        " AND char_length(coalesce(consent_refused_because, '')) <= 4000"
    )


class InterestEndingTable(Table, db=DB, tablename="interest_ending"):
    """That an interest ended, from which day."""

    id = columns.UUID(primary_key=True)
    interest = columns.ForeignKey(
        InterestTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    ended_on = columns.Date(default=None, null=False)
    recorded_by = _person()
    recorded_at = columns.Timestamptz(default=None, null=False)

    interest_ended_once = Unique(["interest"])
    interest_ended_on_sensible = Check("ended_on BETWEEN '1900-01-01' AND '2199-12-31'")


class InterestMitigationTable(Table, db=DB, tablename="interest_mitigation"):
    """What is done about an interest, and with whom its holder agreed it."""

    id = columns.UUID(primary_key=True)
    interest = columns.ForeignKey(
        InterestTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    what = columns.Text(default=None, null=False)
    agreed_with = _person()
    recorded_by = _person()
    recorded_at = columns.Timestamptz(default=None, null=False)

    interest_mitigation_within_limits = Check("char_length(what) BETWEEN 1 AND 4000")


class InterestConfirmationTable(Table, db=DB, tablename="interest_confirmation"):
    """That somebody's entries in a register are right and complete, or that there are none."""

    id = columns.UUID(primary_key=True)
    person = _person(index=True)
    organisation = _organisation(index=True)
    nothing_to_declare = columns.Boolean(default=None, null=False)
    confirmed_at = columns.Timestamptz(default=None, null=False)


class GiftTable(Table, db=DB, tablename="gift"):
    """An offer of a gift or of hospitality, accepted or declined, as declared or corrected once."""

    id = columns.UUID(primary_key=True)
    supersedes: Any = columns.ForeignKey(
        "self", default=None, null=True, on_delete=OnDelete.restrict
    )
    person = _person(index=True)
    for_organisation = _organisation(index=True)
    kind = columns.Varchar(length=20, default=None, null=False)
    source = columns.Varchar(length=20, default=None, null=False)
    detail = columns.Text(default=None, null=False)
    value = columns.Numeric(digits=(12, 2), default=None, null=False)
    estimated = columns.Boolean(default=None, null=False)
    offered_on = columns.Date(default=None, null=False)
    received_on = columns.Date(default=None, null=True)
    organisation = _organisation(null=True)
    offeror = columns.Varchar(length=300, default=None, null=False)
    business = columns.Varchar(length=300, default=None, null=True)
    accepted = columns.Boolean(default=None, null=False)
    on_behalf_of_organisation = columns.Boolean(default=None, null=False)
    reason = columns.Text(default=None, null=False)
    consents = columns.Boolean(default=None, null=False)
    consent_refused_because = columns.Text(default=None, null=True)
    accurate = columns.Boolean(default=None, null=False)
    entered_by = _person()
    declared_at = columns.Timestamptz(default=None, null=False)

    gift_corrected_once = Unique(["supersedes"])
    gift_kind_known = Check("kind IN ('gift', 'promotional', 'meal', 'travel', 'other')")
    gift_source_known = Check("source IN ('supplier', 'other')")
    gift_value_sensible = Check("value BETWEEN 0 AND 1000000")
    gift_received_after_offer = Check("received_on >= offered_on")
    gift_declined_not_received = Check(
        "accepted OR received_on IS NULL AND NOT on_behalf_of_organisation"
    )
    gift_dates_sensible = Check(
        "offered_on BETWEEN '1900-01-01' AND '2199-12-31'"
        " AND received_on BETWEEN '1900-01-01' AND '2199-12-31'"
    )
    gift_consent_or_reason = Check("consents = (consent_refused_because IS NULL)")
    gift_stated_accurate = Check("accurate")
    gift_text_within_limits = Check(
        "char_length(detail) BETWEEN 1 AND 4000 AND char_length(reason) BETWEEN 1 AND 4000"
        " AND char_length(offeror) > 0"
        " AND char_length(coalesce(consent_refused_because, '')) <= 4000"
    )


class GiftReviewTable(Table, db=DB, tablename="gift_review"):
    """What somebody senior decided about an offer."""

    id = columns.UUID(primary_key=True)
    gift = columns.ForeignKey(GiftTable, default=None, null=False, on_delete=OnDelete.restrict)
    approves = columns.Boolean(default=None, null=False)
    comment = columns.Text(default=None, null=False)
    reviewed_by = _person()
    reviewed_at = columns.Timestamptz(default=None, null=False)

    gift_reviewed_once = Unique(["gift"])
    gift_review_within_limits = Check("char_length(comment) BETWEEN 1 AND 4000")


class ConsentDecisionTable(Table, db=DB, tablename="consent_decision"):
    """Whether the guardian accepts that an entry is withheld from the public register."""

    id = columns.UUID(primary_key=True)
    interest = columns.ForeignKey(
        InterestTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    gift = columns.ForeignKey(GiftTable, default=None, null=True, on_delete=OnDelete.restrict)
    withhold = columns.Boolean(default=None, null=False)
    reason = columns.Text(default=None, null=False)
    decided_by = _person()
    decided_at = columns.Timestamptz(default=None, null=False)

    consent_decided_once = Unique(["interest"])
    consent_decided_once_for_gift = Unique(["gift"])
    consent_decision_about_one = Check("num_nonnulls(interest, gift) = 1")
    consent_decision_within_limits = Check("char_length(reason) BETWEEN 1 AND 4000")


class BreachTable(Table, db=DB, tablename="conflict_breach"):
    """A breach of the rules on conflicts of interest, in private."""

    id = columns.UUID(primary_key=True)
    organisation = _organisation(index=True)
    happened_on = columns.Date(default=None, null=False)
    what = columns.Text(default=None, null=False)
    done = columns.Text(default=None, null=False)
    lessons = columns.Text(default=None, null=False)
    recorded_by = _person()
    recorded_at = columns.Timestamptz(default=None, null=False)

    conflict_breach_within_limits = Check(
        "char_length(what) BETWEEN 1 AND 4000 AND char_length(done) BETWEEN 1 AND 4000"
        " AND char_length(lessons) BETWEEN 1 AND 4000"
        " AND happened_on BETWEEN '1900-01-01' AND '2199-12-31'"
    )


class BreachPersonTable(Table, db=DB, tablename="conflict_breach_person"):
    """Somebody who was involved in a breach: of the market, or by name alone."""

    id = columns.UUID(primary_key=True)
    breach = columns.ForeignKey(
        BreachTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    person = _person(null=True)
    name = columns.Varchar(length=300, default=None, null=False)


class BreachPublicationTable(Table, db=DB, tablename="conflict_breach_publication"):
    """What the public reads of a breach; the latest text of a breach is the one shown."""

    id = columns.UUID(primary_key=True)
    breach = columns.ForeignKey(
        BreachTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    text = columns.Text(default=None, null=False)
    published_by = _person()
    published_at = columns.Timestamptz(default=None, null=False)

    conflict_breach_text_within_limits = Check("char_length(text) BETWEEN 1 AND 4000")
