"""Lots of which one supplier may win so many: allocated exactly, and recommended accordingly."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.makers.bids import asked, bid_body, opened_tender, some_suppliers
from tests.makers.direct import acting, refused
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    recommend,
    with_panel,
)
from tests.makers.tenders import published_tender, requirement_of
from tests.makers.world import World

ALIKE = {"Q1.1": "10", "Q1.2": "10", "Q2": "10"}
RECOMMEND = (
    "INSERT INTO recommendation (id, lot, bid, reason, recommended_by) VALUES ($1, $2, $3, $4, $5)"
)


async def limited_lots(
    world: World, prices: tuple[tuple[str, ...], ...], rule: str = "best_ranks", **given: Any
) -> list[EvaluatedLot]:
    """So many lots as there are rows of prices, alike in quality; one lot for each supplier."""
    requirement = requirement_of(len(prices), lot_limit={"lots": 1, "rule": rule}, **given)
    tender = await published_tender(world, requirement=requirement)
    suppliers = await some_suppliers(world, len(prices[0]))
    bodies = {
        (place, number): bid_body(
            asked(tender, number),
            unit_prices=price,
            quality_text=f"Answer of supplier {place}.",
        )
        for number, row in enumerate(prices, start=1)
        for place, price in enumerate(row)
    }
    opened = await opened_tender(world, tender, suppliers, bodies=bodies)
    await with_panel(world, opened, len(suppliers))
    lots = []
    for number in range(1, len(prices) + 1):
        answer = await tender.moderator.get(f"{tender.path}/lots/{number}/evaluation/bids")
        names = {bid["answers"][0]["text"]: bid["pseudonym"] for bid in answer.json()["items"]}
        lot = EvaluatedLot(
            world=world,
            opened=opened,
            number=number,
            pseudonyms=tuple(
                names[f"Answer of supplier {place}."] for place in range(len(suppliers))
            ),
        )
        for evaluator in tender.quality_evaluators:
            await lot.score_all(evaluator, (ALIKE,) * len(suppliers))
            assert (await lot.lock(evaluator)).status_code == 201
        await lot.score_all(tender.moderator, (ALIKE,) * len(suppliers), kind="agreed-scores")
        await lot.done(tender.moderator, "/evaluation/quality-lock")
        await lot.done(tender.price_evaluator, "/evaluation/price-opening")
        lots.append(lot)
    return lots


async def ranked(lots: list[EvaluatedLot]) -> None:
    """Rank them all."""
    for lot in lots:
        await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")


async def allocation(lot: EvaluatedLot) -> dict[str, Any]:
    """What the moderator sees."""
    answer = await lot.tender.moderator.get(f"{lot.tender.path}/lot-allocation")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


# the first supplier is the cheapest of both lots, and the second is third in the first lot
TWO: tuple[tuple[str, ...], ...] = (("90.00", "110.00", "100.00"), ("90.00", "100.00", "110.00"))


@pytest.mark.parametrize(
    ("rule", "prices", "expected"),
    [
        ("best_ranks", TWO, [0, 1]),
        ("in_order_of_lots", TWO, [0, 1]),
        # whoever is next in the second lot, the sums are equal: the earlier lot decides
        (
            "best_ranks",
            (("90.00", "91.00", "100.00"), ("90.00", "110.00", "100.00")),
            [0, 2],
        ),
    ],
)
async def test_lots_go_by_the_published_rule_and_are_recommended_so(
    world: World, rule: str, prices: tuple[tuple[str, ...], ...], expected: list[int]
) -> None:
    lots = await limited_lots(world, prices, rule)
    await lots[0].done(lots[0].tender.price_evaluator, "/evaluation/ranking")
    waiting = await allocation(lots[0])
    assert waiting["undecided"] == "Lots are allocated once all are ranked; wait for 2."
    early = await recommend(lots[0], expected[0])
    assert (early.status_code, early.json()["type"]) == (409, "/problems/lots-awaited")
    await ranked(lots[1:])
    view = await allocation(lots[0])
    assert [lot["pseudonym"] for lot in view["lots"]] == [
        lot.pseudonyms[place] for lot, place in zip(lots, expected, strict=True)
    ]
    wrong = await recommend(lots[1], 0)
    assert (wrong.status_code, wrong.json()["type"]) == (409, "/problems/not-allocated")
    for lot, place in zip(lots, expected, strict=True):
        answer = await recommend(lot, place)
        assert answer.status_code == 201, answer.text
    assert all(lot["recommended"] for lot in (await allocation(lots[0]))["lots"])


async def test_who_reads_the_allocation_is_on_record(world: World, superuser: Any) -> None:
    lots = await limited_lots(world, TWO)
    await ranked(lots)
    for person in (lots[0].tender.author, lots[0].suppliers[0]):
        refused_to = await person.get(f"{lots[0].tender.path}/lot-allocation")
        assert refused_to.status_code in {403, 404}
    await allocation(lots[0])
    read = "SELECT count(*) FROM event WHERE action = 'allocation.read' AND person = $1"
    assert await superuser.fetchval(read, lots[0].tender.moderator.id) == 1


async def test_the_database_keeps_the_limit_and_passes_over_nobody_without_cause(
    world: World, app_role: Any, superuser: Any
) -> None:
    lots = await limited_lots(world, TWO, "in_order_of_lots")
    moderator = lots[0].tender.moderator

    async def attempt(lot: EvaluatedLot, place: int) -> None:
        bid = await superuser.fetchval(
            "SELECT bid FROM manifest_entry WHERE lot = $1 AND pseudonym = $2",
            lot.id,
            lot.pseudonyms[place],
        )
        async with acting(app_role, moderator.id, moderator.organisation):
            await app_role.execute(RECOMMEND, uuid4(), lot.id, bid, REASON, moderator.id)
            await app_role.execute(
                "UPDATE lot SET stage = 'recommended', version = version + 1 WHERE id = $1", lot.id
            )

    await lots[0].done(lots[0].tender.price_evaluator, "/evaluation/ranking")
    async with refused("lots_ranked_first"):
        await attempt(lots[0], 0)
    await ranked(lots[1:])
    async with refused("lot_allocation_followed"):
        await attempt(lots[0], 2)
    async with refused("lot_allocation_followed"):
        await attempt(lots[1], 0)
    await attempt(lots[0], 0)
    async with refused("lot_limit_kept"):
        await attempt(lots[1], 0)
    async with refused("lot_allocation_followed"):
        await attempt(lots[1], 2)
    await attempt(lots[1], 1)


async def test_two_lots_recommended_at_once_are_within_the_limit(world: World) -> None:
    lots = await limited_lots(world, TWO)
    await ranked(lots)
    answers = await asyncio.gather(
        recommend(lots[0], 0), recommend(lots[1], 0), recommend(lots[1], 1), recommend(lots[0], 1)
    )
    assert [answer.status_code for answer in answers] == [201, 409, 201, 409]


async def test_a_tie_leaves_the_lots_undecided(world: World) -> None:
    lots = await limited_lots(world, (("90.00", "90.00"), ("90.00", "100.00")))
    await ranked(lots)
    view = await allocation(lots[0])
    assert view["undecided"] == "Lot 1 has a tie that the published rule does not break."
    assert (await recommend(lots[1], 0)).json()["type"] == "/problems/lots-awaited"


async def test_a_bid_that_drops_out_is_replaced_around_what_is_recommended(world: World) -> None:
    lots = await limited_lots(world, TWO)
    await ranked(lots)
    assert (await recommend(lots[0], 0)).status_code == 201
    body = {"pseudonym": lots[1].pseudonyms[1], "reason": "The supplier withdrew by its letter."}
    await lots[1].done(lots[1].tender.manager, "/drop-outs", body)
    found = (await allocation(lots[0]))["lots"]
    assert [lot["pseudonym"] for lot in found] == [lots[0].pseudonyms[0], lots[1].pseudonyms[2]]


async def test_there_is_no_allocation_without_a_limit(
    world: World,
) -> None:
    tender = await published_tender(world)
    opened = await opened_tender(world, tender)
    await with_panel(world, opened, 0)
    answer = await tender.moderator.get(f"{tender.path}/lot-allocation")
    assert answer.status_code == 404
