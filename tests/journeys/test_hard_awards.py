"""Awards that are not plain: ties, one bid, nobody good enough, winners that go or are too low."""

from datetime import datetime
from typing import Any

import pytest

from tests.makers.bids import declare
from tests.makers.evaluation import (
    AGREED,
    EvaluatedLot,
    approve,
    contract_body,
    end_standstill,
    locked_lot,
    lot_to_score,
    notified_lot,
    ranked_lot,
    recommend,
)
from tests.makers.low_prices import PASSING, ask, decide, explain, low_priced_lot
from tests.makers.panels import WHOLE, another_evaluator, set_panel
from tests.makers.world import World

OUT = "The supplier withdrew by its letter of 3 March."


async def _contracted(lot: EvaluatedLot, place: int) -> None:
    """From the ranking to the contract with the supplier at a place."""
    recommended = await recommend(lot, place)
    assert recommended.status_code == 201, recommended.text
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    sent = await lot.done(lot.tender.manager, "/award-notices")
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    award = (await lot.world.public(f"{lot.path}/award")).json()
    assert award["supplier"] == f"Supplier {place + 1}"


@pytest.mark.parametrize(("rule", "first"), [("lower_price", 1), ("earliest_submission", 0)])
async def test_a_tie_is_decided_by_the_published_rule(world: World, rule: str, first: int) -> None:
    # quality 60 + 40 x 90/120, and 50 + 40: both 90
    lot = await ranked_lot(
        world,
        agreed=(
            {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
            {"Q1.1": "10", "Q1.2": "10", "Q2": "5"},
        ),
        prices=("120.00", "90.00"),
        award_method={"name": "lowest_price_ratio", "tie_rule": rule},
    )
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    totals = {bid["total"]["display"] for bid in ranking["bids"]}
    assert len(totals) == 1
    assert (await recommend(lot, 1 - first)).json()["type"] == "/problems/not-ranked-first"
    await _contracted(lot, first)


async def test_a_tie_that_the_rule_does_not_decide_is_nobody_s_award(world: World) -> None:
    same = {"Q1.1": "10", "Q1.2": "10", "Q2": "10"}
    lot = await ranked_lot(world, agreed=(same, same), prices=("90.00", "90.00"))
    for place in (0, 1):
        refused = await recommend(lot, place)
        assert refused.json()["type"] == "/problems/first-place-tied"
    await lot.done(lot.tender.manager, "/abandonment", {"reason": "An exact tie."})


async def test_a_single_bid_that_is_good_enough_wins(world: World) -> None:
    lot = await ranked_lot(
        world,
        agreed=PASSING[:1],
        prices=("500.00",),
        abnormally_low={"below_mean": "20", "below_next": "20"},
    )
    await _contracted(lot, 0)


async def test_where_all_fail_no_price_is_opened_and_the_lot_is_abandoned(
    world: World, superuser: Any
) -> None:
    lot = await locked_lot(world, agreed=[dict.fromkeys(values, "0") for values in AGREED])
    refused = await lot.act(lot.tender.price_evaluator, "/evaluation/price-opening")
    assert refused.json()["type"] == "/problems/no-bid-passed"
    await lot.done(lot.tender.manager, "/abandonment", {"reason": "Nobody was good enough."})
    opened = "SELECT count(*) FROM opened_envelope WHERE kind = 'price'"
    assert await superuser.fetchval(opened) == 0


@pytest.mark.parametrize("rule", ["freeze", "rescore"])
async def test_a_winner_withdraws_in_standstill_and_the_next_gets_the_contract(
    world: World, rule: str
) -> None:
    lot = await notified_lot(
        world,
        agreed=PASSING,
        award_method={
            "name": "lowest_price_ratio",
            "tie_rule": "higher_quality",
            "when_a_bid_drops_out": rule,
        },
    )
    won = {"pseudonym": lot.pseudonyms[0], "reason": OUT}
    await lot.done(lot.tender.manager, "/drop-outs", won)
    early = await lot.act(lot.tender.contract_manager, "/contract", contract_body())
    assert early.json()["type"] == "/problems/lot-not-there"
    await _contracted(lot, 1)


async def test_an_evaluator_recused_midway_is_replaced_and_the_award_stands(world: World) -> None:
    lot = await lot_to_score(world)
    eve, emil = lot.tender.quality_evaluators
    await lot.score_all(eve, AGREED)
    await lot.score_all(emil, AGREED)
    await declare(emil, lot.tender, "financial", "I hold shares in it.")
    assert (await lot.lock(emil)).status_code == 403
    elsa = await another_evaluator(lot)
    replaced = await set_panel(lot, {eve: WHOLE, elsa: WHOLE}, "Emil Evaluator is recused.")
    assert replaced.status_code == 200, replaced.text
    await lot.score_all(elsa, AGREED)
    for person in (eve, elsa):
        assert (await lot.lock(person)).status_code == 201
    await lot.score_all(lot.tender.moderator, AGREED, kind="agreed-scores")
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    await lot.done(lot.tender.price_evaluator, "/evaluation/price-opening")
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    await _contracted(lot, 0)


@pytest.mark.parametrize(("outcome", "winner"), [("accepted", 0), ("rejected", 1)])
async def test_an_abnormally_low_winner_is_explained_or_out(
    world: World, outcome: str, winner: int
) -> None:
    lot = await low_priced_lot(world)
    assert (await recommend(lot)).json()["type"] == "/problems/low-price-undecided"
    assert (await ask(lot)).status_code == 201
    assert (await explain(lot)).status_code == 201
    assert (await decide(lot, outcome)).status_code == 201
    await _contracted(lot, winner)
