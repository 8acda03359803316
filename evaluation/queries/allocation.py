"""The allocation of limited lots, out of the latest rankings of a tender."""

from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.rules.allocation import LotState, PlacedBid, Undecided, allocation
from evaluation.schemas.allocation import AllocatedLot, AllocationView
from market.actor import Actor
from market.database import fetch
from market.errors import NotFound
from tenders.rules.lot_limits import LotLimit

_LOTS = """
SELECT number, latest_ranking(id) IS NOT NULL AS ranked FROM lot
WHERE tender = $1 AND stage <> 'abandoned' ORDER BY number
"""

_BIDS = """
SELECT l.number AS lot, m.pseudonym, b.organisation::text AS supplier, g.name, b.organisation,
       r.place, r.tied, coalesce(b.id = standing_recommendation(l.id), false) AS recommended
FROM lot l JOIN ranked_bid r ON r.ranking = latest_ranking(l.id) JOIN bid b ON b.id = r.bid
JOIN manifest_entry m ON m.bid = b.id JOIN organisation g ON g.id = b.organisation
WHERE l.tender = $1 AND l.stage <> 'abandoned' ORDER BY l.number, r.place
"""


class _Bid(msgspec.Struct, frozen=True):
    lot: int
    pseudonym: str
    supplier: str
    name: str
    organisation: UUID
    place: int
    tied: bool
    recommended: bool

    def placed(self) -> PlacedBid:
        return PlacedBid(
            lot=self.lot,
            pseudonym=self.pseudonym,
            supplier=self.supplier,
            place=self.place,
            tied=self.tied,
            recommended=self.recommended,
        )


async def allocated_bid(facts: LotFacts, limit: LotLimit) -> PlacedBid | None:
    """The bid that a lot goes to by the published limit, inside a transaction.

    Raises:
        Undecided: lots of the tender are not ranked yet, or a tie is left.
    """
    lots = await fetch(LotState, _LOTS, facts.tender)
    bids = [bid.placed() for bid in await fetch(_Bid, _BIDS, facts.tender)]
    return allocation(lots, bids, limit).get(facts.number)


async def lot_allocation(actor: Actor, tender_id: UUID) -> AllocationView:
    """Show which lot goes to whom under the published limit, inside a transaction.

    Raises:
        NotFound: no such tender, no duty in it, or it limits nothing.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, 1), *READS_EVALUATION, what="who gets which lot"
    )
    requirement, _ = await published_requirement(facts)
    if requirement.lot_limit is None:
        message = "The tender does not limit how many lots one supplier may win."
        raise NotFound(message)
    lots = await fetch(LotState, _LOTS, facts.tender)
    bids = await fetch(_Bid, _BIDS, facts.tender)
    names = {(bid.lot, bid.pseudonym): bid for bid in bids}
    try:
        found = allocation(lots, [bid.placed() for bid in bids], requirement.lot_limit)
    except Undecided as error:
        return AllocationView(
            tender=tender_id, limit=requirement.lot_limit, undecided=str(error), lots=[]
        )
    return AllocationView(
        tender=tender_id,
        limit=requirement.lot_limit,
        undecided=None,
        lots=[
            _view(lot, None if bid is None else names[lot, bid.pseudonym])
            for lot, bid in found.items()
        ],
    )


def _view(lot: int, bid: _Bid | None) -> AllocatedLot:
    return AllocatedLot(
        lot=lot,
        pseudonym=None if bid is None else bid.pseudonym,
        supplier=None if bid is None else bid.name,
        organisation=None if bid is None else bid.organisation,
        place=None if bid is None else bid.place,
        recommended=bid is not None and bid.recommended,
    )
