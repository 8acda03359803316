"""Reading who bids and what people declared: every such read is an event of its own."""

from uuid import UUID

import msgspec

from market.actor import Actor
from market.command import confidential_reading
from market.events.commands import record
from market.vault import Vault
from tenders.queries import conflicts, minutes, opening, paths
from tenders.schemas.conflicts import ConflictDecisionView, ConflictView, DutyDeclarationView
from tenders.schemas.minutes import MinutesView, stated
from tenders.schemas.opening import BidderView


@confidential_reading
async def read_bidders(actor: Actor, tender_id: UUID) -> list[BidderView]:
    """Give the names of those who bid, for those who must declare against them.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    found = await opening.bidders(actor, tender_id)
    await record(actor, "bidders.read", "tender", tender_id, tender=tender_id, bidders=len(found))
    return found


@confidential_reading
async def read_minutes(actor: Actor, vault: Vault, tender_id: UUID) -> MinutesView:
    """Give the minutes of the opening, and once the bids are open, what the market signs of them.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the deadline has not passed, or the opening for those who learn later.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    found = await minutes.minutes(actor, tender_id)
    statement = stated(found)
    bids = sum(len(lot.bids) for lot in found.lots)
    await record(actor, "minutes.read", "tender", tender_id, tender=tender_id, bids=bids)
    return msgspec.structs.replace(
        found, statement=None if statement is None else vault.sign(statement)
    )


@confidential_reading
async def read_duty_declarations(actor: Actor, tender_id: UUID) -> list[DutyDeclarationView]:
    """Give the declarations on taking up duties; that somebody reads their own is no event.

    Raises:
        NotFound: the actor has no duty in the tender and does not audit a buyer.
    """
    found = await conflicts.duty_declarations(actor, tender_id)
    people = {str(one.person) for one in found if one.person != actor.person}
    if people:
        await record(
            actor,
            "duty_declarations.read",
            "tender",
            tender_id,
            tender=tender_id,
            people=sorted(people),
        )
    return found


@confidential_reading
async def read_conflicts(actor: Actor, tender_id: UUID) -> list[ConflictView]:
    """Give what stands between people and bidders; that somebody reads their own is no event.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    found = await paths.conflicts(actor, tender_id)
    people = {one.person for one in found if one.person != actor.person}
    if people:
        # not who they are: the guardian alone is to know
        await record(
            actor, "conflicts.read", "tender", tender_id, tender=tender_id, people=len(people)
        )
    return found


@confidential_reading
async def read_conflict_decisions(actor: Actor, tender_id: UUID) -> list[ConflictDecisionView]:
    """Give what was decided about interests; that somebody reads about themselves is no event.

    Raises:
        NotFound: the actor has no duty in the tender and does not audit a buyer.
    """
    found = await conflicts.conflict_decisions(actor, tender_id)
    others = sum(one.person != actor.person for one in found)
    if others:
        await record(
            actor,
            "conflict_decisions.read",
            "tender",
            tender_id,
            tender=tender_id,
            decisions=others,
        )
    return found
