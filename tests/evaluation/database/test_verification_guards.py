"""The winner's verification, straight at the database as the app role."""

from typing import Any
from uuid import UUID, uuid4

from tests.makers.clock import advance_to
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import EvaluatedLot, approve, notified_lot, recommend, verify_winner
from tests.makers.world import Person, World

CHECK = (
    "INSERT INTO award_check (id, lot, award, subject, participant, outcome, reason, evidence,"
    " recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
CONTRACT = (
    "INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends)"
    " VALUES ($1, $2, $3, 'C-1', $4, '2030-07-01', '2033-06-30')"
)
WHY = "The documents that the supplier sent show it."


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def _award(superuser: Any, lot: EvaluatedLot) -> UUID:
    found: UUID = await superuser.fetchval("SELECT latest_award($1)", lot.id)
    return found


async def _check(
    role: Any, lot: EvaluatedLot, award: UUID, *, by: Person | None = None, **given: Any
) -> None:
    person = by or lot.tender.manager
    row = {
        "subject": "insurance",
        "participant": None,
        "outcome": "verified",
        "reason": WHY,
        "evidence": "File P-12",
        **given,
    }
    async with _as(role, person):
        await role.execute(CHECK, uuid4(), lot.id, award, *row.values(), person.id)


async def _contract(role: Any, lot: EvaluatedLot, award: UUID) -> None:
    person = lot.tender.contract_manager
    async with _as(role, person):
        await role.execute(CONTRACT, uuid4(), lot.id, award, person.id)


async def test_no_contract_with_an_unverified_winner(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    award = await _award(superuser, lot)
    async with refused("no_contract_in_standstill"):
        await _contract(app_role, lot, award)
    assert lot.standstill_ends_at is not None
    await advance_to(world, lot.standstill_ends_at)
    async with refused("contract_after_verification"):
        await _contract(app_role, lot, award)
    await verify_winner(lot)
    await _check(app_role, lot, award, outcome="not_met")
    async with refused("contract_after_verification"):
        await _contract(app_role, lot, award)
    assert not await superuser.fetchval("SELECT award_verified($1)", award)


async def test_checks_are_the_manager_s_of_what_was_declared_and_say_why(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    award = await _award(superuser, lot)
    async with refused("duty_needed"):
        await _check(app_role, lot, award, by=lot.tender.contract_manager)
    async with refused("checked_as_declared"):
        await _check(app_role, lot, award, subject="turnover")
    async with refused("checked_as_declared"):
        await _check(app_role, lot, award, participant=uuid4())
    async with violates("award_check_has_reason"):
        await _check(app_role, lot, award, reason=" " * 30)
    async with violates("award_check_has_evidence"):
        await _check(app_role, lot, award, evidence=" ")
    async with violates("award_check_outcome_known"):
        await _check(app_role, lot, award, outcome="fine")
    await _check(app_role, lot, award)
    async with not_granted(), _as(app_role, lot.tender.manager):
        await app_role.execute("UPDATE award_check SET outcome = 'verified'")
    for person, shown in ((lot.tender.approvers[0], 3), (lot.tender.moderator, 0)):
        async with _as(app_role, person):
            rows = await app_role.fetch("SELECT * FROM award_checks_shown($1)", lot.id)
        assert len(rows) == shown, person.name


async def test_only_the_award_that_stands_is_checked(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    fallen = await _award(superuser, lot)
    out = {"pseudonym": lot.pseudonyms[0], "reason": "The supplier withdrew by its letter."}
    await lot.done(lot.tender.manager, "/drop-outs", out)
    async with refused("lot_stage"):
        await _check(app_role, lot, fallen)
    await recommend(lot, 1)
    for approver in lot.tender.approvers:
        await approve(lot, approver)
    async with refused("check_of_standing_award"):
        await _check(app_role, lot, fallen)
    await _check(app_role, lot, await _award(superuser, lot))
