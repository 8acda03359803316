"""Recording breaches of the rules on conflicts of interest, and publishing them anonymised."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.interests.errors import NamesSomebody
from market.interests.permissions import ensure_may_record_breach
from market.interests.queries.breaches import breach_view
from market.interests.queries.facts import ensure_register, today
from market.interests.rules.breaches import namings
from market.interests.rules.interests import blank_faults, date_faults
from market.interests.schemas.breaches import BreachView, InvolvedView, PublishBreach, RecordBreach


class _Name(msgspec.Struct, frozen=True):
    id: UUID
    name: str


@command
async def record_breach(actor: Actor, organisation_id: UUID, given: RecordBreach) -> BreachView:
    """Record a breach, in private, with who was involved.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        GuardianNeeded: the actor is not its conflicts guardian.
        GuardianInvolved: the actor was involved.
        Malformed: everything that is wrong with the record.
    """
    await ensure_register(organisation_id)
    ensure_may_record_breach(actor, organisation_id, set(given.people))
    known = await _names(given.people)
    faults = [
        *date_faults(happened_on=given.happened_on),
        *blank_faults(what=given.what, done=given.done, lessons=given.lessons),
        *_involved_faults(given, known),
    ]
    if given.happened_on > await today():
        faults.append(Fault(field="happened_on", reason="This day is in the future."))
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    breach = uuid4()
    await execute(
        "INSERT INTO conflict_breach (id, organisation, happened_on, what, done, lessons)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        breach,
        organisation_id,
        given.happened_on,
        given.what,
        given.done,
        given.lessons,
    )
    involved = [InvolvedView(person=person, name=known[person]) for person in set(given.people)]
    involved += [InvolvedView(person=None, name=name) for name in given.other_names]
    for one in involved:
        await execute(
            "INSERT INTO conflict_breach_person (id, breach, person, name) VALUES ($1, $2, $3, $4)",
            uuid4(),
            breach,
            one.person,
            one.name,
        )
    await record(
        actor, "breach.recorded", "conflict_breach", breach, after=msgspec.json.encode(given)
    )
    return await breach_view(breach)


async def _names(people: Sequence[UUID]) -> dict[UUID, str]:
    rows = await fetch(
        _Name, "SELECT id, name FROM person WHERE id = ANY ($1::uuid[])", list(people)
    )
    return {row.id: row.name for row in rows}


def _involved_faults(given: RecordBreach, known: dict[UUID, str]) -> list[Fault]:
    faults = [
        Fault(field=f"people[{index}]", reason="The market knows no such person.")
        for index, person in enumerate(given.people)
        if person not in known
    ]
    faults += [
        Fault(field=f"other_names[{index}]", reason="This name is blank.")
        for index, name in enumerate(given.other_names)
        if not name.strip()
    ]
    if not given.people and not given.other_names:
        reason = "Say who was involved: people of the market, or others by name."
        faults.append(Fault(field="people", reason=reason))
    return faults


@command
async def publish_breach(actor: Actor, breach_id: UUID, given: PublishBreach) -> BreachView:
    """Publish a breach by a text that names nobody who was involved; a later text replaces it.

    Raises:
        NotFound: there is no such breach, or none the actor may read.
        GuardianNeeded: the actor only reads it.
        GuardianInvolved: the actor was involved.
        NamesSomebody: the text names somebody, and where.
        Malformed: the text is blank.
    """
    breach = await breach_view(breach_id)
    people = [one.person for one in breach.involved if one.person is not None]
    ensure_may_record_breach(actor, breach.organisation, set(people))
    blank = list(blank_faults(text=given.text))
    if blank:
        raise Malformed(blank[0].reason, faults=blank)
    # somebody who changed their name since is named by either
    present = await _names(people)
    faults = [
        Fault(
            field="text",
            reason=f'"{one.word}", at character {one.position}, is part of the name of somebody'
            " who was involved.",
        )
        for one in namings(given.text, [*(i.name for i in breach.involved), *present.values()])
    ]
    if faults:
        raise NamesSomebody(faults[0].reason, faults=faults[:100])
    publication = uuid4()
    written = await execute(
        "INSERT INTO conflict_breach_publication (id, breach, text) VALUES ($1, $2, $3)",
        publication,
        breach_id,
        given.text,
    )
    if not written:
        raise NotFound
    await record(
        actor, "breach.published", "conflict_breach", breach_id, publication=str(publication)
    )
    return await breach_view(breach_id)
