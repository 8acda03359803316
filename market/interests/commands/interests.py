"""Declaring, correcting and ending interests; what is done about them; consent to publish."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Fault, Malformed
from market.events.commands import record
from market.interests.commands.counterparties import Counterparty, counterparty_of
from market.interests.errors import (
    ConsentDecidedAlready,
    ConsentGiven,
    CorrectedAlready,
    EndedAlready,
    NotAgreedWithAnother,
    NotALineManager,
    NotOfThisOrganisation,
    NotYourEntry,
)
from market.interests.permissions import (
    ensure_may_change,
    ensure_may_decide_on_consent,
    ensure_may_enter,
    ensure_may_mitigate,
)
from market.interests.queries.facts import (
    ensure_register,
    hold_person,
    interest_entry,
    is_member,
    today,
)
from market.interests.queries.interests import interest_view
from market.interests.rules.interests import (
    InterestContent,
    blank_faults,
    ending_faults,
    interest_faults,
)
from market.interests.schemas.interests import (
    CorrectInterest,
    DecideOnConsent,
    DeclareInterest,
    EndInterest,
    InterestView,
    RecordMitigation,
)
from market.money import decimal_of

_INSERT = """
INSERT INTO interest (id, supersedes, person, for_organisation, kind, relationship, associate,
    organisation, counterparty, scheme, identifier, business, nature, share, starts_on, ends_on,
    aware_on, line_manager, consents, consent_refused_because, accurate)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21)
"""


@command
async def declare_interest(
    actor: Actor, organisation_id: UUID, given: DeclareInterest
) -> InterestView:
    """Enter an interest in an organisation's register: one's own, or as guardian a member's.

    A late declaration is accepted and says by how many days it is late.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        NotYourEntry: it is about somebody else, or the actor acts for another organisation.
        NotOfThisOrganisation: the person is no member of it.
        NotALineManager: the line manager is the holder or no member.
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
    await record(actor, "interest.declared", "interest", made, after=msgspec.json.encode(given))
    return await interest_view(made)


@command
async def correct_interest(actor: Actor, interest_id: UUID, given: CorrectInterest) -> InterestView:
    """Enter a version of an interest that supersedes an earlier one, which stays on record.

    Raises:
        NotFound: there is no such interest, or none the actor may read.
        NotYourEntry, GuardiansEntry: the actor reads it and may not correct it.
        CorrectedAlready: it was corrected before; the latest version is the one to correct.
        NotALineManager: the line manager is the holder or no member.
        Malformed: everything that is wrong with the declaration.
    """
    entry = await interest_entry(interest_id)
    ensure_may_change(actor, entry)
    await _ensure_latest(interest_id)
    made = await _enter(given, entry.person, entry.for_organisation, supersedes=interest_id)
    await record(actor, "interest.corrected", "interest", made, after=msgspec.json.encode(given))
    return await interest_view(made)


async def _enter(
    given: InterestContent, person: UUID, organisation: UUID, *, supersedes: UUID | None
) -> UUID:
    faults = list(interest_faults(given, await today()))
    counterparty = await counterparty_of(given.organisation, given.counterparty, given.identifier)
    if isinstance(counterparty, Fault):
        faults.append(counterparty)
    if faults or isinstance(counterparty, Fault):
        raise Malformed(faults[0].reason, faults=faults)
    await _ensure_line_manager(given.line_manager, person, organisation)
    made = uuid4()
    await execute(_INSERT, *_row(made, given, person, organisation, supersedes, counterparty))
    return made


def _row(  # noqa: PLR0913, PLR0917  # the parts of one row
    made: UUID,
    given: InterestContent,
    person: UUID,
    organisation: UUID,
    supersedes: UUID | None,
    counterparty: Counterparty,
) -> tuple[UUID | str | date | datetime | Decimal | bool | None, ...]:
    return (
        made,
        supersedes,
        person,
        organisation,
        given.kind.value,
        given.relationship.value,
        given.associate,
        counterparty.organisation,
        counterparty.name,
        counterparty.scheme,
        counterparty.identifier,
        given.business,
        given.nature,
        None if given.share is None else decimal_of(given.share),
        given.starts_on,
        given.ends_on,
        given.aware_on,
        given.line_manager,
        given.consents,
        given.consent_refused_because,
        given.accurate,
    )


async def _ensure_line_manager(manager: UUID | None, person: UUID, organisation: UUID) -> None:
    if manager is not None and (manager == person or not await is_member(manager, organisation)):
        raise NotALineManager


async def _ensure_latest(interest: UUID) -> None:
    if await fetch_value("SELECT id FROM interest WHERE supersedes = $1", interest) is not None:
        raise CorrectedAlready


@command
async def end_interest(actor: Actor, interest_id: UUID, given: EndInterest) -> InterestView:
    """Record that an interest has ended, on a day from its start to today.

    Raises:
        NotFound: there is no such interest, or none the actor may read.
        NotYourEntry, GuardiansEntry: the actor reads it and may not end it.
        CorrectedAlready: it was corrected; the correction is the one to end.
        EndedAlready: it was ended before.
        Malformed: the day lies before its start or is still to come.
    """
    entry = await interest_entry(interest_id)
    ensure_may_change(actor, entry)
    await _ensure_latest(interest_id)
    view = await interest_view(interest_id)
    if await fetch_value("SELECT id FROM interest_ending WHERE interest = $1", interest_id):
        raise EndedAlready
    _refuse(list(ending_faults(given.ended_on, starts_on=view.starts_on, today=await today())))
    await execute(
        "INSERT INTO interest_ending (id, interest, ended_on) VALUES ($1, $2, $3)",
        uuid4(),
        interest_id,
        given.ended_on,
    )
    await record(actor, "interest.ended", "interest", interest_id)
    return await interest_view(interest_id)


@command
async def record_mitigation(
    actor: Actor, interest_id: UUID, given: RecordMitigation
) -> InterestView:
    """Record what is done about an interest, as it was agreed with its holder.

    Raises:
        NotFound: there is no such interest, or none the actor may read.
        NotYoursToMitigate: the actor holds it, or is neither guardian nor line manager.
        NotAgreedWithAnother: it was agreed with the holder, or with an outsider.
        Malformed: the text is blank.
    """
    entry = await interest_entry(interest_id)
    ensure_may_mitigate(actor, entry)
    _refuse(list(blank_faults(what=given.what)))
    if given.agreed_with == entry.person or not await is_member(
        given.agreed_with, entry.for_organisation
    ):
        raise NotAgreedWithAnother
    mitigation = uuid4()
    await execute(
        "INSERT INTO interest_mitigation (id, interest, what, agreed_with) VALUES ($1, $2, $3, $4)",
        mitigation,
        interest_id,
        given.what,
        given.agreed_with,
    )
    await record(
        actor,
        "interest.mitigated",
        "interest",
        interest_id,
        after=msgspec.json.encode(given),
        mitigation=str(mitigation),
    )
    return await interest_view(interest_id)


@command
async def decide_on_consent(
    actor: Actor, interest_id: UUID, given: DecideOnConsent
) -> InterestView:
    """Decide, as guardian, whether an interest whose publication was refused is withheld.

    Raises:
        NotFound: there is no such interest, or none the actor may read.
        NotYoursToDecide: the actor refused, or is no guardian.
        ConsentGiven: nobody refused.
        ConsentDecidedAlready: it was decided before.
        Malformed: the reason is blank.
    """
    entry = await interest_entry(interest_id)
    ensure_may_decide_on_consent(actor, entry)
    _refuse(list(blank_faults(reason=given.reason)))
    view = await interest_view(interest_id)
    if view.consents:
        raise ConsentGiven
    if view.consent_decision is not None:
        raise ConsentDecidedAlready
    await execute(
        "INSERT INTO consent_decision (id, interest, withhold, reason) VALUES ($1, $2, $3, $4)",
        uuid4(),
        interest_id,
        given.withhold,
        given.reason,
    )
    await record(
        actor,
        "interest.withheld" if given.withhold else "interest.published",
        "interest",
        interest_id,
        after=msgspec.json.encode(given),
    )
    return await interest_view(interest_id)


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
