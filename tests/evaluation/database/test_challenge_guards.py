"""Challenges and their hold, straight at the database as the app role."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.makers.bids import declare
from tests.makers.challenges import challenge, decide
from tests.makers.direct import acting, refused
from tests.makers.evaluation import EvaluatedLot, end_standstill, notified_lot
from tests.makers.tenders import market_time
from tests.makers.world import Person, World

CHALLENGE = (
    "INSERT INTO lot_challenge (id, lot, challenger, grounds, reference, received_at, recorded_by)"
    " VALUES ($1, $2, $3, 'Its reasons are about another bid than ours.', $4, $5, $6)"
)
END = (
    "INSERT INTO challenge_end (id, challenge, outcome, reason, ended_by)"
    " VALUES ($1, $2, $3, 'It was looked at with every reason on record.', $4)"
)


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def _challenge(superuser: Any, lot: EvaluatedLot) -> UUID:
    found: UUID = await superuser.fetchval("SELECT id FROM lot_challenge WHERE lot = $1", lot.id)
    return found


async def test_while_challenged_there_is_no_contract_and_nobody_drops_out(
    world: World, app_role: Any
) -> None:
    lot = await notified_lot(world)
    assert (await challenge(lot)).status_code == 201
    await end_standstill(lot)
    manager = lot.tender.contract_manager
    async with refused("no_contract_while_challenged"), _as(app_role, manager):
        await app_role.execute(
            "INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends)"
            " SELECT $1, $2, latest_award($2), 'A', $3, '2030-07-01', '2031-07-01'",
            uuid4(),
            lot.id,
            manager.id,
        )
    async with refused("lot_on_hold"), _as(app_role, lot.tender.manager):
        await app_role.execute(
            "INSERT INTO drop_out (id, lot, bid, reason, recorded_by)"
            " SELECT $1, $2, bid, 'It withdrew by its letter of today.', $3"
            " FROM award WHERE lot = $2",
            uuid4(),
            lot.id,
            lot.tender.manager.id,
        )


async def test_a_bidder_challenges_in_its_own_name_and_once_at_a_time(
    world: World, app_role: Any
) -> None:
    lot = await notified_lot(world)
    own, other = lot.suppliers[1], lot.suppliers[2]

    async def insert(
        person: Person, challenger: UUID | None, reference: str | None = None, at: Any = None
    ) -> None:
        async with _as(app_role, person):
            await app_role.execute(CHALLENGE, uuid4(), lot.id, challenger, reference, at, person.id)

    async with refused("acts_in_own_name"):
        await insert(own, other.organisation)
    async with refused("bid_manager_needed"):
        await insert(lot.tender.author, lot.tender.author.organisation)
    now = await market_time(world)
    manager = lot.tender.manager
    async with refused("duty_needed"):
        await insert(own, own.organisation, "HT-1", now)
    async with refused("challenge_of_bidder"):
        await insert(manager, manager.organisation, "HT-1", now)
    for at in (now - timedelta(days=400), now + timedelta(days=1), None):
        async with refused("challenge_received_since_notices"):
            await insert(manager, own.organisation, "HT-1", at)
    await insert(own, own.organisation)
    async with refused("challenge_open_once"):
        await insert(own, own.organisation)


async def test_a_challenge_is_ended_once_by_those_who_may_and_what_it_orders_is_done(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    asked = await _challenge(superuser, lot)
    guardian = lot.tender.guardian
    await declare(guardian, lot.tender)

    async def end(person: Person, outcome: str) -> None:
        async with _as(app_role, person):
            await app_role.execute(END, uuid4(), asked, outcome, person.id)

    async with refused("duty_needed"):
        await end(lot.tender.approvers[0], "rejected")
    async with refused("acts_in_own_name"):
        await end(lot.suppliers[2], "withdrawn")
    async with refused("challenge_followed"):
        await end(guardian, "upheld_abandon")
    assert (await decide(lot)).status_code == 201
    async with refused("challenge_open"):
        await end(guardian, "rejected")
    again = lot.suppliers[1]
    async with refused("challenge_decided_once"), _as(app_role, again):
        await app_role.execute(CHALLENGE, uuid4(), lot.id, again.organisation, None, None, again.id)
