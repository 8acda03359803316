"""Compute quality points and rankings again from an exported record: recompute.py RECORD.json.

The standard library alone. Not here: logarithms, real powers, bands, the utility index, draws.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

LOWEST_WINS = ("price_per_quality_point", "monetised_quality", "coefficient_normalised_price")


def leaves(criteria: list[Any]) -> list[Any]:
    return [leaf for one in criteria for leaf in leaves(one["children"]) or [one]]


def quality_points(record: Any, of_round: int) -> dict[str, dict[str, Fraction]]:
    asked, points = record["requirement"], dict[str, dict[str, Fraction]]()
    top = max(Fraction(step["value"]) for step in asked["scale"])
    weights = {leaf["code"]: Fraction(leaf["weight"]) for leaf in leaves(asked["lot"]["criteria"])}
    for one in record["agreed_scores"]:
        if one["superseded"] or one["round"] != of_round:
            continue
        value = Fraction(one["value"]["numerator"]) / Fraction(one["value"]["denominator"])
        code = one["criterion"]
        points.setdefault(one["pseudonym"], {})[code] = weights[code] * value / top
    return points


def index(name: str, given: dict[str, Fraction], p: Fraction, q: Fraction) -> Fraction | None:
    match name:
        case "price_per_quality_point":
            return p / q
        case "value_index":
            return q / p
        case "monetised_quality":
            return p - given["quality_value"] * q / 100
        case "coefficient_normalised_price":
            most = given["largest_coefficient"]
            return p / (1 + most * q / 100 / (1 - most))
    return None


def share(name: str, given: dict[str, Fraction], p: Fraction, prices: list[Fraction]) -> Fraction:
    low, high = min(prices), max(prices)
    match name:
        case "lowest_price_ratio":
            return low / p
        case "linear_between_bounds":
            return (given["ceiling"] - p) / (given["ceiling"] - given["floor"])
        case "one_sided_interpolation":
            return 2 - p / low
        case "two_sided_interpolation":
            return (high - p) / (high - low) if high > low else Fraction(1)
        case "deviation_from_mean":
            return Fraction(3, 2) - p * len(prices) / sum(prices)
        case "fixed_price":
            return Fraction(1)
    message = f"{name} is not among the methods that this script knows."
    raise ValueError(message)


def rankings(record: Any) -> list[dict[str, tuple[int, Fraction]]]:
    """Place and total of each bid, ranking by ranking."""
    lot, method = record["requirement"]["lot"], record["requirement"]["award_method"]
    name, parameters = method["name"], method["parameters"].items()
    given = {key: Fraction(text) for key, text in parameters if isinstance(text, str)}
    weight = Fraction(sum(Fraction(c["weight"]) for c in lot["criteria"] if c["kind"] == "price"))
    quantity = {item["code"]: Fraction(item["quantity"]) for item in lot["price_items"]}
    found, totals, counted = list[Any](), dict[str, Fraction](), 0
    bids = {bid["pseudonym"]: bid for bid in record["bids"]}
    for ranking in record["rankings"]:
        earned, anew = quality_points(record, ranking["round"]), ranking["round"] > counted
        counted = ranking["round"]
        offers: dict[str, list[Fraction]] = {}
        for one in (row["pseudonym"] for row in ranking["bids"]):
            lines = bids[one]["prices"]
            price = sum(Fraction(line["unit_price"]) * quantity[line["item"]] for line in lines)
            offers[one] = [sum(earned[one].values(), Fraction(0)), Fraction(price)]
        ties: dict[str, Any] = {
            one: {
                "higher_quality": -points,
                "lower_price": price,
                "named_criterion": -earned[one].get(method["tie_criterion"], Fraction(0)),
                "earliest_submission": bids[one]["received_at"],
            }[method["tie_rule"]]
            for one, (points, price) in offers.items()
        }
        if method["quality"] == "relative_to_best" and (best := max(o[0] for o in offers.values())):
            offers = {o: [(100 - weight) * points / best, p] for o, (points, p) in offers.items()}
        if anew or method["when_a_bid_drops_out"] == "rescore":
            prices = [price for _, price in offers.values()]
            for one, (points, price) in offers.items():
                figure = index(name, given, price, 100 * points / (100 - weight))
                if figure is None:
                    earns = max(Fraction(0), min(Fraction(1), share(name, given, price, prices)))
                    figure = points + weight * earns
                totals[one] = figure
        sign = 1 if name in LOWEST_WINS else -1
        keys = {one: (sign * totals[one], ties[one]) for one in offers}
        order = sorted(keys.values())
        found.append({one: (order.index(key) + 1, totals[one]) for one, key in keys.items()})
    return found


if __name__ == "__main__":
    for line in rankings(json.loads(Path(sys.argv[1]).read_text())):
        sys.stdout.write(f"{line}\n")
