"""An act belongs to whose duty it is, now: through HTTP, and straight at the database."""

from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.clock import registrar
from tests.makers.direct import acting, refused
from tests.makers.direct_bids import BID_VERSION, as_person
from tests.makers.tenders import PublishedTender, assign, drafted_tender
from tests.makers.world import Person, World

DUTY = (
    "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
    " VALUES ($1, $2, $3, $4, $5, $3)"
)
ABANDON = (
    "UPDATE tender SET stage = 'abandoned', abandoned_because = 'x', version = version + 1"
    " WHERE id = $1"
)


async def _leaves(superuser: Any, person: Person, by: Person | None = None) -> None:
    async with acting(superuser, (by or person).id, person.organisation):
        await superuser.execute(
            "UPDATE membership SET ended_at = now() WHERE person = $1 AND ended_at IS NULL",
            person.id,
        )


async def test_an_opener_who_has_left_neither_sees_names_nor_opens(
    world: World, tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    leaver = tender.openers[0]
    await declare(leaver, tender)
    await _leaves(superuser, leaver)
    assert (await leaver.get(f"{tender.path}/bidders")).status_code == 403
    assert (await confirm(leaver, tender)).status_code == 403
    async with refused("duty_needed"), as_person(app_role, leaver):
        await app_role.execute(
            "INSERT INTO opening_confirmation (id, tender, person) VALUES ($1, $2, $3)",
            uuid4(),
            tender.id,
            leaver.id,
        )


async def test_a_confirmation_of_somebody_who_left_does_not_count(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    first, second = tender.openers[:2]
    await declare(first, tender)
    assert (await confirm(first, tender)).status_code == 201
    await _leaves(superuser, first)
    await declare(second, tender)
    answer = await confirm(second, tender)
    assert not (answer.status_code == 201 and answer.json()["opened"]), answer.text
    assert await superuser.fetchval("SELECT stage FROM tender") == "published"


async def test_a_manager_with_an_interest_changes_nothing_once_the_bids_are_open(
    world: World, tender: PublishedTender, app_role: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers[:2]:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    manager = tender.manager
    duties = (await manager.get(f"{tender.path}/duties")).json()
    evaluator = next(
        duty
        for duty in (duties["items"] if isinstance(duties, dict) else duties)
        if duty["duty"] == "quality_evaluator"
    )
    version = (await manager.get(tender.path)).json()["version"]

    async def attempts() -> set[str]:
        another = await world.person("Nell Newcomer", manager.organisation, Role.COMMISSIONER)
        answers = [
            await manager.delete(f"{tender.path}/duties/{evaluator['id']}"),
            await assign(manager, tender.id, another, "contract_manager"),
            await manager.post(
                f"{tender.path}/abandonment", {"reason": "No need."}, version=version
            ),
        ]
        assert {answer.status_code for answer in answers} <= {403, 409}, answers
        return {answer.json()["type"] for answer in answers}

    assert await attempts() == {"/problems/declaration-missing"}
    for statement in (
        ABANDON,
        "UPDATE duty SET released_at = now() WHERE tender = $1 AND duty = 'quality_evaluator'",
    ):
        async with refused("declaration_missing"), as_person(app_role, manager):
            await app_role.execute(statement, tender.id)
    await declare(manager, tender, interest="financial", details="Shares.")
    assert await attempts() == {"/problems/conflict-of-interest"}


async def test_whoever_opened_joins_no_panel_while_scores_are_given(
    world: World, tender: PublishedTender
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers[:2]:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    await declare(tender.manager, tender)
    answer = await assign(tender.manager, tender.id, tender.openers[0], "quality_evaluator")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/duty-comes-too-late")


async def test_a_bid_manager_who_was_removed_bids_no_more(
    world: World, tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    """Removed after the door let the request in: the database looks again, under a lock."""
    (supplier,) = await some_suppliers(world, 1)
    bid = (await submit(supplier, tender, 1))["bid"]
    await _leaves(superuser, supplier, by=await registrar(world))  # its last administrator
    async with refused("bid_manager_needed"), as_person(app_role, supplier):
        await app_role.execute(BID_VERSION, uuid4(), bid, 2, "withdrawn", supplier.id, None, None)


@pytest.mark.parametrize(
    ("statement", "promise"),
    [
        (
            ABANDON,
            "duty_needed",
        ),
        ("UPDATE tender SET deadline = NULL, version = version + 1 WHERE id = $1", "duty_needed"),
        (
            "UPDATE tender SET stage = 'in_review', version = version + 1 WHERE id = $1",
            "duty_needed",
        ),
        ("UPDATE duty SET released_at = now() WHERE tender = $1", "duty_needed"),
    ],
)
async def test_a_stranger_does_nothing_to_a_tender(
    world: World, app_role: Any, statement: str, promise: str
) -> None:
    tender = await drafted_tender(world)
    stranger = await world.person("Sam Stranger", tender.manager.organisation, Role.COMMISSIONER)
    async with refused(promise), as_person(app_role, stranger):
        await app_role.execute(statement, tender.id)


async def test_nobody_gives_themselves_a_duty_or_writes_without_one(
    world: World, app_role: Any
) -> None:
    tender = await drafted_tender(world)
    stranger = await world.person("Sam Stranger", tender.manager.organisation, Role.COMMISSIONER)
    for duty in ("opener", "author", "tender_manager", "guardian"):
        async with refused("duty_needed"), as_person(app_role, stranger):
            await app_role.execute(
                DUTY, uuid4(), tender.id, stranger.id, stranger.organisation, duty
            )
    async with refused("duty_needed"), as_person(app_role, stranger):
        await app_role.execute(
            "INSERT INTO requirement_version (id, tender, content, digest, edited_by, organisation)"
            " VALUES ($1, $2, '{}', '', $3, $4)",
            uuid4(),
            tender.id,
            stranger.id,
            stranger.organisation,
        )
    async with refused("lead_needed"), as_person(app_role, stranger):
        await app_role.execute(
            "INSERT INTO tender (id, reference, buyer, title, stage, version, demonstration)"
            " VALUES ($1, 'CSM-2026-STRANG', $2, 'Mine', 'draft', 1, false)",
            uuid4(),
            stranger.organisation,
        )
