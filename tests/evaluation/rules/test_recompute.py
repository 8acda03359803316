"""The independent script and the market's methods agree on whatever was scored and bid."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.ranking import Offer
from evaluation.rules.scoring import quality_points
from market.money import fraction_of
from tenders.rules.award_methods import AwardMethod, MethodName
from tenders.rules.criteria import Criterion, CriterionKind
from tests.evaluation.recompute import quality_points as outsider_points
from tests.evaluation.recompute import rankings
from tests.evaluation.rules.test_every_method import FIGURES

WEIGHTS = {"Q1": "35.5", "Q2": "24.5"}
PRICE_WEIGHT = Fraction(40)
KNOWN = (
    MethodName.LOWEST_PRICE_RATIO,
    MethodName.LINEAR_BETWEEN_BOUNDS,
    MethodName.ONE_SIDED_INTERPOLATION,
    MethodName.TWO_SIDED_INTERPOLATION,
    MethodName.DEVIATION_FROM_MEAN,
    MethodName.PRICE_PER_QUALITY_POINT,
    MethodName.VALUE_INDEX,
    MethodName.MONETISED_QUALITY,
    MethodName.COEFFICIENT_NORMALISED_PRICE,
)
VALUES = st.integers(1, 10)
PENCE = st.integers(1, 20_000)
BIDS = st.lists(st.tuples(VALUES, VALUES, st.integers(1, 3), PENCE), min_size=1, max_size=6)


def record_with(method: AwardMethod, bids: Sequence[tuple[int, int, int, int]]) -> dict[str, Any]:
    """As much of a record as a ranking comes of: two criteria, means of scores, one price each."""
    names = [f"Bidder {chr(65 + place)}" for place in range(len(bids))]
    figure = "numerator", "denominator"
    agreed = [
        {
            "pseudonym": name,
            "criterion": code,
            "superseded": False,
            "round": 1,
            "value": dict(zip(figure, (str(value), str(divisor)), strict=True)),
        }
        for name, (first, second, divisor, _) in zip(names, bids, strict=True)
        for code, value in (("Q1", first), ("Q2", second))
    ]
    criteria = [
        {"code": code, "kind": "quality", "weight": weight, "children": []}
        for code, weight in WEIGHTS.items()
    ]
    return {
        "requirement": {
            "scale": [{"value": "0"}, {"value": "10"}],
            "award_method": msgspec.to_builtins(method),
            "lot": {
                "criteria": [
                    *criteria,
                    {"code": "P", "kind": "price", "weight": "40", "children": []},
                ],
                "price_items": [{"code": "A", "quantity": "0.5"}],
            },
        },
        "agreed_scores": agreed,
        "bids": [
            {
                "pseudonym": name,
                "received_at": "2030-01-01T00:00:00Z",
                "prices": [{"item": "A", "unit_price": str(Decimal(2 * pence) / 100)}],
            }
            for name, (*_, pence) in zip(names, bids, strict=True)
        ],
        "rankings": [{"round": 1, "bids": [{"pseudonym": name} for name in names]}],
    }


@pytest.mark.parametrize("name", KNOWN)
@given(bids=BIDS, taken=st.sampled_from(["as_scored", "relative_to_best"]))
def test_the_script_ranks_as_the_market_does(
    name: MethodName, bids: list[tuple[int, int, int, int]], taken: str
) -> None:
    parameters = FIGURES.get(name)
    method = msgspec.convert(
        {
            "name": name,
            "tie_rule": "higher_quality",
            "quality": taken,
            "parameters": {} if parameters is None else msgspec.to_builtins(parameters),
        },
        AwardMethod,
    )
    record = record_with(method, bids)
    leaves = [
        Criterion(code=code, title=code, kind=CriterionKind.QUALITY, weight=weight)
        for code, weight in WEIGHTS.items()
    ]
    offers = []
    for row, (first, second, divisor, pence) in zip(record["bids"], bids, strict=True):
        agreed = {"Q1": Fraction(first, divisor), "Q2": Fraction(second, divisor)}
        points = quality_points(leaves, agreed, fraction_of("10"))
        assert sum(outsider_points(record, 1)[row["pseudonym"]].values()) == points
        offers.append(
            Offer(key=row["pseudonym"], quality_points=points, price=Decimal(pence) / 100)
        )
    defined = method_of(name, 1).rank(offers, Parameters.published(method, PRICE_WEIGHT))
    (found,) = rankings(record)
    assert found == {row.key: (row.rank, row.total) for row in defined.rows}
