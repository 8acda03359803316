"""Whoever still scores a lot learns no price or place of another lot of the tender."""

from typing import Any

from tests.makers.bids import asked, bid_body, opened_tender, some_suppliers
from tests.makers.direct import acting
from tests.makers.evaluation import EvaluatedLot, with_panel
from tests.makers.tenders import published_tender, requirement_of
from tests.makers.world import World

GOOD = {"Q1.1": "10", "Q1.2": "10", "Q2": "10"}


async def _lots(world: World) -> list[EvaluatedLot]:
    """Two lots of one tender and one supplier; the first is ranked, the second to be scored."""
    tender = await published_tender(world, requirement=requirement_of(2))
    suppliers = await some_suppliers(world, 1)
    bodies = {
        (0, number): bid_body(
            asked(tender, number), unit_prices="90.00", quality_text="Answer of supplier 0."
        )
        for number in (1, 2)
    }
    opened = await opened_tender(world, tender, suppliers, bodies=bodies)
    await with_panel(world, opened, 1)
    lots = []
    for number in (1, 2):
        answer = await tender.moderator.get(f"{tender.path}/lots/{number}/evaluation/bids")
        (bid,) = answer.json()["items"]
        lots.append(
            EvaluatedLot(world=world, opened=opened, number=number, pseudonyms=(bid["pseudonym"],))
        )
    await _score(lots[0])
    for path in ("price-opening", "ranking"):
        await lots[0].done(tender.price_evaluator, f"/evaluation/{path}")
    return lots


async def _score(lot: EvaluatedLot) -> None:
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator, (GOOD,))
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(lot.tender.moderator, (GOOD,), kind="agreed-scores")
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")


async def test_prices_of_one_lot_are_kept_from_those_who_still_score_another(
    world: World, app_role: Any
) -> None:
    first, second = await _lots(world)
    hidden = ("/evaluation/ranking", "/robustness", "/award-notices")
    evaluator = first.tender.quality_evaluators[0]
    for path in hidden:
        assert (await evaluator.get(f"{first.path}{path}")).status_code == 404, path
    for other in (first.tender.moderator, first.tender.price_evaluator, first.tender.manager):
        assert (await other.get(f"{first.path}{hidden[0]}")).status_code == 200
    prices = "SELECT count(*) FROM ranked_bid"
    async with acting(app_role, evaluator.id, evaluator.organisation):
        assert await app_role.fetchval(prices) == 0
    await _score(second)
    assert (await evaluator.get(f"{first.path}{hidden[0]}")).status_code == 200
    async with acting(app_role, evaluator.id, evaluator.organisation):
        assert await app_role.fetchval(prices) == 1
