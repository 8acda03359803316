"""The log over HTTP: checkpoints and proofs that anybody verifies with the published rules."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.background import Workbench
from market.transparency.keys import checkpoint_key
from market.transparency.rules.leaves import (
    EventHeader,
    RevealedEvent,
    is_as_committed,
    leaf_of,
)
from market.transparency.rules.merkle import verify_consistency, verify_inclusion
from market.transparency.rules.notes import VerifierKey, read_checkpoint, verify_checkpoint
from tests.makers.bids import open_bids, some_suppliers, submit
from tests.makers.log import keep, keep_and_sign, record_straight
from tests.makers.sign_in import problem
from tests.makers.tenders import published_tender
from tests.makers.world import World


@pytest.fixture
async def sizes(world: World, superuser: Any, bench: Workbench) -> list[int]:
    """A log with three checkpoints and an event that none covers."""
    del world
    found = []
    for count in (3, 8, 5):
        for _ in range(count):
            await record_straight(superuser, tender=uuid4())
        found.append(await keep_and_sign(bench, superuser))
    await record_straight(superuser)
    await keep(bench)
    return found


async def test_before_anything_was_signed_there_is_no_checkpoint(
    world: World, bench: Workbench
) -> None:
    problem(await world.public("/log/checkpoint"), 404, "no-checkpoint")
    assert (await world.public("/log/checkpoints")).json() == {"items": [], "next": None}
    problem(await world.public("/log/inclusion-proofs/1"), 409, "not-signed-yet")
    await keep(bench)


async def test_the_newest_checkpoint_verifies_with_the_published_key(
    world: World, bench: Workbench, sizes: list[int]
) -> None:
    key = (await world.public("/log/key")).json()
    assert key == {
        "origin": "tests.example/sandbox-log",
        "verifier_key": checkpoint_key(bench.vault).vkey,
        "sandbox": True,
    }
    answer = await world.public("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    checkpoint = verify_checkpoint(answer.text, [VerifierKey.parse(key["verifier_key"])])
    assert checkpoint.size == sizes[-1]


async def test_all_checkpoints_are_listed_the_newest_first_page_by_page(
    world: World, sizes: list[int]
) -> None:
    found, path = [], "/log/checkpoints?limit=2"
    while path:
        answer = await world.public(path)
        found += answer.json()["items"]
        following = answer.json()["next"]
        path = f"/log/checkpoints?limit=2&cursor={following}" if following else ""
    assert [one["size"] for one in found] == sizes[::-1]
    assert all("because" not in one for one in found)  # which could tell of an award too early
    problem(await world.public("/log/checkpoints?cursor=x"), 400, "malformed")


async def test_every_position_is_proven_under_every_checkpoint_that_covers_it(
    world: World, sizes: list[int]
) -> None:
    checkpoints = (await world.public("/log/checkpoints")).json()["items"]
    roots = {one["size"]: bytes.fromhex(one["root"]) for one in checkpoints}
    for size in sizes:
        for position in range(1, size + 1):
            proof = (await world.public(f"/log/inclusion-proofs/{position}?size={size}")).json()
            assert verify_inclusion(
                position - 1,
                size,
                bytes.fromhex(proof["leaf_hash"]),
                [bytes.fromhex(one) for one in proof["path"]],
                roots[size],
            )
    newest = (await world.public("/log/inclusion-proofs/1")).json()
    assert newest["size"] == sizes[-1]


async def test_every_checkpoint_is_proven_to_begin_every_later_one(
    world: World, sizes: list[int]
) -> None:
    checkpoints = (await world.public("/log/checkpoints")).json()["items"]
    roots = {one["size"]: bytes.fromhex(one["root"]) for one in checkpoints}
    for index, old in enumerate(sizes):
        for size in sizes[index:]:
            answer = await world.public(f"/log/consistency-proofs/{old}?size={size}")
            path = [bytes.fromhex(one) for one in answer.json()["path"]]
            assert verify_consistency(old, size, roots[old], roots[size], path)


async def test_what_is_not_signed_yet_or_never_was_is_refused_plainly(
    world: World, sizes: list[int]
) -> None:
    last = sizes[-1]
    problem(await world.public(f"/log/inclusion-proofs/{last + 1}"), 409, "not-signed-yet")
    problem(await world.public(f"/log/inclusion-proofs/{last}?size={last - 1}"), 400, "malformed")
    problem(await world.public(f"/log/inclusion-proofs/1?size={last + 1}"), 400, "malformed")
    problem(await world.public(f"/log/consistency-proofs/{last + 1}"), 409, "not-signed-yet")
    problem(await world.public(f"/log/consistency-proofs/{last}?size=1"), 400, "malformed")
    for number in ("0", "-1", str(2**63), "9" * 40):
        problem(await world.public(f"/log/inclusion-proofs/{number}"), 404, "not-found")
        problem(await world.public(f"/log/consistency-proofs/{number}"), 404, "not-found")
    for size in ("0", "x", "9" * 40):
        problem(await world.public(f"/log/inclusion-proofs/1?size={size}"), 400, "malformed")


def _leaf(proof: dict[str, Any]) -> bytes:
    """What the proof's header hashes to, and that it leads to the checkpoint's root."""
    header = msgspec.convert(proof["header"], EventHeader)
    leaf = leaf_of(header)
    assert leaf.hex() == proof["leaf_hash"]
    text, _, _ = proof["checkpoint"].partition("\n\n")
    checkpoint = read_checkpoint(text + "\n")
    path = [bytes.fromhex(one) for one in proof["path"]]
    assert verify_inclusion(header.position - 1, checkpoint.size, leaf, path, checkpoint.root)
    return leaf


async def test_an_event_is_proven_whole_to_who_sees_it_whole_and_by_its_header_to_everybody_else(
    world: World, superuser: Any, bench: Workbench
) -> None:
    tender = await published_tender(world)
    await keep_and_sign(bench, superuser)
    event = await superuser.fetchval("SELECT id FROM event WHERE action = 'tender.published'")
    public = (await world.public(f"/log/events/{event}/proof")).json()
    whole = (await tender.manager.get(f"/log/events/{event}/proof")).json()
    assert _leaf(public) == _leaf(whole)
    assert (public["content"], public["content_salt"]) == (None, None)
    assert whole["content"]["person"] == str(tender.manager.id)
    revealed = {name: whole[name] for name in ("header", "content", "content_salt")}
    assert is_as_committed(msgspec.convert(revealed, RevealedEvent))
    # before the opening a tender's numbers would tell how many bids there are
    assert (whole["number"], whole["number_salt"]) == (None, None)


async def test_an_event_that_one_may_not_know_of_is_proven_to_nobody(
    world: World, superuser: Any, bench: Workbench
) -> None:
    tender = await published_tender(world)
    hidden = await superuser.fetchval("SELECT id FROM event WHERE action = 'duty.taken_up' LIMIT 1")
    problem(await tender.manager.get(f"/log/events/{hidden}/proof"), 409, "not-signed-yet")
    await keep_and_sign(bench, superuser)
    assert (await tender.manager.get(f"/log/events/{hidden}/proof")).status_code == 200
    problem(await world.public(f"/log/events/{hidden}/proof"), 404, "not-found")
    problem(await world.public(f"/log/events/{uuid4()}/proof"), 404, "not-found")


async def test_after_the_opening_an_event_s_number_in_its_tender_is_proven_too(
    world: World, superuser: Any, bench: Workbench
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await open_bids(world, tender)
    await keep_and_sign(bench, superuser)
    event = await superuser.fetchval(
        "SELECT id FROM event WHERE tender = $1 AND action = 'tender.created'", tender.id
    )
    whole = (await tender.manager.get(f"/log/events/{event}/proof")).json()
    _leaf(whole)
    assert whole["number"] == 1
    names = ("header", "content", "content_salt", "number", "number_salt")
    revealed = msgspec.convert({name: whole[name] for name in names}, RevealedEvent)
    assert is_as_committed(revealed)
