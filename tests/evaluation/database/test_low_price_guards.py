"""Prices that appear abnormally low, straight at the database as the app role."""

from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

from evaluation.rules.low_prices import low_prices
from tenders.rules.low_prices import AbnormallyLow
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import EvaluatedLot, ranked_lot
from tests.makers.low_prices import QUESTION, WHY, ask, decide, explain, low_priced_lot
from tests.makers.tenders import market_time
from tests.makers.world import Person, World

DECIDE = (
    "INSERT INTO low_price_decision (id, lot, bid, outcome, reason, decided_by)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
ASK = (
    "INSERT INTO bid_question (id, lot, bid, about, question, asked_by, answer_by)"
    " VALUES ($1, $2, $3, 'low_price', $4, $5, $6)"
)
RECOMMEND = (
    "INSERT INTO recommendation (id, lot, bid, reason, recommended_by) VALUES ($1, $2, $3, $4, $5)"
)


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


def _bid(lot: EvaluatedLot, place: int = 0) -> UUID:
    return UUID(lot.opened.bids[lot.suppliers[place], 1]["bid"])


async def _decide(
    role: Any, lot: EvaluatedLot, outcome: str, *, by: Person | None = None, why: str = WHY
) -> None:
    person = by or lot.tender.manager
    async with _as(role, person):
        await role.execute(DECIDE, uuid4(), lot.id, _bid(lot), outcome, why, person.id)


async def _ask(role: Any, lot: EvaluatedLot, place: int = 0) -> None:
    person = lot.tender.price_evaluator
    until = await market_time(lot.world) + timedelta(days=5)
    async with _as(role, person):
        await role.execute(ASK, uuid4(), lot.id, _bid(lot, place), QUESTION, person.id, until)


async def _recommend(role: Any, lot: EvaluatedLot) -> None:
    person = lot.tender.moderator
    async with _as(role, person):
        await role.execute(RECOMMEND, uuid4(), lot.id, _bid(lot), WHY, person.id)


async def test_a_flagged_bid_is_not_recommended_before_the_decision(
    world: World, app_role: Any
) -> None:
    lot = await low_priced_lot(world)
    async with refused("low_price_decided"):
        await _recommend(app_role, lot)
    async with refused("low_price_explained"):
        await _decide(app_role, lot, "accepted")
    await ask(lot)
    async with refused("low_price_explained"):
        await _decide(app_role, lot, "accepted")
    await explain(lot)
    async with refused("duty_needed"):
        await _decide(app_role, lot, "accepted", by=lot.tender.price_evaluator)
    async with violates("low_price_has_reason"):
        await _decide(app_role, lot, "accepted", why=" " * 30)
    async with violates("low_price_outcome_known"):
        await _decide(app_role, lot, "undecided")
    async with refused("low_price_rejected_is_out"):
        await _decide(app_role, lot, "rejected")
    await _decide(app_role, lot, "accepted")
    async with violates("low_price_decision_bid_key"):
        await _decide(app_role, lot, "accepted")
    async with refused("low_price_asked_before_decision"):
        await _ask(app_role, lot)
    async with not_granted(), _as(app_role, lot.tender.manager):
        await app_role.execute("UPDATE low_price_decision SET outcome = 'rejected'")
    assert (await lot.evaluation())["stage"] == "ranked"


async def test_only_ranked_prices_are_explained(world: World, app_role: Any) -> None:
    lot = await low_priced_lot(world)
    await ask(lot)
    await explain(lot)
    await decide(lot, "rejected")
    async with refused("low_price_ranked"):
        await _ask(app_role, lot)
    async with refused("low_price_ranked"):
        await _decide(app_role, lot, "accepted")


async def test_explanations_and_decisions_are_not_for_everybody(
    world: World, app_role: Any
) -> None:
    lot = await low_priced_lot(world)
    await ask(lot)
    await explain(lot)
    await decide(lot, "accepted")
    for person, answers, decisions in (
        (lot.tender.moderator, 1, 1),
        (lot.tender.quality_evaluators[0], 0, 1),
        (lot.suppliers[0], 0, 0),
        (lot.suppliers[1], 0, 0),
    ):
        async with _as(app_role, person):
            shown = await app_role.fetch("SELECT * FROM price_explanations($1)", lot.id)
            decided = await app_role.fetch("SELECT * FROM low_price_decision")
        assert (len(shown), len(decided)) == (answers, decisions), person.name


@pytest.mark.parametrize(
    ("prices", "published"),
    [
        (("0.80", "0.90", "1.10"), {"below_mean": "20", "below_next": "11.2"}),
        (("0.10", "0.10", "1.00"), {"below_mean": "81.818181", "below_next": "90"}),
        (("1.00", "1.00", "1.00"), {"below_mean": "0.000001", "below_next": "0.000001"}),
        (("0.70", "1.00"), {"below_next": "30"}),
        (("1.00",), {"below_mean": "1", "below_next": "1"}),
    ],
)
async def test_the_database_flags_what_the_rule_flags(
    world: World, superuser: Any, prices: tuple[str, ...], published: dict[str, str]
) -> None:
    agreed = [{"Q1.1": "10", "Q1.2": "10", "Q2": "10"}] * len(prices)
    lot = await ranked_lot(world, agreed=agreed, prices=prices, abnormally_low=published)
    rows = await superuser.fetch(
        "SELECT bid, price FROM ranked_bid WHERE ranking = latest_ranking($1)", lot.id
    )
    found = low_prices(
        {str(r["bid"]): Fraction(r["price"]) for r in rows}, AbnormallyLow(**published)
    )
    expected = {(key, one.indicator.value) for key, flags in found.items() for one in flags}
    flagged = await superuser.fetch("SELECT * FROM low_price_flags($1)", lot.id)
    assert {(str(row["bid"]), row["indicator"]) for row in flagged} == expected
