"""The promises about participants straight at the database, as the app role."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import some_suppliers
from tests.makers.direct import not_granted, refused
from tests.makers.direct_bids import as_person, violates
from tests.makers.direct_bids import give as give_by_hand
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

PARTICIPANT = (
    "INSERT INTO bid_participant (id, bid_version, role, organisation, name, scheme, identifier,"
    " share, exclusion_grounds, details, consents) VALUES ($1, $2, $3, $4, $5, $6, $7,"
    " CASE $3::varchar WHEN 'subcontractor' THEN 10 END, 'no_grounds', '', true)"
)
DECLARED = (
    "INSERT INTO bid_participant (id, bid_version, role, name, share, exclusion_grounds, details,"
    " consents) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7)"
)


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


@pytest.fixture
async def suppliers(world: World) -> tuple[Person, ...]:
    return await some_suppliers(world, 2)


async def test_the_database_takes_participants_with_their_version_alone_and_no_helper(
    world: World,
    tender: PublishedTender,
    suppliers: tuple[Person, ...],
    app_role: Any,
    superuser: Any,
) -> None:
    lead, other = suppliers
    luton = await world.organisation("06P")
    rows: dict[str, tuple[Any, ...]] = {
        "participant_is_another": ("consortium_member", lead.organisation, "Us", None, None),
        "helper_does_not_bid": ("consortium_member", luton, "Luton", None, None),
        "bid_participant_role_known": ("friend", other.organisation, "A", None, None),
        "bid_participant_identified_whole": ("subcontractor", None, "A", "GB-COH", None),
    }

    async def give_with(*row: Any) -> UUID:
        async with as_person(app_role, lead):
            version = await give_by_hand(app_role, tender, lead)
            await app_role.execute(PARTICIPANT, uuid4(), version, *row)
        return version

    own = await superuser.fetchrow(
        "SELECT scheme, identifier FROM organisation_identifier WHERE organisation = $1",
        lead.organisation,
    )
    async with refused("participant_is_another"):
        await give_with("subcontractor", None, "Us by another name", *own)
    for promise, row in rows.items():
        with pytest.raises(asyncpg.PostgresError) as caught:
            await give_with(*row)
        assert getattr(caught.value, "constraint_name", None) == promise
    for sign in ((luton, None, None), (None, "GB-NHS", "06F"), (None, "GB-NHS", "06P")):
        async with refused("helper_does_not_bid"):
            await give_with("subcontractor", sign[0], "A", *sign[1:])
    lawful = ("subcontractor", other.organisation, "Supplier 2", None, None)
    version = await give_with(*lawful)
    async with refused("bid_arrives_whole"), as_person(app_role, lead):
        await app_role.execute(PARTICIPANT, uuid4(), version, *lawful)
    for statement in (
        "UPDATE bid_participant SET id = id",
        "DELETE FROM bid_participant",
        "TRUNCATE bid_participant",
    ):
        async with not_granted(), as_person(app_role, lead):
            await app_role.execute(statement)
    # nobody but the lead sees the row
    for person, count in ((lead, 1), (other, 0), (tender.manager, 0), (tender.guardian, 0)):
        async with as_person(app_role, person):
            assert await app_role.fetchval("SELECT count(*) FROM bid_participant") == count
    assert await superuser.fetchval("SELECT count(*) FROM bid_participant") == 1


@pytest.mark.parametrize(
    ("promise", "row"),
    [
        ("bid_participant_share", ("subcontractor", None, "no_grounds", "", True)),
        ("bid_participant_share", ("subcontractor", "0", "no_grounds", "", True)),
        ("bid_participant_share", ("subcontractor", "100.01", "no_grounds", "", True)),
        ("bid_participant_share", ("consortium_member", "10", "no_grounds", "", True)),
        ("bid_participant_declared", ("subcontractor", "10", "unknown", "", True)),
        ("bid_participant_declared", ("subcontractor", "10", "no_grounds", "A fine.", True)),
        ("bid_participant_declared", ("subcontractor", "10", "grounds_disclosed", " ", True)),
        ("bid_participant_declared", ("subcontractor", "10", "no_grounds", "", False)),
    ],
)
async def test_the_database_takes_no_participant_whose_declaration_does_not_hold_together(
    tender: PublishedTender,
    suppliers: tuple[Person, ...],
    app_role: Any,
    promise: str,
    row: tuple[str, str | None, str, str, bool],
) -> None:
    role, share, grounds, details, consents = row
    part = None if share is None else Decimal(share)
    async with violates(promise), as_person(app_role, suppliers[0]):
        version = await give_by_hand(app_role, tender, suppliers[0])
        await app_role.execute(DECLARED, version, role, "A", part, grounds, details, consents)


async def test_the_database_takes_no_shares_of_more_than_the_whole(
    tender: PublishedTender, suppliers: tuple[Person, ...], app_role: Any
) -> None:
    async def give_with(lead: Person, *shares: str) -> None:
        async with as_person(app_role, lead):
            version = await give_by_hand(app_role, tender, lead)
            for share in shares:
                row = ("subcontractor", "A", Decimal(share), "no_grounds", "", True)
                await app_role.execute(DECLARED, version, *row)

    async with refused("participant_shares"):
        await give_with(suppliers[0], "60.5", "39.51")
    await give_with(suppliers[1], "60.5", "39.5")
