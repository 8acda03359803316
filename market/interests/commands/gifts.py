"""Declaring offers of gifts and hospitality, correcting and reviewing them, consent to publish."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Fault, Malformed
from market.events.commands import record
from market.interests.commands.counterparties import counterparty_of
from market.interests.errors import (
    ConsentDecidedAlready,
    ConsentGiven,
    CorrectedAlready,
    NotOfThisOrganisation,
    NotYourEntry,
    ReviewedAlready,
)
from market.interests.permissions import (
    ensure_may_change,
    ensure_may_decide_on_consent,
    ensure_may_enter,
    ensure_may_review,
)
from market.interests.queries.facts import (
    ensure_register,
    gift_entry,
    hold_person,
    is_member,
    today,
)
from market.interests.queries.gifts import gift_view
from market.interests.rules.gifts import GiftContent, gift_faults
from market.interests.rules.interests import blank_faults
from market.interests.schemas.gifts import CorrectGift, DeclareGift, GiftView, ReviewGift
from market.interests.schemas.interests import DecideOnConsent

_INSERT = """
INSERT INTO gift (id, supersedes, person, for_organisation, kind, source, detail, value, estimated,
    offered_on, received_on, organisation, offeror, business, accepted, on_behalf_of_organisation,
    reason, consents, consent_refused_because, accurate)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
"""


@command
async def declare_gift(actor: Actor, organisation_id: UUID, given: DeclareGift) -> GiftView:
    """Enter an offer in an organisation's register: made to oneself, or as guardian to a member.

    What departs from the guidance is entered and marked, so that the register tells the truth.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        NotYourEntry: it is about somebody else, or the actor acts for another organisation.
        NotOfThisOrganisation: the person is no member of it.
        Malformed: everything that is wrong with the declaration.
    """
    await ensure_register(organisation_id)
    if actor.person is None:
        raise NotYourEntry
    person = actor.person if given.person is None else given.person
    ensure_may_enter(actor, organisation_id, person)
    await hold_person(person)
    if not await is_member(person, organisation_id):
        raise NotOfThisOrganisation
    made = await _enter(given, person, organisation_id, supersedes=None)
    await record(actor, "gift.declared", "gift", made, after=msgspec.json.encode(given))
    return await gift_view(made)


@command
async def correct_gift(actor: Actor, gift_id: UUID, given: CorrectGift) -> GiftView:
    """Enter a version of an offer that supersedes an earlier one, which stays on record.

    A review stays with the version it was about; the correction is reviewed again.

    Raises:
        NotFound: there is no such offer, or none the actor may read.
        NotYourEntry, GuardiansEntry: the actor reads it and may not correct it.
        CorrectedAlready: it was corrected before; the latest version is the one to correct.
        Malformed: everything that is wrong with the declaration.
    """
    entry = await gift_entry(gift_id)
    ensure_may_change(actor, entry)
    await _ensure_latest(gift_id)
    made = await _enter(given, entry.person, entry.for_organisation, supersedes=gift_id)
    await record(actor, "gift.corrected", "gift", made, after=msgspec.json.encode(given))
    return await gift_view(made)


async def _enter(
    given: GiftContent, person: UUID, organisation: UUID, *, supersedes: UUID | None
) -> UUID:
    faults = list(gift_faults(given, await today()))
    offeror = await counterparty_of(given.organisation, given.offeror)
    if isinstance(offeror, Fault):
        faults.append(offeror)
    if faults or isinstance(offeror, Fault):
        raise Malformed(faults[0].reason, faults=faults)
    made = uuid4()
    await execute(
        _INSERT,
        made,
        supersedes,
        person,
        organisation,
        given.kind.value,
        given.source.value,
        given.detail,
        given.value.exact,
        given.estimated,
        given.offered_on,
        given.received_on,
        offeror.organisation,
        offeror.name,
        given.business,
        given.accepted,
        given.on_behalf_of_organisation,
        given.reason,
        given.consents,
        given.consent_refused_because,
        given.accurate,
    )
    return made


async def _ensure_latest(gift: UUID) -> None:
    if await fetch_value("SELECT id FROM gift WHERE supersedes = $1", gift) is not None:
        raise CorrectedAlready


@command
async def review_gift(actor: Actor, gift_id: UUID, given: ReviewGift) -> GiftView:
    """Give or refuse senior approval to an offer that somebody else got and declared.

    Raises:
        NotFound: there is no such offer, or none the actor may read.
        NotYoursToReview: the actor got or declared it, or is not senior there.
        CorrectedAlready: it was corrected; the correction is the one to review.
        ReviewedAlready: it was reviewed before.
        Malformed: the comment is blank.
    """
    entry = await gift_entry(gift_id)
    ensure_may_review(actor, entry)
    await _ensure_latest(gift_id)
    if await fetch_value("SELECT id FROM gift_review WHERE gift = $1", gift_id) is not None:
        raise ReviewedAlready
    _refuse(list(blank_faults(comment=given.comment)))
    await execute(
        "INSERT INTO gift_review (id, gift, approves, comment) VALUES ($1, $2, $3, $4)",
        uuid4(),
        gift_id,
        given.approves,
        given.comment,
    )
    await record(actor, "gift.reviewed", "gift", gift_id, after=msgspec.json.encode(given))
    return await gift_view(gift_id)


@command
async def decide_on_gift_consent(actor: Actor, gift_id: UUID, given: DecideOnConsent) -> GiftView:
    """Decide, as guardian, whether an offer whose publication was refused is withheld.

    Raises:
        NotFound: there is no such offer, or none the actor may read.
        NotYoursToDecide: the actor refused, or is no guardian.
        ConsentGiven: nobody refused.
        ConsentDecidedAlready: it was decided before.
        Malformed: the reason is blank.
    """
    entry = await gift_entry(gift_id)
    ensure_may_decide_on_consent(actor, entry)
    _refuse(list(blank_faults(reason=given.reason)))
    view = await gift_view(gift_id)
    if view.consents:
        raise ConsentGiven
    if view.consent_decision is not None:
        raise ConsentDecidedAlready
    await execute(
        "INSERT INTO consent_decision (id, gift, withhold, reason) VALUES ($1, $2, $3, $4)",
        uuid4(),
        gift_id,
        given.withhold,
        given.reason,
    )
    await record(
        actor,
        "gift.withheld" if given.withhold else "gift.published",
        "gift",
        gift_id,
        after=msgspec.json.encode(given),
    )
    return await gift_view(gift_id)


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
