"""Whoever holds the exported record computes the whole ranking again, without the market."""

import ast
import asyncio
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tenders.rules.award_methods import MethodName
from tests.evaluation.http.test_methods_in_force import method, without_price
from tests.evaluation.http.test_record import record_of
from tests.evaluation.recompute import quality_points, rankings
from tests.makers.evaluation import (
    AGREED,
    REASON,
    EvaluatedLot,
    notified_lot,
    ranked_lot,
)
from tests.makers.world import World

SCRIPT = Path(__file__).parent.parent / "recompute.py"
THIRTY_LINES = SCRIPT.with_name("recompute_in_thirty_lines.py")
NOT_THERE = {
    MethodName.LOGARITHMIC,
    MethodName.BANDED_INCREASE,
    MethodName.WEIGHTED_VALUE_INDEX,
    MethodName.UTILITY_INDEX,
}


def exact(figure: dict[str, str]) -> Fraction:
    """A figure of the record."""
    return Fraction(int(figure["numerator"]), int(figure["denominator"]))


def ensure_agrees(record: dict[str, Any]) -> None:
    """Compare what an outsider computes with what the market recorded, to the last digit."""
    for decision in record["quality_decisions"]:
        own = quality_points(record, decision["round"])
        assert sum(own[decision["pseudonym"]].values()) == exact(decision["points"])
    recorded = [
        {row["pseudonym"]: (row["place"], exact(row["total"])) for row in ranking["bids"]}
        for ranking in record["rankings"]
    ]
    assert rankings(record) == recorded


async def give_up(lot: EvaluatedLot) -> None:
    """End a lot whoever is first: its record can be read then."""
    reason = {"reason": "The need has gone away this year."}
    answer = await lot.act(lot.tender.manager, "/abandonment", reason)
    assert answer.status_code == 201, answer.text


async def drop_first_out(lot: EvaluatedLot) -> str:
    """Let the bid that ranks first drop out, and name it."""
    seen = await lot.tender.price_evaluator.get(f"{lot.path}/evaluation/ranking")
    first: str = seen.json()["bids"][0]["pseudonym"]
    given = {"pseudonym": first, "reason": "The supplier withdrew by its letter."}
    answer = await lot.act(lot.tender.manager, "/drop-outs", given)
    assert answer.status_code == 201, answer.text
    return first


@pytest.mark.parametrize("name", sorted(set(MethodName) - NOT_THERE))
async def test_an_outsider_comes_to_the_same_ranking(world: World, name: MethodName) -> None:
    fixed = name is MethodName.FIXED_PRICE
    lot = await ranked_lot(
        world,
        prices=("100.00",) * 3 if fixed else ("110.00", "100.00", "90.00"),
        award_method=method(name),
        **({"lots": [without_price()]} if fixed else {}),
    )
    await give_up(lot)
    ensure_agrees(await record_of(lot))


@pytest.mark.parametrize("rule", ["freeze", "rescore"])
@pytest.mark.parametrize("taken", ["as_scored", "relative_to_best"])
async def test_an_outsider_follows_every_ranking_when_the_winner_drops_out(
    world: World, rule: str, taken: str
) -> None:
    chosen = method(MethodName.LOWEST_PRICE_RATIO, when_a_bid_drops_out=rule, quality=taken)
    good = {"Q1.1": "5", "Q1.2": "10", "Q2": "5"}
    lot = await ranked_lot(world, agreed=(*AGREED[:2], good), award_method=chosen)
    first = await drop_first_out(lot)
    await give_up(lot)
    record = await record_of(lot)
    assert len(record["rankings"]) == 2
    assert record["drop_outs"][0]["pseudonym"] == first
    ensure_agrees(record)


@pytest.mark.parametrize(
    "rule", ["higher_quality", "lower_price", "named_criterion", "earliest_submission"]
)
async def test_an_outsider_breaks_ties_as_published(world: World, rule: str) -> None:
    named = {"tie_criterion": "Q2"} if rule == "named_criterion" else {}
    lot = await ranked_lot(
        world,
        prices=("100.00", "100.00", "90.00"),
        agreed=({"Q1.1": "10", "Q1.2": "5", "Q2": "5"}, *AGREED[1:]),
        award_method=method(MethodName.VALUE_INDEX, tie_rule=rule, **named),
    )
    await give_up(lot)
    ensure_agrees(await record_of(lot))


def imported(script: Path) -> set[str]:
    """The modules that a script imports."""
    return {
        name.name if isinstance(found, ast.Import) else str(found.module)
        for found in ast.walk(ast.parse(script.read_text()))
        if isinstance(found, ast.Import | ast.ImportFrom)
        for name in found.names
    }


async def told_by(script: Path, kept: Path) -> str:
    """What a script says of a record, run without anything of the market."""
    assert imported(script) <= sys.stdlib_module_names
    command = (sys.executable, "-I", str(script), str(kept))
    done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await done.communicate()
    assert done.returncode == 0
    return told.decode()


async def test_the_scripts_need_nothing_of_the_market(world: World, tmp_path: Path) -> None:
    lot = await notified_lot(world)
    record = await record_of(lot)
    kept = tmp_path / "record.json"
    kept.write_text(json.dumps(record))
    assert f"'{lot.pseudonyms[0]}': (1, " in await told_by(SCRIPT, kept)
    found = json.loads(await told_by(THIRTY_LINES, kept))
    assert found == {
        row["pseudonym"]: [row["place"], str(exact(row["total"]))]
        for row in record["rankings"][-1]["bids"]
    }


async def test_a_changed_score_is_found_out(world: World) -> None:
    record = await record_of(await notified_lot(world))
    record["agreed_scores"][0]["value"]["numerator"] = "0"
    assert REASON in record["agreed_scores"][0]["reason"]
    with pytest.raises(AssertionError):
        ensure_agrees(record)
