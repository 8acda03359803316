"""The door's limits: by person, credential, address and tender, each saying when to come back."""

from typing import Any
from uuid import uuid4

import pytest

from market.settings import Settings
from tests.makers.bids import give_bid
from tests.makers.suppliers import admitted_supplier
from tests.makers.systems import answerable, by_credential, from_address, keyed
from tests.makers.tenders import published_tender
from tests.makers.world import World

PEOPLE, SYSTEMS, TENDER = 200, 4, 60


@pytest.fixture
def settings() -> Settings:
    """Settings whose limits a test can reach."""
    return Settings(
        pool_minimum=1,
        pool_maximum=8,
        requests_per_minute=PEOPLE,
        credential_requests_per_minute=SYSTEMS,
        tender_requests_per_minute=TENDER,
        sign_ins_per_minute=1000,
    )


def _is_told_when_to_come_back(answer: Any) -> None:
    assert answer.status_code == 429, answer.text
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def test_each_credential_has_a_limit_of_its_own(world: World) -> None:
    person = await answerable(world)
    one, two = await keyed(person), await keyed(person, name="Two")
    for _ in range(SYSTEMS):
        assert (await one.get("/tenders/mine")).status_code == 200
    _is_told_when_to_come_back(await one.get("/tenders/mine"))
    assert (await two.get("/tenders/mine")).status_code == 200
    assert (await person.get("/tenders/mine")).status_code == 200


async def test_each_person_has_one_and_so_has_each_address_of_those_unknown(world: World) -> None:
    person, other = await answerable(world), await answerable(world, "Other")
    for _ in range(PEOPLE):
        assert (await person.get("/sessions")).status_code == 200
    _is_told_when_to_come_back(await person.get("/sessions"))
    assert (await other.get("/sessions")).status_code == 200
    async with from_address(world, other, "192.0.2.1") as there:
        for _ in range(PEOPLE):
            answer = await there.client.get("/api/v1/service-lines")
            assert answer.status_code == 200
        _is_told_when_to_come_back(await there.client.get("/api/v1/service-lines"))
        # somebody known asks on from the same address
        assert (await there.get("/sessions")).status_code == 200
    assert (await world.public("/service-lines")).status_code == 200


async def test_where_many_tokens_are_wrong_no_more_are_tried(world: World) -> None:
    person = await answerable(world)
    async with from_address(world, person, "192.0.2.2") as there:
        wrong = by_credential(there, "mks_" + "x" * 43)
        for _ in range(PEOPLE):
            assert (await wrong.get("/sessions")).status_code == 401
        _is_told_when_to_come_back(await wrong.get("/sessions"))
        _is_told_when_to_come_back(await there.get("/sessions"))
    assert (await person.get("/sessions")).status_code == 200


async def test_one_tender_that_everybody_reads_has_a_limit_that_bids_do_not_share(
    world: World,
) -> None:
    tender = await published_tender(world)
    suppliers = [await admitted_supplier(world, f"Supplier {number}") for number in range(2)]
    answers = [await world.public(tender.path) for _ in range(TENDER + 1)]
    _is_told_when_to_come_back(answers[-1])
    _is_told_when_to_come_back(await suppliers[0].get(tender.path))
    assert (await world.public(f"/tenders/{uuid4()}")).status_code == 404
    assert (await world.public("/tenders")).status_code == 200
    for supplier in suppliers:
        assert (await give_bid(supplier, tender, 1)).status_code == 201
