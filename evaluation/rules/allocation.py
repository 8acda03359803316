"""The lots of a tender under its published limit: what is recommended stays, the rest is solved."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from evaluation.rules.lot_limits import LotRanking, award_within_limit
from tenders.rules.lot_limits import LotLimit


class PlacedBid(Struct, frozen=True, kw_only=True):
    """A ranked bid, and whether a recommendation for it stands."""

    lot: int
    pseudonym: str
    supplier: str
    place: int
    tied: bool
    recommended: bool


class LotState(Struct, frozen=True, kw_only=True):
    """A lot of the tender that was not given up, and whether it has a ranking."""

    number: int
    ranked: bool


class Undecided(ValueError):
    """The lots cannot be allocated yet; the message says why."""


def allocation(
    lots: Sequence[LotState], bids: Sequence[PlacedBid], limit: LotLimit
) -> dict[int, PlacedBid | None]:
    """Say which bid each lot goes to by the published rule, None for none.

    Lots for which a recommendation stands keep it. All rankings are known before the first lot is
    recommended, so nobody's lots depend on which was scored first.

    Raises `Undecided` where a lot is not ranked, or the published tie rule left a tie.
    """
    waiting = [str(lot.number) for lot in lots if not lot.ranked]
    if waiting:
        raise Undecided(f"Lots are allocated once all are ranked; wait for {', '.join(waiting)}.")
    kept = {bid.lot: bid for bid in bids if bid.recommended}
    free = [lot.number for lot in lots if lot.number not in kept]
    tied = next((bid.lot for bid in bids if bid.tied and bid.lot in free), None)
    if tied is not None:
        raise Undecided(f"Lot {tied} has a tie that the published rule does not break.")
    ranked = {
        number: sorted((bid for bid in bids if bid.lot == number), key=lambda bid: bid.place)
        for number in free
    }
    solved = award_within_limit(
        [
            LotRanking(lot=number, suppliers=tuple(bid.supplier for bid in ranked[number]))
            for number in free
        ],
        limit.lots,
        limit.rule,
        Counter(bid.supplier for bid in kept.values()),
    )
    found = {
        number: next((bid for bid in ranked[number] if bid.supplier == supplier), None)
        for number, supplier in solved.items()
    }
    return {lot.number: kept.get(lot.number) or found.get(lot.number) for lot in lots}
