"""Opening prices and answering a recommendation take a fresh sign-in."""

from typing import Any
from uuid import uuid4

import pytest

from tests.makers.direct import acting, refused
from tests.makers.evaluation import approve, locked_lot, recommended_lot
from tests.makers.sign_in import let_sessions_age, problem
from tests.makers.world import World


async def test_prices_are_opened_only_by_who_has_just_signed_in(
    world: World, superuser: Any
) -> None:
    lot = await locked_lot(world)
    evaluator = lot.tender.price_evaluator
    version = (await lot.evaluation(evaluator))["version"]
    await let_sessions_age(superuser, evaluator.id)
    answer = await evaluator.post(f"{lot.path}/evaluation/price-opening", version=version)
    problem(answer, 403, "fresh-sign-in-needed")
    opened = "SELECT count(*) FROM opened_envelope WHERE kind = 'price'"
    assert await superuser.fetchval(opened) == 0


@pytest.mark.parametrize("outcome", ["approved", "returned"])
async def test_an_award_is_approved_or_returned_only_by_who_has_just_signed_in(
    world: World, superuser: Any, outcome: str
) -> None:
    lot = await recommended_lot(world)
    approver = lot.tender.approvers[0]
    await let_sessions_age(superuser, approver.id)
    problem(await approve(lot, approver, outcome), 403, "fresh-sign-in-needed")
    assert await superuser.fetchval("SELECT count(*) FROM approval") == 0


async def test_a_repeated_approval_gets_its_answer_however_old_the_sign_in_is(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    approver = lot.tender.approvers[0]
    key = {"Idempotency-Key": str(uuid4())}
    first = await approve(lot, approver, headers=key)
    assert first.status_code == 201, first.text
    await let_sessions_age(superuser, approver.id)
    again = await approve(lot, approver, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())


async def test_the_database_takes_no_approval_from_an_old_sign_in(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    approver = lot.tender.approvers[0]
    recommendation = await superuser.fetchval("SELECT id FROM recommendation")
    await let_sessions_age(superuser, approver.id)
    old = await superuser.fetchval("SELECT id FROM session WHERE person = $1", approver.id)
    for connection in (app_role, superuser):
        for session in (old, uuid4()):
            async with (
                refused("fresh_sign_in"),
                acting(connection, approver.id, approver.organisation, session),
            ):
                await connection.execute(
                    "INSERT INTO approval (id, recommendation, approver, outcome, reason)"
                    " VALUES ($1, $2, $3, 'approved', 'It is right.')",
                    uuid4(),
                    recommendation,
                    approver.id,
                )
