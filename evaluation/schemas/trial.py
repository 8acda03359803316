"""What the API takes and gives about trying an award method on made-up bids."""

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from evaluation.rules.exact import Exact
from market.money import DecimalText
from tenders.rules.award_methods import AwardMethod, MethodName
from tenders.rules.criteria import Code

MOST_BIDS = 50
MOST_QUESTIONS = 100
Key = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\u0000]*$")]


class TrialQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quality criterion that is scored, with its points out of 100."""

    code: Code
    weight: DecimalText


class TrialValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a made-up bid is given for one criterion."""

    criterion: Code
    value: DecimalText


class TrialBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A made-up bid: a value for every criterion, and its total price in pounds."""

    key: Key
    values: Annotated[tuple[TrialValue, ...], Meta(max_length=MOST_QUESTIONS)]
    price: DecimalText


class TryMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A method, the weights, the top of the scale, the minimum in per cent, and made-up bids."""

    award_method: AwardMethod
    criteria: Annotated[tuple[TrialQuestion, ...], Meta(min_length=1, max_length=MOST_QUESTIONS)]
    price_weight: DecimalText
    highest_value: DecimalText
    minimum_quality: DecimalText = "0"
    bids: Annotated[tuple[TrialBid, ...], Meta(min_length=1, max_length=MOST_BIDS)]

    example: ClassVar[dict[str, Any]] = {
        "award_method": {"name": "lowest_price_ratio", "tie_rule": "higher_quality"},
        "criteria": [{"code": "Q1", "weight": "40"}, {"code": "Q2", "weight": "20"}],
        "price_weight": "40",
        "highest_value": "5",
        "minimum_quality": "50",
        "bids": [
            {
                "key": "dear and good",
                "values": [{"criterion": "Q1", "value": "5"}, {"criterion": "Q2", "value": "4"}],
                "price": "120000",
            },
            {
                "key": "cheap",
                "values": [{"criterion": "Q1", "value": "3"}, {"criterion": "Q2", "value": "3"}],
                "price": "100000",
            },
        ],
    }


class TrialPoints(msgspec.Struct, frozen=True, kw_only=True):
    """The points of one criterion."""

    criterion: str
    points: Exact


class TriedBid(msgspec.Struct, frozen=True, kw_only=True):
    """One bid's way to its place. A bid below the minimum has no price points, total or rank.

    `total` is the sum of points, or the one figure of an index. `point_worth` is the exchange rate
    at this bid, in pounds: how much dearer it could be with one more of the 100 points of quality
    and be worth no less; null where no price would undo the point, or none can be gained or lost.
    """

    key: str
    points: list[TrialPoints]
    quality_points: Exact
    quality_percentage: Exact
    passed: bool
    price: str
    price_points: Exact | None
    total: Exact | None
    rank: int | None
    tied: bool
    point_worth: Exact | None


class TriedRange(msgspec.Struct, frozen=True, kw_only=True):
    """Who would win while the price weight lies between two bounds, both of 100 points."""

    lowest: Exact
    highest: Exact
    winners: list[str]


class TrialWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Where the method is known to mislead, and did so with these bids."""

    name: str
    text: str


class TrialView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole working, in the order of the ranking; bids below the minimum come last."""

    method: MethodName
    version: int
    bids: list[TriedBid]
    winners_by_price_weight: list[TriedRange]
    warnings: list[TrialWarning]
