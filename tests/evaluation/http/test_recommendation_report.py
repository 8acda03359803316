"""The report on a recommendation: what it holds, in three forms, and who reads it."""

from typing import Any

from tests.makers.bids import declare
from tests.makers.direct import acting
from tests.makers.evaluation import EvaluatedLot, ranked_lot, recommend, recommended_lot
from tests.makers.low_prices import PUBLISHED, WHY, ask, decide, explain, low_priced_lot
from tests.makers.recusals import decide_conflict
from tests.makers.world import Person, World


async def _report(lot: EvaluatedLot, person: Person | None = None) -> dict[str, Any]:
    answer = await (person or lot.tender.approvers[0]).get(f"{lot.path}/recommendation-report")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def test_it_says_what_ranking_and_scores_say(world: World) -> None:
    lot = await recommended_lot(world)
    report = await _report(lot)
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    assert report["ranking"] == ranking["number"] == 1
    assert report["recommendation"]["pseudonym"] == lot.pseudonyms[0]
    assert report["marks_that_flip"] == ranking["marks_that_flip"]
    for told, ranked in zip(report["bids"], ranking["bids"], strict=True):
        assert told["pseudonym"] == ranked["pseudonym"]
        assert told["supplier"] == ranked["supplier"]
        figures = ("quality_points", "price_points", "total", "place", "price")
        for figure in figures:
            assert told["result"][figure] == ranked[figure], figure
    failed = next(bid for bid in report["bids"] if not bid["passed"])
    assert "per cent of the points for quality" in failed["failings"][0]
    scores = (await lot.tender.moderator.get(f"{lot.path}/evaluation/scores")).json()["items"]
    agreed = {
        (one["pseudonym"], one["criterion"]): (one["value"], one["reason"])
        for one in scores
        if one["agreed"]
    }
    assert agreed == {
        (bid["pseudonym"], one["criterion"]): (one["value"], one["reason"])
        for bid in report["bids"]
        for one in bid["result"]["scores"]
    }


async def test_page_and_pdf_say_the_same(world: World) -> None:
    lot = await recommended_lot(world)
    report, approver = await _report(lot), lot.tender.approvers[0]
    page = await approver.get(f"{lot.path}/recommendation-report/page")
    assert page.status_code == 200, page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for bid in report["bids"]:
        assert bid["supplier"] in page.text
        for score in bid["result"]["scores"]:
            assert score["reason"] in page.text
    first, again = [
        await approver.get(f"{lot.path}/recommendation-report/document") for _ in range(2)
    ]
    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content


async def test_those_who_decide_read_it_and_nobody_else(world: World, superuser: Any) -> None:
    lot = await ranked_lot(world)
    tender = lot.tender
    await declare(tender.guardian, tender)
    forms = [f"{lot.path}/recommendation-report{form}" for form in ("", "/page", "/document")]
    for form in forms:
        assert (await tender.moderator.get(form)).status_code == 404
    assert (await recommend(lot)).status_code == 201
    readers = (tender.moderator, tender.guardian, *tender.approvers)
    for reader in readers:
        await _report(lot, reader)
    for form in forms:
        for person in (*tender.quality_evaluators, tender.price_evaluator, tender.manager):
            refused = await person.get(form)
            assert refused.json()["type"] == "/problems/duty-needed"
        for supplier in lot.suppliers:
            assert (await supplier.get(form)).status_code == 404
    read = await superuser.fetch(
        "SELECT person FROM event WHERE action = 'recommendation_report.read'"
    )
    assert {row["person"] for row in read} == {reader.id for reader in readers}


async def test_it_tells_of_low_prices_and_of_conflicts_that_were_decided(
    world: World, app_role: Any
) -> None:
    lot = await low_priced_lot(world)
    tender = lot.tender
    assert (await ask(lot)).status_code == 201
    assert (await explain(lot)).status_code == 201
    assert (await decide(lot, "accepted")).status_code == 201
    assert (await recommend(lot)).status_code == 201
    await declare(tender.guardian, tender)
    leaving = tender.quality_evaluators[1]
    await declare(leaving, tender, "financial", "I hold shares in it.")
    decided = await decide_conflict(
        tender.guardian, tender, leaving, lot.suppliers[2], "must_leave"
    )
    assert decided.status_code == 201, decided.text
    report = await _report(lot)
    (low,) = report["low_prices"]
    assert (low["pseudonym"], low["outcome"]) == (lot.pseudonyms[0], "accepted")
    assert low["reason"] == WHY
    assert low["flags"][0].startswith("50.00 per cent below the mean of the other bids")
    assert PUBLISHED["below_mean"] in low["flags"][0]
    (conflict,) = report["conflicts"]
    assert (conflict["person"], conflict["outcome"]) == (leaving.name, "must_leave")
    assert (conflict["bidder"], bool(conflict["reason"])) == ("Supplier 3", True)
    for person, expected in ((tender.approvers[0], 1), (tender.manager, 0), (lot.suppliers[0], 0)):
        async with acting(app_role, person.id, person.organisation):
            rows = await app_role.fetch("SELECT * FROM conflicts_handled($1)", lot.id)
        assert len(rows) == expected
