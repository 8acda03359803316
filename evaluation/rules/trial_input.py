"""From what somebody sends for a trial to a competition, with everything that is wrong of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from evaluation.rules.trial import Competition, MadeUpBid, Question
from market.errors import Fault
from market.money import decimal_of, fraction_of
from tenders.rules.award_methods import AwardMethod, MethodName, TieRule, method_faults

_WHOLE = 100


class _Question(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def weight(self) -> str: ...


class _Value(Protocol):
    @property
    def criterion(self) -> str: ...
    @property
    def value(self) -> str: ...


class _Bid(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def values(self) -> Sequence[_Value]: ...
    @property
    def price(self) -> str: ...


class Sent(Protocol):
    """What is sent for a trial."""

    @property
    def award_method(self) -> AwardMethod: ...
    @property
    def criteria(self) -> Sequence[_Question]: ...
    @property
    def price_weight(self) -> str: ...
    @property
    def highest_value(self) -> str: ...
    @property
    def minimum_quality(self) -> str: ...
    @property
    def bids(self) -> Sequence[_Bid]: ...


def trial_faults(sent: Sent) -> list[Fault]:
    """Find everything wrong with what is sent for a trial; an empty list means it can be tried."""
    return [*method_faults(sent.award_method), *_weight_faults(sent), *_bid_faults(sent)]


def competition_of(sent: Sent) -> Competition:
    """Read what is sent and has no faults."""
    return Competition(
        method=sent.award_method,
        questions=[
            Question(code=one.code, weight=fraction_of(one.weight)) for one in sent.criteria
        ],
        price_weight=fraction_of(sent.price_weight),
        highest_value=fraction_of(sent.highest_value),
        minimum_quality=fraction_of(sent.minimum_quality),
        bids=[MadeUpBid(key=bid.key, values=_values(bid), price=_price(bid)) for bid in sent.bids],
    )


def _values(bid: _Bid) -> Mapping[str, Fraction]:
    return {one.criterion: fraction_of(one.value) for one in bid.values}


def _price(bid: _Bid) -> Decimal:
    return decimal_of(bid.price)


def _weight_faults(sent: Sent) -> Iterator[Fault]:
    price = fraction_of(sent.price_weight)
    total = price + sum((fraction_of(one.weight) for one in sent.criteria), Fraction(0))
    if total != _WHOLE:
        reason = "The weights of the criteria and of price must add up to exactly 100."
        yield Fault(field="price_weight", reason=reason)
    fixed = sent.award_method.name is MethodName.FIXED_PRICE
    if price < 0 or (price == 0) != fixed:
        reason = "Price needs a weight above zero, and none where the price is fixed."
        yield Fault(field="price_weight", reason=reason)
    if sent.award_method.name is MethodName.WEIGHTED_VALUE_INDEX and 0 < price < 1:
        reason = "Price needs one point at least: quality is raised to the power of the weights."
        yield Fault(field="price_weight", reason=reason)
    if fraction_of(sent.highest_value) <= 0:
        yield Fault(field="highest_value", reason="The top of the scale must be above zero.")
    if not 0 <= fraction_of(sent.minimum_quality) <= _WHOLE:
        yield Fault(field="minimum_quality", reason="The minimum is a percentage, 0 to 100.")
    times = Counter(one.code for one in sent.criteria)
    for index, one in enumerate(sent.criteria):
        if fraction_of(one.weight) <= 0:
            reason = f"The weight of {one.code} must be above zero."
            yield Fault(field=f"criteria[{index}].weight", reason=reason)
        if times[one.code] > 1:
            reason = f"The code {one.code} is used more than once; use each once."
            yield Fault(field=f"criteria[{index}].code", reason=reason)
    method = sent.award_method
    if method.tie_rule is TieRule.NAMED_CRITERION and method.tie_criterion not in {None, *times}:
        reason = f"There is no criterion {method.tie_criterion}."
        yield Fault(field="award_method.tie_criterion", reason=reason)


def _bid_faults(sent: Sent) -> Iterator[Fault]:
    asked = [one.code for one in sent.criteria]
    highest = fraction_of(sent.highest_value)
    keys = Counter(bid.key for bid in sent.bids)
    for index, bid in enumerate(sent.bids):
        where = f"bids[{index}]"
        if keys[bid.key] > 1:
            yield Fault(field=f"{where}.key", reason=f"Two bids are called {bid.key}; name each.")
        if sorted(one.criterion for one in bid.values) != sorted(asked):
            reason = f"{bid.key} needs one value for each of {', '.join(asked)}, and no other."
            yield Fault(field=f"{where}.values", reason=reason)
        for place, one in enumerate(bid.values):
            if not 0 <= fraction_of(one.value) <= highest:
                reason = f"The value of {one.criterion} lies outside the scale."
                yield Fault(field=f"{where}.values[{place}].value", reason=reason)
        if decimal_of(bid.price) < 0:
            yield Fault(field=f"{where}.price", reason="A price cannot be below zero.")
