"""Bids that arrive at the same moment: one each, none late, none lost."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.bench.copies import copied_suppliers
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    some_suppliers,
    submit,
)
from tests.makers.clock import advance_to, registrar
from tests.makers.tenders import PublishedTender, market_time, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def events(superuser: Any, action: str) -> int:
    count: int = await superuser.fetchval("SELECT count(*) FROM event WHERE action = $1", action)
    return count


async def test_of_many_simultaneous_first_bids_one_is_taken(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    answers = await asyncio.gather(*[give_bid(bidder, tender, 1) for _ in range(8)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    refused = [answer.json()["type"] for answer in answers if answer.status_code == 409]
    assert set(refused) == {"/problems/already-bid"}
    assert await superuser.fetchval("SELECT count(*) FROM bid") == 1
    assert await superuser.fetchval("SELECT count(*) FROM bid_version") == 1
    assert await superuser.fetchval("SELECT count(*) FROM envelope") == 2
    assert await events(superuser, "bid.submitted") == 1


async def test_bids_of_different_suppliers_do_not_hinder_each_other(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    suppliers = await some_suppliers(world, 6)
    answers = await asyncio.gather(
        *[give_bid(person, tender, lot) for person in suppliers for lot in (1, 2)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await superuser.fetchval("SELECT count(*) FROM bid") == 12
    assert await events(superuser, "bid.submitted") == 12


async def test_of_two_replacements_of_the_same_version_one_wins(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    given = await submit(bidder, tender, 1)
    path, lot = f"/bids/{given['bid']}", asked(tender, 1)
    for version in range(1, 6):
        answers = await asyncio.gather(
            *[
                bidder.put(
                    path,
                    bid_body(lot, unit_prices=f"{n}.00"),
                    version=version,
                    headers=keyed(),
                )
                for n in range(1, 5)
            ]
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 3}
    assert await superuser.fetchval("SELECT max(number) FROM bid_version") == 6
    assert await events(superuser, "bid.replaced") == 5


async def test_a_replacement_and_a_withdrawal_of_the_same_version_do_not_both_succeed(
    tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    path, body = f"/bids/{given['bid']}", bid_body(asked(tender, 1))
    answers = await asyncio.gather(
        bidder.put(path, body, version=1, headers=keyed()),
        bidder.delete(path, version=1, headers=keyed()),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_one_key_sent_many_times_at_once_is_one_bid(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    headers = keyed()
    answers = await asyncio.gather(
        *[give_bid(bidder, tender, 1, headers=headers) for _ in range(6)]
    )
    taken = [answer for answer in answers if answer.status_code == 201]
    assert taken
    assert len({answer.content for answer in taken}) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/key-in-progress"
            assert answer.headers["Retry-After"]
    assert await superuser.fetchval("SELECT count(*) FROM bid_version") == 1


async def test_no_bid_straddles_a_deadline_that_the_clock_jumps_over(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    suppliers = await some_suppliers(world, 4)
    given = [await submit(person, tender, 1) for person in suppliers]
    lot = asked(tender, 1)
    taken: dict[str, int] = {answer["bid"]: 1 for answer in given}
    late = 0

    async def keep_replacing(person: Person, bid: str) -> None:
        nonlocal late
        while True:
            answer = await person.put(
                f"/bids/{bid}", bid_body(lot), version=taken[bid], headers=keyed()
            )
            if answer.status_code != 200:
                assert answer.json()["type"] == "/problems/bidding-closed", answer.text
                late += 1
                return
            assert datetime.fromisoformat(answer.json()["received_at"]) < tender.deadline
            taken[bid] = answer.json()["version"]

    async def pass_the_deadline() -> None:
        await asyncio.sleep(0.15)
        await close_bidding(world, tender)

    await registrar(world)
    await asyncio.gather(
        pass_the_deadline(),
        *[
            keep_replacing(person, answer["bid"])
            for person, answer in zip(suppliers, given, strict=True)
        ],
    )
    assert late == len(suppliers)
    await _nothing_is_late_or_lost(superuser, tender, taken)
    assert max(taken.values()) > 1


async def test_no_bid_is_taken_once_the_deadline_has_come_by_itself(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    suppliers = await some_suppliers(world, 3)
    given = [await submit(person, tender, 1) for person in suppliers]
    lot = asked(tender, 1)
    taken: dict[str, int] = {answer["bid"]: 1 for answer in given}
    await advance_to(world, tender.deadline - timedelta(milliseconds=400))

    async def keep_replacing(person: Person, bid: str) -> None:
        while True:
            answer = await person.put(
                f"/bids/{bid}", bid_body(lot), version=taken[bid], headers=keyed()
            )
            if answer.status_code != 200:
                assert answer.json()["type"] == "/problems/bidding-closed", answer.text
                return
            taken[bid] = answer.json()["version"]

    await asyncio.gather(
        *[
            keep_replacing(person, answer["bid"])
            for person, answer in zip(suppliers, given, strict=True)
        ]
    )
    assert await market_time(world) >= tender.deadline
    await _nothing_is_late_or_lost(superuser, tender, taken)


async def _nothing_is_late_or_lost(
    superuser: Any, tender: PublishedTender, taken: dict[str, int]
) -> None:
    stored = await superuser.fetch(
        "SELECT bid, max(number) AS number, max(received_at) AS last FROM bid_version GROUP BY bid"
    )
    assert {str(row["bid"]): row["number"] for row in stored} == taken
    assert all(row["last"] < tender.deadline for row in stored)


async def test_a_bid_in_flight_is_in_the_manifest_or_refused(world: World, superuser: Any) -> None:
    """The bid's transaction is held open over the deadline; the opening waits for it."""
    tender = await published_tender(world)
    suppliers = await some_suppliers(world, 2)
    first = await submit(suppliers[0], tender, 1)
    # somebody else's bid holds its share of the tender's row, as bids in flight do
    await superuser.execute("BEGIN")
    await superuser.execute("SELECT 1 FROM tender WHERE id = $1 FOR SHARE", tender.id)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    confirming = asyncio.create_task(confirm(tender.openers[0], tender))
    await asyncio.sleep(0.2)
    assert not confirming.done()
    await superuser.execute("COMMIT")
    assert (await confirming).status_code == 201
    assert (await give_bid(suppliers[1], tender, 1)).status_code == 409
    assert (await confirm(tender.openers[1], tender)).json() == {"confirmed_by": 2, "opened": True}
    manifest = await superuser.fetch("SELECT bid FROM manifest_entry")
    assert [row["bid"] for row in manifest] == [UUID(first["bid"])]


async def test_of_two_simultaneous_second_confirmations_one_opens(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    for person in await some_suppliers(world, 2):
        await submit(person, tender, 1)
        await submit(person, tender, 2)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    answers = await asyncio.gather(*[confirm(opener, tender) for opener in tender.openers])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(answer.json()["opened"] for answer in answers) == [False, True]
    assert await events(superuser, "tender.opened") == 1
    assert await events(superuser, "envelope.opened") == 4
    assert await superuser.fetchval("SELECT count(*) FROM manifest_entry") == 4


async def test_two_who_resume_at_once_open_each_envelope_once(world: World, superuser: Any) -> None:
    tender = await published_tender(world)
    for person in await some_suppliers(world, 3):
        await submit(person, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    first = await confirm(tender.openers[0], tender)
    assert first.status_code == 201
    headers = keyed()
    answers = await asyncio.gather(
        confirm(tender.openers[1], tender, headers=headers),
        *[opener.post(f"{tender.path}/opening") for opener in tender.openers for _ in range(3)],
    )
    assert answers[0].status_code == 201
    for answer in answers[1:]:
        assert answer.status_code in {201, 409}, answer.text
    assert await events(superuser, "envelope.opened") == 3
    assert await superuser.fetchval("SELECT count(*) FROM opened_envelope") == 3


async def test_fifty_suppliers_at_once_are_all_taken(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    """Prozorro answered 52 of 80 parallel bids on one tender with 409."""
    (model,) = await some_suppliers(world, 1)
    suppliers = [model, *await copied_suppliers(superuser, model, 49)]
    answers = await asyncio.gather(*[give_bid(person, tender, 1) for person in suppliers])
    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert await superuser.fetchval("SELECT count(DISTINCT organisation) FROM bid") == 50
    assert await superuser.fetchval("SELECT count(*) FROM envelope") == 100


@pytest.mark.parametrize("emptied", [{}, {"answers": []}, None])
async def test_a_submitted_bid_cannot_be_emptied(
    tender: PublishedTender, bidder: Person, superuser: Any, emptied: Any
) -> None:
    """The UK Digital Marketplace let a submitted bid be emptied."""
    given = await submit(bidder, tender, 1)
    for part in ("quality", "price"):
        body = {**bid_body(asked(tender, 1)), part: emptied}
        answer = await bidder.put(f"/bids/{given['bid']}", body, version=1, headers=keyed())
        assert answer.status_code == 400, answer.text
    kept = await superuser.fetch(
        "SELECT version.number, length(sealed) AS size FROM envelope"
        " JOIN bid_version version ON version.id = bid_version"
    )
    assert [row["number"] for row in kept] == [1, 1]
    assert all(row["size"] > 4096 for row in kept)
