"""A method tried on made-up bids before it is published: its whole working, where it misleads."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from evaluation.rules.methods import OutsideDomain, Parameters, method_of
from evaluation.rules.methods.offers import WHOLE
from evaluation.rules.ranking import Offer, Ranking, leaders
from evaluation.rules.robustness.stability import (
    WinningRange,
    dominated,
    winning_ranges,
    without_each,
)
from evaluation.rules.scoring import meets_minimum, quality_percentage
from market.money import display
from tenders.rules.award_methods import TRAITS, AwardMethod, MethodName

_PENNY: Final = Fraction(1, 100)
_FAR: Final = 16
"""Up to so many times its price is looked for what a point of quality is worth to a bid."""
_FIELD: Final = 3
"""With fewer bids than this there is no price between the lowest and the highest."""
_NOTICEABLE: Final = Fraction(1, 20)
_REWARDING: Final = frozenset(
    {
        MethodName.PRICE_PER_QUALITY_POINT,
        MethodName.VALUE_INDEX,
        MethodName.WEIGHTED_VALUE_INDEX,
        MethodName.UTILITY_INDEX,
        MethodName.COEFFICIENT_NORMALISED_PRICE,
    }
)


class Question(Struct, frozen=True, kw_only=True):
    """A quality criterion that is scored, and the points (of 100) it carries."""

    code: str
    weight: Fraction


class MadeUpBid(Struct, frozen=True, kw_only=True):
    """A bid of a trial: a value for each question, and a price in pounds."""

    key: str
    values: Mapping[str, Fraction]
    price: Decimal


class Competition(Struct, frozen=True, kw_only=True):
    """Everything a method needs to know: questions, weights, scale and minimum, and the bids."""

    method: AwardMethod
    questions: Sequence[Question]
    price_weight: Fraction
    highest_value: Fraction
    minimum_quality: Fraction
    bids: Sequence[MadeUpBid]


class Working(Struct, frozen=True, kw_only=True):
    """One bid's way to its place. What it never reached is None.

    `point_worth` is the price-quality exchange rate at this bid: how many pounds dearer it could be
    with one more of the 100 points of quality and be worth no less under the method, all else
    equal, to the penny; None where no price would undo the point.
    """

    key: str
    points: Mapping[str, Fraction]
    quality_points: Fraction
    quality_percentage: Fraction
    passed: bool
    price: Decimal
    price_points: Fraction | None = None
    total: Fraction | None = None
    rank: int | None = None
    tied: bool = False
    point_worth: Fraction | None = None


class Warned(Struct, frozen=True, kw_only=True):
    """Where the method is known to mislead, and did so with these bids."""

    name: str
    text: str


class Trial(Struct, frozen=True, kw_only=True):
    """The working of every bid in the order of the ranking, those that failed last; warnings."""

    workings: Sequence[Working]
    ranges: Sequence[WinningRange]
    warnings: Sequence[Warned]


def try_method(competition: Competition) -> Trial:
    """Rank made-up bids as real ones would be, and say what a careful reader would notice.

    Raises `OutsideDomain` where the method is not defined for the bids that passed.
    """
    method = method_of(competition.method.name, competition.method.version)
    parameters = Parameters.published(competition.method, competition.price_weight)
    workings = [_scored(competition, bid) for bid in competition.bids]
    offers = [
        Offer(
            key=one.key,
            quality_points=one.quality_points,
            price=one.price,
            criterion_points=one.points,
            received=place,
            drawn=place,
        )
        for place, one in enumerate(workings)
        if one.passed
    ]
    ranking = method.rank(offers, parameters)
    ranges = winning_ranges(method, offers, parameters)
    by_key = {one.key: one for one in workings}
    ranked = [
        replace(
            by_key[row.key],
            price_points=None if TRAITS[method.name].index else row.price_points,
            total=row.total,
            rank=row.rank,
            tied=row.tied,
            point_worth=_point_worth(competition, offers, row.key),
        )
        for row in ranking.rows
    ]
    return Trial(
        workings=[*ranked, *(one for one in workings if not one.passed)],
        ranges=ranges,
        warnings=list(_warnings(competition, offers, ranking, ranges)),
    )


def _scored(competition: Competition, bid: MadeUpBid) -> Working:
    points = {
        question.code: question.weight * bid.values[question.code] / competition.highest_value
        for question in competition.questions
    }
    total = sum(points.values(), Fraction(0))
    percentage = quality_percentage(total, WHOLE - competition.price_weight)
    return Working(
        key=bid.key,
        points=points,
        quality_points=total,
        quality_percentage=percentage,
        passed=meets_minimum(percentage, competition.minimum_quality),
        price=bid.price,
    )


# -- what a point of quality is worth -------------------------------------------------------------


def _point_worth(competition: Competition, offers: Sequence[Offer], key: str) -> Fraction | None:
    """Search the price, by halves and to the penny, at which one more point is undone.

    A better price never makes a bid worse under any method, so halving finds it. The other bids
    stay as they are; the bid is compared with itself as it was.
    """
    own = next(offer for offer in offers if offer.key == key)
    rest = [offer for offer in offers if offer.key != key]
    better = own.quality_points + 1
    if better > WHOLE - competition.price_weight:
        better = own.quality_points - 1
        own, better = replace(own, quality_points=better), own.quality_points
        if own.quality_points < 0:
            return None
    lowest, highest = 0, int(Fraction(own.price) * _FAR / _PENNY)

    def no_less(pence: int) -> bool:
        price = own.price + Decimal(pence) / 100
        dearer = replace(own, key=f"{key} with a point more", quality_points=better, price=price)
        return _as_good(competition, rest, own, dearer)

    if not no_less(0):
        return None
    if no_less(highest):
        return None
    while highest - lowest > 1:
        middle = (lowest + highest) // 2
        if no_less(middle):
            lowest = middle
        else:
            highest = middle
    return lowest * _PENNY


def _as_good(competition: Competition, rest: Sequence[Offer], own: Offer, other: Offer) -> bool:
    """Say whether a bid, put in the place of another, is worth no less than that was.

    Each is valued beside the rest of the field, not beside the other: they are one bid.
    """
    before, after = (_value(competition, rest, offer) for offer in (own, other))
    return before is not None and after is not None and after >= before


def _value(competition: Competition, rest: Sequence[Offer], offer: Offer) -> Fraction | None:
    """What a bid comes to beside the rest, the higher the better; None outside the domain."""
    method = method_of(competition.method.name, competition.method.version)
    parameters = Parameters.published(competition.method, competition.price_weight)
    try:
        ranking = method.rank([*rest, offer], parameters)
    except OutsideDomain:
        return None
    total = next(row.total for row in ranking.rows if row.key == offer.key)
    return -total if method.name in _LOWEST_WINS else total


_LOWEST_WINS: Final = frozenset(
    {
        MethodName.PRICE_PER_QUALITY_POINT,
        MethodName.MONETISED_QUALITY,
        MethodName.COEFFICIENT_NORMALISED_PRICE,
    }
)

# -- where a method misleads ----------------------------------------------------------------------


def _warnings(
    competition: Competition,
    offers: Sequence[Offer],
    ranking: Ranking,
    ranges: Sequence[WinningRange],
) -> Iterator[Warned]:
    winners = {row.key for row in leaders(ranking)}
    if not offers:
        yield Warned(name="nobody_passed", text="No bid reached the minimum quality.")
        return
    yield from _loser_decides(competition, offers, winners)
    yield from _middle_penalised(competition, offers, ranking)
    yield from _gold_plating(competition, offers, winners)
    for key, by in dominated(offers).items():
        if key in winners and not set(by) <= winners:
            yield Warned(
                name="dominated_winner",
                text=f"{key} wins, and {by[0]} is better in something and worse in nothing.",
            )
    yield from _near_a_flip(competition, ranges, winners)
    if len(winners) > 1:
        listed = ", ".join(sorted(winners))
        text = f"{listed} share the first place, and the tie rule does not part them."
        yield Warned(name="tie_remains", text=text)


def _loser_decides(
    competition: Competition, offers: Sequence[Offer], winners: set[str]
) -> Iterator[Warned]:
    method = method_of(competition.method.name, competition.method.version)
    parameters = Parameters.published(competition.method, competition.price_weight)
    for one in without_each(method, offers, parameters):
        if one.changed and one.without not in winners:
            others = ", ".join(one.winners)
            text = (
                f"Without {one.without}, which cannot win, {others} would win: the award depends on"
                " a losing bid."
            )
            yield Warned(name="winner_depends_on_a_loser", text=text)


def _middle_penalised(
    competition: Competition, offers: Sequence[Offer], ranking: Ranking
) -> Iterator[Warned]:
    """A price halfway between lowest and highest earns less than halfway between their points."""
    prices = [Fraction(offer.price) for offer in offers]
    lowest, highest = min(prices), max(prices)
    if TRAITS[competition.method.name].index or len(offers) < _FIELD or lowest == highest:
        return
    points = {row.price: row.price_points for row in ranking.rows}
    middle = (lowest + highest) / 2
    halfway = (points[_as_decimal(lowest, offers)] + points[_as_decimal(highest, offers)]) / 2
    nearest = min(offers, key=lambda offer: abs(Fraction(offer.price) - middle))
    probe = replace(nearest, key="a price halfway", price=_pence(middle))
    method = method_of(competition.method.name, competition.method.version)
    parameters = Parameters.published(competition.method, competition.price_weight)
    row = next(
        row for row in method.rank([*offers, probe], parameters).rows if row.key == probe.key
    )
    lost = halfway - row.price_points
    if lost > competition.price_weight * _NOTICEABLE:
        text = (
            f"A price halfway between the lowest and the highest earns {display(row.price_points)}"
            f" points, {display(lost)} fewer than halfway between what these earn: middling prices"
            " are penalised."
        )
        yield Warned(name="middle_price_penalised", text=text)


def _as_decimal(price: Fraction, offers: Sequence[Offer]) -> Decimal:
    return next(offer.price for offer in offers if Fraction(offer.price) == price)


def _pence(price: Fraction) -> Decimal:
    return Decimal(round(price * 100)) / 100


def _gold_plating(
    competition: Competition, offers: Sequence[Offer], winners: set[str]
) -> Iterator[Warned]:
    """An index pays for the last point what the average point costs, and the more, the dearer."""
    if competition.method.name not in _REWARDING:
        return
    cheapest = min(offers, key=lambda offer: (offer.price, -offer.quality_points))
    for offer in offers:
        more = offer.quality_points - cheapest.quality_points
        extra = Fraction(offer.price) - Fraction(cheapest.price)
        if offer.key in winners and extra > 0 and more > 0:
            text = (
                f"{offer.key} wins over {cheapest.key} with {display(more)} more points of quality"
                f" for {display(extra)} pounds more, {display(extra / more)} a point. This index"
                " pays the more for a point, the dearer the bid: say whether that is what a point"
                " is worth to you."
            )
            yield Warned(name="index_rewards_gold_plating", text=text)


def _near_a_flip(
    competition: Competition, ranges: Sequence[WinningRange], winners: set[str]
) -> Iterator[Warned]:
    """Another price weight, less than two points away, would give another winner."""
    weight = competition.price_weight
    for one in ranges:
        distance = max(one.lowest - weight, weight - one.highest)
        if 0 < distance < 2 and not set(one.winners) & winners:  # noqa: PLR2004  # points
            edge = one.lowest if one.lowest > weight else one.highest
            text = (
                f"With {display(edge)} points for price instead of {display(weight)},"
                f" {', '.join(one.winners)} would win."
            )
            yield Warned(name="weights_decide", text=text)
