"""A challenge is upheld: a fresh panel, another winner, and the first round stays readable."""

from datetime import datetime

from tests.evaluation.http.test_recomputing import ensure_agrees
from tests.evaluation.http.test_record import record_of
from tests.makers.challenges import GROUNDS, challenge, decide
from tests.makers.evaluation import (
    approve,
    contract_body,
    end_standstill,
    notified_lot,
    recommend,
)
from tests.makers.rounds import decided_anew, fresh_panel, reopened
from tests.makers.world import World


async def test_a_bid_that_had_failed_wins_after_its_challenge_is_upheld(world: World) -> None:
    lot = await notified_lot(world)
    tender = lot.tender
    path = f"{lot.path}/evaluation"
    before = (await tender.moderator.get(f"{path}/ranking")).json()
    told = (await lot.suppliers[2].get(f"{lot.path}/award-notices")).json()["items"]
    await reopened(lot)
    view = await lot.evaluation(tender.manager)
    assert (view["stage"], view["round"]) == ("quality_scoring", 2)
    assert (view["agreed_scores"], view["standstill"]) == (0, None)
    assert (await lot.suppliers[0].get(f"{lot.path}/award")).status_code == 404
    panel = await fresh_panel(lot)
    await decided_anew(lot, panel)
    # the two prices of the first round are known; that of the bid which passes now is opened
    await lot.done(tender.price_evaluator, "/evaluation/price-opening")
    await lot.done(tender.price_evaluator, "/evaluation/ranking")
    ranking = (await tender.price_evaluator.get(f"{path}/ranking")).json()
    assert ranking["number"] == 2
    first = next(bid for bid in ranking["bids"] if bid["place"] == 1)
    assert first["pseudonym"] == lot.pseudonyms[2]
    recommended = await recommend(lot, 2)
    assert recommended.status_code == 201, recommended.text
    for approver in tender.approvers:
        answer = await approve(lot, approver)
        assert answer.status_code == 201, answer.text
    sent = await lot.done(tender.manager, "/award-notices")
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    early = await lot.act(tender.contract_manager, "/contract", contract_body())
    assert early.json()["type"] == "/problems/standstill-running"
    await end_standstill(lot)
    await lot.done(tender.contract_manager, "/contract", contract_body())
    award = (await lot.suppliers[0].get(f"{lot.path}/award")).json()
    assert award["organisation"] == str(lot.suppliers[2].organisation)
    # the first round is as it was
    after = (await tender.approvers[0].get(f"{path}/ranking?number=1")).json()
    assert [(bid["pseudonym"], bid["place"]) for bid in after["bids"]] == [
        (bid["pseudonym"], bid["place"]) for bid in before["bids"]
    ]
    anew = (await lot.suppliers[2].get(f"{lot.path}/award-notices")).json()["items"]
    assert anew != told
    # and whoever holds the record computes both rounds again
    record = await record_of(lot)
    ensure_agrees(record)
    assert [ranking["round"] for ranking in record["rankings"]] == [1, 2]
    (upheld,) = record["challenges"]
    assert (upheld["grounds"], upheld["outcome"]) == (GROUNDS, "upheld_reevaluate")
    assert [(one["number"], one["challenge"]) for one in record["rounds"]] == [(2, 1)]
    report = (await tender.manager.get(f"{tender.path}/procurement-report")).json()
    says = {item["item"]: " ".join(item["says"]) for item in report["items"]}
    assert "was rejected" not in says["b"]
    assert f"({lot.pseudonyms[2]}) is the successful tenderer" in says["d"]
    assert f"({lot.pseudonyms[0]}) is the successful tenderer" not in says["d"]


async def test_a_rejected_challenge_delays_the_contract_and_nothing_else(world: World) -> None:
    lot = await notified_lot(world)
    assert (await challenge(lot)).status_code == 201
    await end_standstill(lot)
    manager = lot.tender.contract_manager
    held = await lot.act(manager, "/contract", contract_body())
    assert held.json()["type"] == "/problems/lot-on-hold"
    assert (await decide(lot)).status_code == 201
    await lot.done(manager, "/contract", contract_body())
    award = (await lot.suppliers[1].get(f"{lot.path}/award")).json()
    assert award["organisation"] == str(lot.suppliers[0].organisation)
