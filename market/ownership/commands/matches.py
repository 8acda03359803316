"""Saying which party of the statements a person of the market is: never by name alone."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.ownership.errors import EntityNotPerson
from market.ownership.permissions import ensure_may_match, ensure_may_withdraw_match
from market.ownership.queries.lists import match_view
from market.ownership.queries.parties import standing_party
from market.ownership.schemas import MatchView, StateMatch

_COLLEAGUE = """
SELECT EXISTS (SELECT FROM membership WHERE person = $1 AND organisation = $2 AND ended_at IS NULL)
"""


class _Match(msgspec.Struct, frozen=True):
    person: UUID
    ended: bool


@command
async def state_match(actor: Actor, stated: StateMatch) -> MatchView:
    """State that a person of the market is a party of the statements, and how that is known.

    Raises:
        NotYoursToState: neither the person, nor the registrar, nor their conflicts guardian.
        Malformed: no such person or party.
        EntityNotPerson: the party is an entity.
        MatchedAlready: it is stated already.
    """
    colleague = bool(await fetch_value(_COLLEAGUE, stated.person, actor.organisation))
    ensure_may_match(actor, stated.person, colleague=colleague)
    if await fetch_value("SELECT true FROM person WHERE id = $1", stated.person) is None:
        raise _unknown("person", "There is no such person in the market.")
    await execute("SELECT hold_ownership()")
    party = await standing_party(stated.party)
    if party is None:
        raise _unknown("party", "There is no such party.")
    if await fetch_value("SELECT kind FROM ownership_party WHERE id = $1", party) == "entity":
        raise EntityNotPerson
    match = uuid4()
    await record(actor, "ownership.person_matched", "person", stated.person, party=str(party))
    await execute(
        "INSERT INTO ownership_person (id, person, party, reason, stated_by, stated_at)"
        " VALUES ($1, $2, $3, $4, $5, market_now())",
        match,
        stated.person,
        party,
        stated.reason,
        actor.person,
    )
    return await match_view(match)


def _unknown(field: str, reason: str) -> Malformed:
    return Malformed(reason, faults=[Fault(field=field, reason=reason)])


@command
async def withdraw_match(actor: Actor, match_id: UUID) -> None:
    """Withdraw that a person is a party. It stays on record.

    Raises:
        NotFound: no such match in force.
        NotYoursToState: neither the registrar nor the person's conflicts guardian.
    """
    match = await fetch_one(
        _Match,
        "SELECT person, ended_at IS NOT NULL AS ended FROM ownership_person WHERE id = $1",
        match_id,
    )
    if match is None or match.ended:
        raise NotFound
    colleague = bool(await fetch_value(_COLLEAGUE, match.person, actor.organisation))
    ensure_may_withdraw_match(actor, colleague=colleague)
    ended = await execute(
        "UPDATE ownership_person SET ended_at = market_now() WHERE id = $1 AND ended_at IS NULL",
        match_id,
    )
    if not ended:
        raise NotFound
    await record(actor, "ownership.person_unmatched", "person", match.person)
