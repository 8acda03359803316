"""A ranking by the ratio of prices out of an exported record, if no bid dropped out or tied."""

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any


def leaves(criteria: list[Any]) -> list[Any]:
    return [leaf for one in criteria for leaf in leaves(one["children"]) or [one]]


record = json.loads(Path(sys.argv[1]).read_text())
asked, last = record["requirement"], record["rankings"][-1]
criteria = {leaf["code"]: leaf for leaf in leaves(asked["lot"]["criteria"])}
quantity = {item["code"]: Fraction(item["quantity"]) for item in asked["lot"]["price_items"]}
top = max(Fraction(step["value"]) for step in asked["scale"])
points = dict.fromkeys((bid["pseudonym"] for bid in record["bids"]), Fraction(0))
for score in record["agreed_scores"]:
    if score["round"] == last["round"] and not score["superseded"]:
        value = Fraction(score["value"]["numerator"]) / Fraction(score["value"]["denominator"])
        points[score["pseudonym"]] += Fraction(criteria[score["criterion"]]["weight"]) * value / top
prices = {
    bid["pseudonym"]: sum(
        Fraction(line["unit_price"]) * quantity[line["item"]] for line in bid["prices"]
    )
    for bid in record["bids"]
    if bid["pseudonym"] in {row["pseudonym"] for row in last["bids"]}
}
weight = sum(Fraction(leaf["weight"]) for leaf in criteria.values() if leaf["kind"] == "price")
totals = {one: points[one] + weight * min(prices.values()) / prices[one] for one in prices}
best = sorted(totals, key=lambda one: (-totals[one], -points[one]))
sys.stdout.write(json.dumps({one: [place, str(totals[one])] for place, one in enumerate(best, 1)}))
