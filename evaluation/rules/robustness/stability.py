"""Exact questions about a ranking: who wins without whom, at which weights, who is dominated."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from msgspec import Struct

from evaluation.rules.methods import Method, Parameters
from evaluation.rules.methods.offers import WHOLE, quality_of
from evaluation.rules.methods.reals import logarithm
from evaluation.rules.ranking import Offer, RankedOffer, leaders
from tenders.rules.award_methods import TRAITS, MethodName

_E: Final = Fraction("2.718281828459045235360287471352662497757247093699959")


class WithoutOne(Struct, frozen=True, kw_only=True):
    """Who would win if one bid had not been made."""

    without: str
    winners: tuple[str, ...]
    changed: bool


class WinningRange(Struct, frozen=True, kw_only=True):
    """Who wins while the price weight lies from `lowest` to `highest`, both of 100 points."""

    lowest: Fraction
    highest: Fraction
    winners: tuple[str, ...]


class _Line(Struct, frozen=True):
    """What a bid comes to at a weighting t: `start` + t x `slope`, the highest winning."""

    key: str
    start: Fraction
    slope: Fraction

    def at(self, weighting: Fraction) -> Fraction:
        return self.start + weighting * self.slope


def without_each(
    method: Method, offers: Sequence[Offer], parameters: Parameters
) -> list[WithoutOne]:
    """Say who would win without each of the bids; `changed` where that is somebody else.

    A bid that loses and whose absence changes the winner decided the award without being able to
    win it. Without the winner it is the next one's turn: `changed` is then true only where
    whoever is next in the ranking does not move up.
    """
    if not offers:
        return []
    whole = method.rank(offers, parameters)
    first = {row.key for row in leaders(whole)}
    found = []
    for gone in offers:
        left = [offer for offer in offers if offer is not gone]
        winners = tuple(row.key for row in leaders(method.rank(left, parameters)))
        expected = first - {gone.key} or _next(whole.rows, gone.key)
        found.append(
            WithoutOne(without=gone.key, winners=winners, changed=set(winners) != expected)
        )
    return found


def _next(rows: Sequence[RankedOffer], gone: str) -> set[str]:
    left = [row for row in rows if row.key != gone]
    best = min((row.rank for row in left), default=0)
    return {row.key for row in left if row.rank == best}


def winning_ranges(
    method: Method, offers: Sequence[Offer], parameters: Parameters
) -> list[WinningRange]:
    """Say who would win at every price weight from 0 to 100, quality and prices being as they are.

    The criteria keep their proportions among each other. The bounds are exact: where two ranges
    meet, their winners are level before the tie rule. One range over everything where the method
    looks at no weight. For the weighted value index bounds are exact to fifty digits, and the
    weight 0, at which it is not defined, is the limit.
    """
    if not offers:
        return []
    lines = _lines(method, offers, parameters)
    if lines is None:
        winners = tuple(row.key for row in leaders(method.rank(offers, parameters)))
        return [WinningRange(lowest=Fraction(0), highest=WHOLE, winners=winners)]
    additive = not TRAITS[method.name].index
    # additive totals are straight lines in the price weight, the two weighted indices in wQ / wP
    highest = Fraction(1) if additive else None
    found = []
    here: Fraction | None = Fraction(0)
    while here is not None:
        ahead = _winners(lines, here)
        end = _next_crossing(lines, ahead[0], here)
        if highest is not None and end is not None and end >= highest:
            end = None
        found.append((here, end, tuple(sorted(line.key for line in ahead))))
        here = end
    ranges = [
        WinningRange(
            lowest=_price_weight(start, additive=additive),
            highest=_price_weight(end, additive=additive),
            winners=keys,
        )
        for start, end, keys in found
    ]
    if additive:
        return ranges
    return [
        WinningRange(lowest=one.highest, highest=one.lowest, winners=one.winners)
        for one in reversed(ranges)
    ]


def _price_weight(weighting: Fraction | None, *, additive: bool) -> Fraction:
    if additive:
        return WHOLE if weighting is None else weighting * WHOLE
    return Fraction(0) if weighting is None else WHOLE / (1 + weighting)


def _lines(method: Method, offers: Sequence[Offer], parameters: Parameters) -> list[_Line] | None:
    """What each bid comes to, as a straight line in the weighting; None where no weight counts."""
    quality = {
        key: points / parameters.quality_weight if parameters.quality_weight else Fraction(0)
        for key, points in quality_of(offers, parameters).items()
    }
    if method.name is MethodName.UTILITY_INDEX:
        best = max(quality.values())
        return [
            _Line(
                offer.key,
                1 / Fraction(offer.price),
                -(best - quality[offer.key]) / Fraction(offer.price),
            )
            for offer in offers
        ]
    if method.name is MethodName.WEIGHTED_VALUE_INDEX:
        return [
            _Line(
                offer.key,
                -logarithm(Fraction(offer.price), _E),
                logarithm(WHOLE * quality[offer.key], _E),
            )
            for offer in offers
            if quality[offer.key] > 0
        ] or None
    if TRAITS[method.name].index or method.name is MethodName.FIXED_PRICE:
        return None
    rows = {row.key: row for row in method.rank(offers, parameters).rows}
    shares = {
        key: row.price_points / parameters.price_weight if parameters.price_weight else Fraction(0)
        for key, row in rows.items()
    }
    return [
        _Line(offer.key, quality[offer.key], shares[offer.key] - quality[offer.key])
        for offer in offers
    ]


def _winners(lines: Sequence[_Line], here: Fraction) -> list[_Line]:
    """Who is ahead just after a weighting: the highest, and of these the steepest."""
    best = max((line.at(here), line.slope) for line in lines)
    return [line for line in lines if (line.at(here), line.slope) == best]


def _next_crossing(lines: Sequence[_Line], leader: _Line, here: Fraction) -> Fraction | None:
    """Where somebody steeper next draws level with who is ahead."""
    crossings = [
        (leader.start - line.start) / (line.slope - leader.slope)
        for line in lines
        if line.slope > leader.slope
    ]
    return min((crossing for crossing in crossings if crossing > here), default=None)


def dominated(offers: Sequence[Offer]) -> dict[str, tuple[str, ...]]:
    """Say which bids are no better than another in anything and worse in something, and than which.

    Compared are the price and the points of each criterion, or the quality points where criteria
    are not given. Such a bid can win under no sensible method.
    """
    found = {}
    for offer in offers:
        by = tuple(other.key for other in offers if _dominates(other, offer))
        if by:
            found[offer.key] = by
    return found


def _dominates(one: Offer, other: Offer) -> bool:
    if one.price > other.price:
        return False
    mine = one.criterion_points or {"": one.quality_points}
    theirs = other.criterion_points or {"": other.quality_points}
    if mine.keys() != theirs.keys() or any(mine[code] < theirs[code] for code in theirs):
        return False
    return one.price < other.price or any(mine[code] > theirs[code] for code in theirs)
