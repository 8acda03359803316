"""Reading who bids and what people declared: every such read is an event of its own."""

from uuid import UUID

from market.actor import Actor
from market.command import confidential_reading
from market.events.commands import record
from tenders.queries import conflicts, opening, paths
from tenders.schemas.conflicts import ConflictDecisionView, ConflictView, DutyDeclarationView
from tenders.schemas.opening import BidderView, MinutesView


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
async def read_minutes(actor: Actor, tender_id: UUID) -> MinutesView:
    """Give the minutes of the opening: which bids stood, and what each envelope proved.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the deadline has not passed, or the opening for those who learn later.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    minutes = await opening.minutes(actor, tender_id)
    bids = sum(len(lot.bids) for lot in minutes.lots)
    await record(actor, "minutes.read", "tender", tender_id, tender=tender_id, bids=bids)
    return minutes


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
