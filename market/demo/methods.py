"""The same competition through every award method, side by side: tried, as anybody may."""

from decimal import Decimal
from typing import Any

from market.demo.desk import Desk

_BANDS = [{"up_to": up_to, "share": share} for up_to, share in (("25", "80"), ("50", "60"))]


def methods_for(prices: list[Decimal]) -> list[dict[str, Any]]:
    """Every method that bids of different prices can be put through, with figures that fit them.

    A fixed price is not among them: there would be one price for all.
    """
    low, high = min(prices), max(prices)
    figures: dict[str, dict[str, Any]] = {
        "lowest_price_ratio": {},
        "linear_between_bounds": {"floor": _pounds(low * 4 / 5), "ceiling": _pounds(high * 6 / 5)},
        "one_sided_interpolation": {},
        "two_sided_interpolation": {},
        "deviation_from_mean": {},
        "logarithmic": {"base": "2"},
        "banded_increase": {"bands": _BANDS, "beyond": "20"},
        "price_per_quality_point": {},
        "value_index": {},
        "weighted_value_index": {},
        "monetised_quality": {"quality_value": _pounds(low)},
        "utility_index": {},
        "coefficient_normalised_price": {"largest_coefficient": "0.3"},
    }
    return [
        {"name": name, "tie_rule": "higher_quality", "parameters": given}
        for name, given in figures.items()
    ]


def _pounds(amount: Decimal) -> str:
    return f"{amount:.2f}"


async def side_by_side(
    desk: Desk, asked: dict[str, Any], highest: str, bids: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Try every method on the bids of a lot that passed; `asked` is the lot as published."""
    leaves = [
        leaf
        for criterion in asked["criteria"]
        for leaf in (criterion.get("children") or [criterion])
    ]
    weights = {leaf["code"]: leaf["weight"] for leaf in leaves if leaf["kind"] == "quality"}
    price = next(leaf["weight"] for leaf in leaves if leaf["kind"] == "price")
    found = []
    for method in methods_for([Decimal(bid["price"]) for bid in bids]):
        tried = await desk.office.send(
            "POST",
            "/award-methods/trial",
            token=desk.token,
            body={
                "award_method": method,
                "criteria": [{"code": code, "weight": weight} for code, weight in weights.items()],
                "price_weight": price,
                "highest_value": highest,
                "minimum_quality": asked["minimum_quality"],
                "bids": bids,
            },
            expected=(200,),
        )
        found.append(tried.json())
    return found


def rows_of(tried: list[dict[str, Any]]) -> list[list[str]]:
    """Methods; who comes where with which total or figure, best first; what to beware of."""
    return [
        [
            trial["method"].replace("_", " "),
            "; ".join(
                f"{bid['rank']}. {bid['key']} ({_shown(bid['total'])})"
                for bid in trial["bids"]
                if bid["rank"] is not None
            ),
            "; ".join(warning["name"].replace("_", " ") for warning in trial["warnings"]) or "-",
        ]
        for trial in tried
    ]


def _shown(figure: dict[str, str]) -> str:
    """A total as displayed, or four digits of an index's figure where it is small."""
    value = Decimal(figure["numerator"]) / Decimal(figure["denominator"])
    return figure["display"] if abs(value) >= 1 or not value else f"{value:.3E}"


HEAD = ["method", "ranking", "to beware of"]
