"""Acts about saved searches: keeping one, and ending it."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from suppliers.queries import known_service_lines
from tenders.errors import SearchFaulty
from tenders.permissions.searches import ensure_acts_for
from tenders.queries.searches import saved_search
from tenders.rules.searches import filters_faults
from tenders.schemas.searches import SavedSearchView, SaveSearch

_SAVE = """
INSERT INTO saved_search (id, person, organisation, name, text, service_lines, buyer,
                          minimum_value, maximum_value)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_BUYS = """
SELECT EXISTS (SELECT 1 FROM organisation WHERE id = $1 AND NOT proposed
               AND kind IN ('clinical_commissioning_group', 'other_nhs_body'))
"""


@command
async def save_search(actor: Actor, given: SaveSearch) -> SavedSearchView:
    """Keep a search for the organisation the actor acts for.

    What it is called and looks for is the person's own affair: the event keeps a salted digest.

    Raises:
        NotActing: the actor acts for no organisation.
        SearchFaulty: with every fault.
        TooManySearches: the actor has as many as one can have.
    """
    person, organisation = ensure_acts_for(actor)
    faults = filters_faults(
        given,
        await known_service_lines(given.service_lines),
        buyer_known=given.buyer is None or bool(await fetch_value(_BUYS, given.buyer)),
    )
    if faults:
        raise SearchFaulty(faults[0].reason, faults=faults)
    search = uuid4()
    await execute(
        _SAVE,
        search,
        person,
        organisation,
        given.name,
        given.text,
        list(given.service_lines),
        given.buyer,
        *given.bounds,
    )
    await record(
        actor, "saved_search.made", "saved_search", search, after=msgspec.json.encode(given)
    )
    return await saved_search(search)


@command
async def end_search(actor: Actor, search_id: UUID) -> None:
    """End a search of one's own: nothing that is published later is held against it.

    Raises:
        NotActing: the actor acts for no organisation.
        NotFound: there is no such search, it has ended, or it is not the actor's.
    """
    person, organisation = ensure_acts_for(actor)
    ended = await execute(
        "UPDATE saved_search SET ended_at = market_now()"
        " WHERE id = $1 AND person = $2 AND organisation = $3 AND ended_at IS NULL",
        search_id,
        person,
        organisation,
    )
    if not ended:
        raise NotFound
    await record(actor, "saved_search.ended", "saved_search", search_id)
