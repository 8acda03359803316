"""What the database itself holds of rankings that follow a bid that dropped out."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

from evaluation.rules.methods import METHODS
from tenders.rules.award_methods import TRAITS
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import EvaluatedLot, priced_lot, ranked_lot
from tests.makers.tenders import approved_tender
from tests.makers.world import World

DROP = "INSERT INTO drop_out (id, lot, bid, reason, recorded_by) VALUES ($1, $2, $3, $4, $5)"
BEST = {"Q1.1": "10", "Q1.2": "10", "Q2": "10"}
WHY = "The supplier withdrew by its letter of 3 March."
RANKING = (
    "INSERT INTO ranking (id, lot, method, method_version, ranked_by)"
    " VALUES ($1, $2, 'lowest_price_ratio', 1, $3)"
)
RANKED = (
    "INSERT INTO ranked_bid (id, ranking, bid, place, tied, price, quality_numerator,"
    " quality_denominator, price_numerator, price_denominator, total_numerator,"
    " total_denominator) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
MOVE = "UPDATE lot SET stage = 'ranked', version = version + 1 WHERE id = $1"


async def _bids(superuser: Any, lot: EvaluatedLot) -> list[UUID]:
    rows = await superuser.fetch("SELECT bid, pseudonym FROM manifest_entry")
    found = {row["pseudonym"]: row["bid"] for row in rows}
    return [found[name] for name in lot.pseudonyms]


async def test_sql_knows_every_method_as_the_rules_do(superuser: Any) -> None:
    for (name, version), method in METHODS.items():
        row = await superuser.fetchrow(
            "SELECT ranks_by_index($1) AS index, lowest_figure_wins($1) AS lowest", name.value
        )
        assert (row["index"], row["lowest"]) == (TRAITS[name].index, method.lowest_wins), version


async def test_a_bid_drops_out_with_the_ranking_that_follows_and_frozen_figures(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    manager = lot.tender.manager
    bids = await _bids(superuser, lot)
    frozen = (bids[1], 1, False, 4325, 30, 1, 40, 1, 70, 1)

    async def drop(
        bid: UUID, *rows: tuple[Any, ...], again: bool = True, move: bool = True
    ) -> None:
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(DROP, uuid4(), lot.id, bid, WHY, manager.id)
            ranking = uuid4()
            if again:
                await app_role.execute(RANKING, ranking, lot.id, manager.id)
            for row in rows:
                await app_role.execute(RANKED, uuid4(), ranking, *row)
            if move:
                await app_role.execute(MOVE, lot.id)

    async with refused("lot_stage_earned"):
        await drop(bids[0], again=False)
    async with refused("drop_out_followed"):
        await drop(bids[0], again=False, move=False)
    async with refused("lot_stage_earned"):
        await drop(bids[0])
    async with refused("ranking_whole"):
        await drop(bids[0], move=False)
    async with refused("frozen_figures_stand"):
        await drop(bids[0], (*frozen[:6], 39, 1, 69, 1))
    async with refused("lot_stage_earned"):
        await drop(bids[0], (bids[1], 2, *frozen[2:]))
    async with refused("lot_stage_earned"):
        await drop(bids[0], (bids[1], 1, True, *frozen[3:]))
    async with refused("dropped_out_of_ranking"):
        await drop(bids[2], frozen)
    moderator = lot.tender.moderator
    async with (
        refused("duty_needed"),
        acting(app_role, moderator.id, moderator.organisation),
    ):
        await app_role.execute(DROP, uuid4(), lot.id, bids[0], WHY, moderator.id)
    async with violates("drop_out_has_reason"), acting(app_role, manager.id, manager.organisation):
        await app_role.execute(DROP, uuid4(), lot.id, bids[0], "Gone.", manager.id)
    await drop(bids[0], frozen)
    async with acting(app_role, manager.id, manager.organisation), not_granted():
        await app_role.execute("UPDATE drop_out SET reason = reason")


async def test_what_is_left_of_relative_quality_adds_up(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await priced_lot(
        world,
        award_method={
            "name": "lowest_price_ratio",
            "tie_rule": "higher_quality",
            "quality": "relative_to_best",
        },
    )
    evaluator = lot.tender.price_evaluator
    bids = await _bids(superuser, lot)
    # the best has 42.75 of 60 and is taken as 60; 30 is taken as 30 x 60 / 42.75
    right = [
        (bids[0], 1, False, Decimal("4757.50"), 171, 4, 400, 11, 1060, 11),
        (bids[1], 2, False, 4325, 30, 1, 40, 1, 1560, 19),
    ]
    for total, accepted in (((1561, 19), False), ((1560, 19), True)):
        rows = [right[0], (*right[1][:8], *total)]

        async def attempt(rows: list[tuple[Any, ...]] = rows) -> None:
            async with acting(app_role, evaluator.id, evaluator.organisation):
                ranking = uuid4()
                await app_role.execute(RANKING, ranking, lot.id, evaluator.id)
                for row in rows:
                    await app_role.execute(RANKED, uuid4(), ranking, *row)
                await app_role.execute(MOVE, lot.id)

        if accepted:
            await attempt()
        else:
            async with refused("lot_stage_earned"):
                await attempt()


async def test_a_seed_is_committed_to_at_publication_once_and_read_by_nobody(
    world: World, app_role: Any
) -> None:
    lot = await ranked_lot(world)
    manager = lot.tender.manager
    async with (
        refused("draw_committed_at_publication"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(
            "INSERT INTO tender_draw (id, tender, commitment, kept) VALUES ($1, $2, $3, $4)",
            uuid4(),
            lot.tender.id,
            bytes(32),
            b"x",
        )
    async with acting(app_role, manager.id, manager.organisation), not_granted():
        await app_role.execute("SELECT kept FROM tender_draw")
    async with acting(app_role, manager.id, manager.organisation):
        assert await app_role.fetchval("SELECT draw_seed_due($1)", lot.id) is None


async def test_no_row_is_added_to_a_ranking_that_was_made(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    evaluator = lot.tender.price_evaluator
    bids = await _bids(superuser, lot)
    ranking = await superuser.fetchval("SELECT id FROM ranking")
    async with refused("ranked_at_once"), acting(app_role, evaluator.id, evaluator.organisation):
        row = (bids[2], 3, False, 3892, 12, 1, 40, 1, 52, 1)
        await app_role.execute(RANKED, uuid4(), ranking, *row)


async def test_no_tender_is_published_without_a_seed_committed_to(
    world: World, app_role: Any
) -> None:
    tender = await approved_tender(world)
    manager = tender.manager
    async with refused("draw_committed"), acting(app_role, manager.id, manager.organisation):
        await app_role.execute(
            "UPDATE tender SET stage = 'published', rule_set = 'pcr_2015',"
            " published_requirement = 1, version = version + 1 WHERE id = $1",
            tender.id,
        )
        for lot in await app_role.fetch("SELECT id FROM lot WHERE tender = $1", tender.id):
            for envelope in ("quality", "price"):
                await app_role.execute(
                    "INSERT INTO tender_key (id, lot, envelope, custodian, public_key,"
                    " wrapped_key, canary, canary_digest)"
                    " VALUES ($1, $2, $3, 'server', 'p', 'w', 'c', 'd')",
                    uuid4(),
                    lot["id"],
                    envelope,
                )


@pytest.mark.parametrize(
    ("name", "figures", "right", "wrong"),
    [
        # quality 171/4 and 30 of 60, prices 4757.50 and 4325
        ("lowest_price_ratio", {}, ((400, 11), (40, 1)), ((399, 11), (40, 1))),
        (
            "linear_between_bounds",
            {"floor": "4000", "ceiling": "6000"},
            ((497, 20), (67, 2)),
            ((496, 20), (67, 2)),
        ),
        ("one_sided_interpolation", {}, ((36, 1), (40, 1)), ((36, 1), (39, 1))),
        ("two_sided_interpolation", {}, ((0, 1), (40, 1)), ((1, 1), (40, 1))),
        ("deviation_from_mean", {}, ((380, 21), (460, 21)), ((379, 21), (460, 21))),
    ],
)
async def test_price_points_are_what_the_published_method_makes_of_the_prices(  # noqa: PLR0913, PLR0917  # the case
    world: World,
    app_role: Any,
    superuser: Any,
    name: str,
    figures: dict[str, str],
    right: tuple[tuple[int, int], ...],
    wrong: tuple[tuple[int, int], ...],
) -> None:
    method = {"name": name, "tie_rule": "higher_quality", "parameters": figures}
    lot = await priced_lot(world, award_method=method)
    bids = await _bids(superuser, lot)
    offered = (
        (bids[0], Decimal("4757.5"), Fraction(171, 4)),
        (bids[1], Decimal(4325), Fraction(30)),
    )

    async def attempt(points: tuple[tuple[int, int], ...]) -> None:
        evaluator = lot.tender.price_evaluator
        totals = [
            quality + Fraction(*earned)
            for (_, _, quality), earned in zip(offered, points, strict=True)
        ]
        async with acting(app_role, evaluator.id, evaluator.organisation):
            ranking = uuid4()
            await app_role.execute(
                RANKING.replace("lowest_price_ratio", name), ranking, lot.id, evaluator.id
            )
            for (bid, price, quality), earned, total in zip(offered, points, totals, strict=True):
                place = 1 + sum(other > total for other in totals)
                parts = (*quality.as_integer_ratio(), *earned, *total.as_integer_ratio())
                row = (bid, place, False, price, *parts)
                await app_role.execute(RANKED, uuid4(), ranking, *row)
            await app_role.execute(MOVE, lot.id)

    async with refused("lot_stage_earned"):
        await attempt(wrong)
    await attempt(right)


@pytest.mark.parametrize(
    "name",
    ["price_per_quality_point", "value_index", "monetised_quality", "coefficient_normalised_price"],
)
async def test_the_figure_of_an_index_is_what_the_published_method_makes_of_the_offers(
    world: World, app_role: Any, superuser: Any, name: str
) -> None:
    figures = {
        "monetised_quality": {"quality_value": "9000"},
        "coefficient_normalised_price": {"largest_coefficient": "0.3"},
    }
    method = {
        "name": name,
        "tie_rule": "higher_quality",
        "parameters": figures.get(name, {}),
    }
    lot = await priced_lot(world, award_method=method, prices=("110.00",), agreed=(BEST,))
    evaluator = lot.tender.price_evaluator
    (bid,) = await _bids(superuser, lot)
    price = Fraction("4757.5")
    figure = {
        "price_per_quality_point": price / 100,
        "value_index": 100 / price,
        "monetised_quality": price - 9000,
        "coefficient_normalised_price": price / (1 + Fraction(3, 7)),
    }[name]

    async def attempt(total: Fraction) -> None:
        async with acting(app_role, evaluator.id, evaluator.organisation):
            ranking = uuid4()
            await app_role.execute(
                RANKING.replace("lowest_price_ratio", name), ranking, lot.id, evaluator.id
            )
            parts = (60, 1, None, None, *total.as_integer_ratio())
            row = (bid, 1, False, Decimal("4757.5"), *parts)
            await app_role.execute(RANKED, uuid4(), ranking, *row)
            await app_role.execute(MOVE, lot.id)

    async with refused("lot_stage_earned"):
        await attempt(figure + Fraction(1, 10**30))
    await attempt(figure)
