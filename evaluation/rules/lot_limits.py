"""Lots with a limit for each supplier: who is awarded which, by the published objective rule.

Where the notice limits how many lots one supplier may win (PCR 2015, regulation 46(4) and (5);
Procurement Act 2023, section 23(4)), it must publish an objective and non-discriminatory rule for
the supplier that comes first in more. Two rules are offered, both solved exactly:

- **best ranks**: of all ways to award every lot that can be awarded, those with the fewest lots
  left unawarded; of these the one with the least sum of ranks; then the one whose ranks, lot by
  lot in the published order of lots, come first, no award coming after every rank;
- **in order of lots**: lot by lot in the published order; a supplier that has won its number of
  lots is passed over in those that follow.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tenders.rules.lot_limits import LimitRule

_TOO_MANY_LOTS = "At most 20 lots can be awarded under one limit."
_MOST_LOTS = 20


class LotRanking(Struct, frozen=True, kw_only=True):
    """The suppliers ranked for one lot, best first, without ties left."""

    lot: int
    suppliers: tuple[str, ...]


def award_within_limit(
    rankings: Sequence[LotRanking],
    limit: int,
    rule: LimitRule,
    held: Mapping[str, int] | None = None,
) -> dict[int, str | None]:
    """Say who is awarded each lot when nobody may have more than `limit`; None for nobody.

    `held` counts the lots that suppliers have already, beside those ranked here. The result
    depends on nothing but these, the rankings, their order, the limit and the rule. Raises
    `ValueError` for a limit below 1, more than 20 lots, a lot or a supplier listed twice.
    """
    if limit < 1:
        raise ValueError("A supplier must be able to win one lot at least.")
    if len(rankings) > _MOST_LOTS:
        raise ValueError(_TOO_MANY_LOTS)
    if len({ranking.lot for ranking in rankings}) < len(rankings):
        raise ValueError("A lot is ranked twice.")
    if any(len(set(one.suppliers)) < len(one.suppliers) for one in rankings):
        raise ValueError("A supplier is ranked twice in one lot.")
    if rule is LimitRule.IN_ORDER_OF_LOTS:
        return _in_order(rankings, limit, held or {})
    return _best_ranks(rankings, limit, held or {})


def _in_order(
    rankings: Sequence[LotRanking], limit: int, held: Mapping[str, int]
) -> dict[int, str | None]:
    won: Counter[str] = Counter(held)
    awarded: dict[int, str | None] = {}
    for ranking in rankings:
        free = (supplier for supplier in ranking.suppliers if won[supplier] < limit)
        awarded[ranking.lot] = supplier = next(free, None)
        if supplier is not None:
            won[supplier] += 1
    return awarded


def _best_ranks(
    rankings: Sequence[LotRanking], limit: int, held: Mapping[str, int]
) -> dict[int, str | None]:
    """Min-cost flow by augmenting paths over integers, with a cost that spells out the rule.

    The cost of giving a lot to the supplier of rank r is one integer: the ranks' sum first, then
    r in a digit of the lot's own, so that among equal sums the ranks compare lot by lot; leaving a
    lot unawarded costs more than any ranks can. Whole numbers, so the optimum is exact.
    """
    # one place more than there are ranks, for what nobody is awarded
    last = max((len(one.suppliers) for one in rankings), default=0) + 1
    places = last + 1
    digits = places ** len(rankings)
    unawarded = places * (len(rankings) + 1) * digits
    cost: dict[tuple[int, str | None], int] = {}
    for number, ranking in enumerate(rankings):
        digit = places ** (len(rankings) - 1 - number)
        cost[number, None] = unawarded + last * digit
        for rank, supplier in enumerate(ranking.suppliers, start=1):
            cost[number, supplier] = rank * digits + rank * digit
    given: dict[int, str | None] = {}
    for number in range(len(rankings)):
        _augment(number, given, cost, rankings, limit, held)
    return {ranking.lot: given[number] for number, ranking in enumerate(rankings)}


def _augment(  # noqa: PLR0913, PLR0917  # one step of the flow, with all it looks at
    start: int,
    given: dict[int, str | None],
    cost: Mapping[tuple[int, str | None], int],
    rankings: Sequence[LotRanking],
    limit: int,
    held: Mapping[str, int],
) -> None:
    """Give one more lot away at the least cost, moving others on where that is cheaper.

    Bellman and Ford over "lot to supplier, supplier to a lot that it would give up": with integer
    costs and no negative cycle (each step before was optimal) the cheapest path is found.
    """
    best: dict[int, int] = {start: 0}
    came: dict[int, tuple[int, str]] = {}
    for _ in range(len(given) + 1):
        for lot in list(best):
            for supplier in rankings[lot].suppliers:
                reached = best[lot] + cost[lot, supplier]
                for other, holder in given.items():
                    through = reached - cost[other, holder]
                    if (
                        holder == supplier
                        and other != lot
                        and through < best.get(other, through + 1)
                    ):
                        best[other] = through
                        came[other] = (lot, supplier)
    won = Counter(holder for holder in given.values() if holder is not None) + Counter(held)
    ends = [
        (best[lot] + cost[lot, supplier], lot, supplier)
        for lot in best
        for supplier in (*rankings[lot].suppliers, None)
        if supplier is None or won[supplier] < limit
    ]
    _, lot, winner = min(ends, key=lambda end: end[0])
    given[lot] = winner
    while lot != start:
        lot, given_up = came[lot]
        given[lot] = given_up
