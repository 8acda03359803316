"""What stood at the deadline, as the minutes tell it, and whatever was changed since."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
import pytest

from market.background import Workbench
from market.signing import SignedStatement, verify
from market.vault import Vault
from tenders.closing import ManifestFixing
from tests.makers.bids import (
    close_bidding,
    confirm,
    declare,
    opened_tender,
    some_suppliers,
    submit,
)
from tests.makers.tampering import unguarded
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


async def minutes_of(tender: PublishedTender, person: Person | None = None) -> dict[str, Any]:
    answer = await (person or tender.openers[0]).get(f"{tender.path}/opening")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def digest_by(minutes: dict[str, Any]) -> str:
    """The manifest's digest, computed from what the minutes show."""
    lines = sorted(
        " ".join(
            [
                lot["lot"],
                *(envelope["sealed_digest"] for envelope in bid["envelopes"]),
            ]
        )
        for lot in minutes["lots"]
        for bid in lot["bids"]
    )
    text = "".join(f"{line}\n" for line in (minutes["manifest"]["salt"], *lines))
    return hashlib.sha256(text.encode()).hexdigest()


async def closed(world: World, tender: PublishedTender, count: int) -> list[UUID]:
    """Bids of so many suppliers, after the deadline, everybody having declared, and fixed."""
    given = [await submit(person, tender, 1) for person in await some_suppliers(world, count)]
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    return [UUID(one["bid"]) for one in given]


async def test_the_worker_fixes_what_stands_right_after_the_deadline(
    world: World, tender: PublishedTender, bench: Workbench, superuser: Any
) -> None:
    fixing = ManifestFixing(bench)
    await submit((await some_suppliers(world, 1))[0], tender, 1)
    assert await fixing.run() > 0
    assert await superuser.fetchval("SELECT count(*) FROM manifest") == 0
    await close_bidding(world, tender)
    assert await fixing.run() == 0
    assert await fixing.run() > 0
    fixed = await superuser.fetchrow("SELECT fixed_at, digest FROM manifest")
    for opener in tender.openers:
        await declare(opener, tender)
        before = await minutes_of(tender, opener)
        assert (before["manifest"], before["lots"], before["statement"]) == (None, [], None)
        assert (await confirm(opener, tender)).status_code == 201
    assert (await minutes_of(tender))["manifest"]["digest"] == fixed["digest"].hex()
    assert await superuser.fetchval("SELECT count(*) FROM manifest") == 1


async def test_a_tender_that_somebody_holds_is_left_for_the_next_time(
    world: World, tender: PublishedTender, bench: Workbench, superuser: Any
) -> None:
    await close_bidding(world, tender)
    async with superuser.transaction():
        await superuser.execute("SELECT 1 FROM tender WHERE id = $1 FOR SHARE", tender.id)
        assert await ManifestFixing(bench).run() > 0
    assert await ManifestFixing(bench).run() == 0


async def test_an_abandoned_tender_gets_no_manifest(
    world: World, tender: PublishedTender, bench: Workbench
) -> None:
    await tender.act(tender.manager, "/abandonment", {"reason": "Not needed any more."})
    await close_bidding(world, tender)
    assert await ManifestFixing(bench).run() > 0


async def test_the_minutes_are_signed_and_prove_the_manifest(
    world: World, tender: PublishedTender, vault: Vault, superuser: Any
) -> None:
    opened = await opened_tender(world, tender, count=2)
    minutes = await minutes_of(tender)
    assert minutes["manifest"]["faults"] == []
    assert minutes["manifest"]["digest"] == digest_by(minutes)
    details = await superuser.fetchval("SELECT details FROM event WHERE action = 'manifest.fixed'")
    assert msgspec.json.decode(details) == {"digest": minutes["manifest"]["digest"]}
    signed = msgspec.convert(minutes["statement"], SignedStatement)
    verify(signed, vault.signing_key.public())
    said: Any = signed.statement
    assert said["kind"] == "opening_minutes"
    assert said["manifest_digest"] == minutes["manifest"]["digest"]
    # a bidder finds its bid by the digests in its receipt, and nobody else does
    assert {
        tuple(envelope["sealed_digest"] for envelope in bid["envelopes"]) for bid in said["bids"]
    } == {
        tuple(one["receipt"]["statement"][f"{kind}_sealed_digest"] for kind in ("quality", "price"))
        for one in opened.bids.values()
    }
    text = msgspec.json.encode(said).decode()
    for person in (*opened.suppliers, *tender.openers):
        assert person.name not in text
        assert str(person.organisation) not in text
    for given in opened.bids.values():
        assert given["bid"] not in text


async def test_everybody_who_reads_the_minutes_is_given_the_same_statement(
    world: World, tender: PublishedTender
) -> None:
    await opened_tender(world, tender, count=2)
    evaluator = tender.quality_evaluators[0]
    await declare(evaluator, tender)
    blind, seeing = await minutes_of(tender, evaluator), await minutes_of(tender)
    assert blind["lots"] != seeing["lots"]
    assert blind["statement"] == seeing["statement"]


async def test_an_envelope_that_was_changed_stays_sealed_and_is_told_of(
    world: World, tender: PublishedTender, bench: Workbench, superuser: Any
) -> None:
    bids = await closed(world, tender, 3)
    assert await ManifestFixing(bench).run() == 0
    async with unguarded(superuser, "envelope"):
        await superuser.execute(
            "UPDATE envelope SET sealed = sealed || '\\x00' WHERE kind = 'quality'"
            " AND bid_version = (SELECT id FROM bid_version WHERE bid = $1)",
            bids[0],
        )
    first, second = tender.openers
    assert (await confirm(first, tender)).status_code == 201
    answer = await confirm(second, tender)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/envelope-altered")
    # the others are open all the same
    assert await superuser.fetchval("SELECT count(*) FROM opened_envelope") == 2
    again = await first.post(f"{tender.path}/opening")
    assert again.json()["type"] == "/problems/envelope-altered"
    refused = await superuser.fetch(
        "SELECT tender, details ->> 'operation' AS operation FROM event"
        " WHERE action = 'request.refused' AND details ->> 'refusal' = 'envelope-altered'"
    )
    assert {row["tender"] for row in refused} == {tender.id}
    minutes = await minutes_of(tender)
    altered = [
        bid["pseudonym"]
        for bid in minutes["lots"][0]["bids"]
        if not all(envelope["as_fixed"] for envelope in bid["envelopes"])
    ]
    assert minutes["manifest"]["faults"] == [
        {"lot_number": 1, "pseudonym": altered[0], "fault": "quality_altered"}
    ]
    assert minutes["statement"]["statement"]["manifest_faults"] == minutes["manifest"]["faults"]
    # what was fixed has not changed, so the digest still proves it
    assert digest_by(minutes) == minutes["manifest"]["digest"]


async def test_a_bid_removed_replaced_or_added_behind_the_manifest_is_found(
    world: World, tender: PublishedTender, bench: Workbench, superuser: Any
) -> None:
    removed, superseded = await closed(world, tender, 2)
    assert await ManifestFixing(bench).run() == 0
    tables = ("bid_version", "envelope", "manifest_entry", "bid_receipt", "bid")
    async with unguarded(superuser, *tables):
        await superuser.execute(
            "WITH added AS (INSERT INTO bid (id, tender, lot, organisation, made_at)"
            " SELECT gen_random_uuid(), tender, lot, $2, made_at FROM bid WHERE id = $1"
            " RETURNING id) INSERT INTO bid_version (id, bid, number, act, made_by, received_at,"
            " quality_commitment, price_commitment, requirement, amendment)"
            " SELECT gen_random_uuid(), a.id, 1, v.act, v.made_by, v.received_at,"
            " v.quality_commitment, v.price_commitment, v.requirement, v.amendment"
            " FROM added a, bid_version v WHERE v.bid = $1",
            superseded,
            tender.manager.organisation,
        )
        await superuser.execute(
            "INSERT INTO bid_version (id, bid, number, act, made_by, received_at, requirement,"
            " amendment) SELECT gen_random_uuid(), bid, 2, 'withdrawn', made_by, received_at,"
            " requirement, amendment"
            " FROM bid_version WHERE bid = $1",
            superseded,
        )
        version = await superuser.fetchval("SELECT id FROM bid_version WHERE bid = $1", removed)
        for statement, row in (
            ("DELETE FROM manifest_entry WHERE bid = $1", removed),
            ("DELETE FROM bid_receipt WHERE bid_version = $1", version),
            ("DELETE FROM envelope WHERE bid_version = $1", version),
            ("DELETE FROM bid_version WHERE id = $1", version),
            ("DELETE FROM bid WHERE id = $1", removed),
        ):
            await superuser.execute(statement, row)
    for opener in tender.openers:
        await declare(opener, tender)
        await confirm(opener, tender)
    # with the manifest itself altered nothing is opened: nobody knows any more what stood
    assert await superuser.fetchval("SELECT count(*) FROM opened_envelope") == 0
    minutes = await minutes_of(tender)
    assert {fault["fault"] for fault in minutes["manifest"]["faults"]} == {
        "manifest_altered",
        "bid_superseded",
        "bid_added",
    }
    assert digest_by(minutes) != minutes["manifest"]["digest"]


async def test_an_opening_that_is_resumed_counts_what_was_changed(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    bids = await closed(world, tender, 1)
    for opener in tender.openers:
        await confirm(opener, tender)
    async with unguarded(superuser, "envelope"):
        await superuser.execute(
            "DELETE FROM envelope WHERE kind = 'price'"
            " AND bid_version = (SELECT id FROM bid_version WHERE bid = $1)",
            bids[0],
        )
    resumed = await tender.openers[0].post(f"{tender.path}/opening")
    assert resumed.json() == {"opened": 1, "failed": 0, "remaining": 0, "manifest_faults": 1}
    assert (await minutes_of(tender))["manifest"]["faults"][0]["fault"] == "price_missing"
