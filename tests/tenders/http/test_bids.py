"""Sealed bids over HTTP: given, replaced, withdrawn, acknowledged, and seen by nobody else."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import rfc8785

from market.actor import Actor, RequestKey, Role
from market.sealing import matches_commitment
from market.signing import (
    BidReceipt,
    SignedStatement,
    SigningKey,
    verify_receipt,
    verify_withdrawal,
)
from tenders.commands.bids import submit_bid
from tenders.schemas.bids import GiveBid
from tests.makers.bids import asked, bid_body, close_bidding, give_bid, submit
from tests.makers.suppliers import UNITS, admitted_supplier
from tests.makers.tenders import (
    PublishedTender,
    approve,
    assign,
    drafted_tender,
    publish,
    published_tender,
)
from tests.makers.world import Person, World

MARK = "purple-elephant-method"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


def body_with(tender: PublishedTender, **changes: Any) -> dict[str, Any]:
    return bid_body(asked(tender, 1), **changes)


def received(world: World, given: dict[str, Any]) -> BidReceipt:
    signed = msgspec.convert(given["receipt"], SignedStatement)
    assert signed.sandbox
    return verify_receipt(signed, world.vault.signing_key.public())


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    return found


async def test_a_bid_is_acknowledged_by_a_signed_receipt(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    answer = await give_bid(bidder, tender, 1)
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    given = answer.json()
    receipt = received(world, given)
    assert (receipt.tender, receipt.lot) == (tender.id, tender.lots[1])
    assert (receipt.supplier, receipt.version) == (bidder.organisation, 1)
    assert str(receipt.bid) == given["bid"]
    assert receipt.received_at == datetime.fromisoformat(given["received_at"])


async def test_the_salts_prove_exactly_the_bid_that_was_given(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    body = body_with(tender, unit_prices="123.45")
    given = await submit(bidder, tender, 1, body)
    receipt = received(world, given)
    price = {**body["price"], "currency": "GBP"}
    for committed, salt, content in (
        (receipt.quality_commitment, given["salts"]["quality"], body["quality"]),
        (receipt.price_commitment, given["salts"]["price"], price),
    ):
        proof = bytes.fromhex(committed), bytes.fromhex(salt)
        assert matches_commitment(*proof, rfc8785.dumps(content))
        assert not matches_commitment(*proof, rfc8785.dumps({**content, "note": "changed"}))
    assert given["salts"]["quality"] != given["salts"]["price"]


async def test_the_receipt_names_the_sealed_envelopes_as_they_are_stored(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    receipt = received(world, await submit(bidder, tender, 1))
    stored = {
        row["kind"]: hashlib.sha256(row["sealed"]).hexdigest()
        for row in await superuser.fetch("SELECT kind, sealed FROM envelope")
    }
    assert stored == {
        "quality": receipt.quality_sealed_digest,
        "price": receipt.price_sealed_digest,
    }


async def test_nothing_in_the_database_holds_a_content_or_a_salt(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    body = body_with(tender, quality_text=MARK, unit_prices="98765.43")
    given = await submit(bidder, tender, 1, body)
    again = await bidder.put(f"/bids/{given['bid']}", body, version=1, headers=keyed())
    salts = [*given["salts"].values(), *again.json()["salts"].values()]
    assert len(set(salts)) == 6
    tables = await superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 30
    for secret in (MARK, "98765.43", *salts):
        needles = [secret, secret.encode().hex()]
        for row in tables:
            found = await superuser.fetchval(
                f'SELECT count(*) FROM "{row["tablename"]}" t'  # noqa: S608  # names from the catalogue
                " WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0",
                *needles,
            )
            assert found == 0, (row["tablename"], secret)


async def test_every_fault_of_an_incomplete_bid_is_named(
    tender: PublishedTender, bidder: Person
) -> None:
    body = body_with(tender)
    body["quality"]["answers"].pop(0)
    body["quality"]["answers"][0]["text"] = "  "
    body["price"]["prices"][0]["unit_price"] = "-1"
    body["price"]["prices"][1]["unit_price"] = "1.005"
    found = problem(await give_bid(bidder, tender, 1, body), 400, "bid-incomplete")
    assert {fault["field"] for fault in found["errors"]} == {
        "quality.answers",
        "quality.answers[0].text",
        "price.prices[0].unit_price",
        "price.prices[1].unit_price",
    }


@pytest.mark.parametrize(
    ("price", "field"),
    [
        ({"item": "A", "unit_price": 12}, "price.prices[0].unit_price"),
        ({"item": "A", "unit_price": "1e3"}, "price.prices[0].unit_price"),
        ({"item": "A", "unit_price": "1", "discount": "5"}, "price.prices[0].discount"),
    ],
)
async def test_a_price_is_a_decimal_string_and_nothing_else(
    tender: PublishedTender, bidder: Person, price: dict[str, Any], field: str
) -> None:
    body = body_with(tender)
    body["price"]["prices"][0] = price
    found = problem(await give_bid(bidder, tender, 1, body), 400, "malformed")
    assert found["errors"][0]["field"] == field


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800"])
async def test_text_that_cannot_be_stored_is_refused(
    tender: PublishedTender, bidder: Person, text: str
) -> None:
    body = msgspec.json.encode(body_with(tender, quality_text=MARK)).replace(
        MARK.encode(), text.encode()
    )
    answer = await bidder.request(
        "POST",
        f"{tender.path}/lots/1/bids",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    problem(answer, 400, "malformed")


async def test_a_late_bid_is_refused(world: World, tender: PublishedTender, bidder: Person) -> None:
    await close_bidding(world, tender)
    found = problem(await give_bid(bidder, tender, 1), 409, "bidding-closed")
    assert tender.deadline.strftime("%Y-%m-%d %H:%M:%S") in found["detail"]


async def test_a_repetition_after_the_deadline_gets_the_receipt(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    headers = keyed()
    first = await give_bid(bidder, tender, 1, headers=headers)
    assert first.status_code == 201
    await close_bidding(world, tender)
    again = await give_bid(bidder, tender, 1, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert await superuser.fetchval("SELECT count(*) FROM bid_version") == 1
    other = body_with(tender, unit_prices="1.00")
    problem(await give_bid(bidder, tender, 1, other, headers=headers), 422, "key-reused")


async def test_a_repetition_after_a_change_of_the_signing_key_gets_the_receipt_without_salts(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    actor = Actor(
        person=bidder.id,
        organisation=bidder.organisation,
        roles=frozenset({Role.BID_MANAGER}),
        key=RequestKey(uuid4(), "POST /bids", b"digest"),
    )
    body = msgspec.convert(body_with(tender), GiveBid)
    first = await submit_bid(actor, world.vault, tender.id, 1, body)
    again = await submit_bid(actor, world.vault, tender.id, 1, body)
    assert (again.salts, again.receipt) == (first.salts, first.receipt)
    rotated = msgspec.structs.replace(world.vault, signing_key=SigningKey.from_seed(b"r" * 32))
    later = await submit_bid(actor, rotated, tender.id, 1, body)
    assert (later.salts, later.receipt) == (None, first.receipt)


async def test_an_organisation_bids_once_for_a_lot(tender: PublishedTender, bidder: Person) -> None:
    given = await submit(bidder, tender, 1)
    found = problem(await give_bid(bidder, tender, 1), 409, "already-bid")
    assert f"PUT /bids/{given['bid']}" in found["detail"]
    await submit(bidder, tender, 2)


async def test_a_bid_needs_an_idempotency_key(tender: PublishedTender, bidder: Person) -> None:
    path = f"/api/v1{tender.path}/lots/1/bids"
    headers = {"Authorization": f"Bearer {bidder.token}"}
    answer = await bidder.client.post(path, json=body_with(tender), headers=headers)
    problem(answer, 400, "key-missing")


async def test_only_an_admitted_supplier_s_bid_manager_bids(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    colleague = await world.person("Ian Admin", bidder.organisation, Role.ADMINISTRATOR)
    problem(await give_bid(colleague, tender, 1), 403, "forbidden")
    problem(await give_bid(tender.manager, tender, 1), 403, "forbidden")
    unit = await world.organisation(UNITS[3])
    stranger = await world.person("Nora New", unit, Role.BID_MANAGER)
    problem(await give_bid(stranger, tender, 1), 403, "not-admitted")
    path = f"/api/v1{tender.path}/lots/1/bids"
    assert (await world.client.post(path, json={})).status_code == 401


async def test_an_organisation_that_helps_with_a_tender_does_not_bid_in_it(
    world: World, superuser: Any
) -> None:
    unit = await admitted_supplier(world, "Unit", "commissioning_support_unit", ods=UNITS[1])
    helper = await world.person("Hal Helper", unit.organisation, Role.COMMISSIONER)
    tender = await drafted_tender(world)
    assigned = await assign(tender.manager, tender.id, helper, "contract_manager")
    assert assigned.status_code == 201, assigned.text
    await approve(tender)
    await publish(tender)
    problem(await give_bid(unit, tender, 1), 403, "helper-may-not-bid")
    recorded = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'request.refused' AND person = $1", unit.id
    )
    assert recorded == 1


async def test_there_is_no_bidding_where_nothing_is_published(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    draft = await drafted_tender(world)
    problem(await give_bid(bidder, draft, 1), 404, "not-found")
    body = body_with(tender)
    for place in (
        f"{tender.path}/lots/3",
        f"{tender.path}/lots/99999999999",
        f"/tenders/{uuid4()}/lots/1",
    ):
        problem(await bidder.post(f"{place}/bids", body), 404, "not-found")


async def test_a_bid_is_replaced_until_the_deadline(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    path = f"/bids/{given['bid']}"
    body = body_with(tender, unit_prices="90.00")
    replaced = await bidder.put(path, body, version=1, headers=keyed())
    assert replaced.status_code == 200, replaced.text
    assert replaced.headers["ETag"] == '"2"'
    receipt = received(world, replaced.json())
    assert (receipt.version, str(receipt.bid)) == (2, given["bid"])
    problem(await bidder.put(path, body, version=1, headers=keyed()), 412, "bid-changed")
    problem(await bidder.put(path, body, headers=keyed()), 428, "precondition-missing")
    problem(await bidder.put(path, body, version=2), 400, "key-missing")
    bad = body_with(tender, unit_prices="0")
    problem(await bidder.put(path, bad, version=2, headers=keyed()), 400, "bid-incomplete")
    await close_bidding(world, tender)
    problem(await bidder.put(path, body, version=2, headers=keyed()), 409, "bidding-closed")


async def test_a_withdrawn_bid_can_be_given_again(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    path = f"/bids/{given['bid']}"
    headers = keyed()
    withdrawn = await bidder.delete(path, version=1, headers=headers)
    assert withdrawn.status_code == 200, withdrawn.text
    signed = msgspec.convert(withdrawn.json()["receipt"], SignedStatement)
    receipt = verify_withdrawal(signed, world.vault.signing_key.public())
    assert (str(receipt.bid), receipt.version) == (given["bid"], 2)
    assert receipt.withdrawn_at == datetime.fromisoformat(withdrawn.json()["withdrawn_at"])
    again = await bidder.delete(path, version=1, headers=headers)
    assert again.content == withdrawn.content
    problem(await bidder.delete(path, version=2, headers=keyed()), 409, "nothing-to-withdraw")
    problem(await give_bid(bidder, tender, 1), 409, "already-bid")
    assert (await bidder.get(path)).json()["state"] == "withdrawn"
    anew = await bidder.put(path, body_with(tender), version=2, headers=keyed())
    assert anew.status_code == 200, anew.text
    view = await bidder.get(path)
    assert view.headers["ETag"] == '"3"'
    assert view.json()["state"] == "standing"
    acts = [version["act"] for version in view.json()["versions"]]
    assert acts == ["submitted", "withdrawn", "submitted"]
    await close_bidding(world, tender)
    problem(await bidder.delete(path, version=3, headers=keyed()), 409, "bidding-closed")


async def test_a_bidder_finds_every_receipt_again(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    view = (await bidder.get(f"/bids/{given['bid']}")).json()
    assert view["tender"] == str(tender.id)
    assert (view["lot_number"], view["state"], view["version"]) == (1, "standing", 1)
    assert received(world, view["versions"][0]) == received(world, given)


async def test_own_bids_come_in_pages(tender: PublishedTender, bidder: Person) -> None:
    ids = [(await submit(bidder, tender, lot))["bid"] for lot in (1, 2)]
    first = await bidder.get("/bids?limit=1")
    assert [bid["id"] for bid in first.json()["items"]] == [ids[1]]
    assert 'rel="next"' in first.headers["Link"]
    second = await bidder.get(f"/bids?limit=1&cursor={first.json()['next']}")
    assert [bid["id"] for bid in second.json()["items"]] == [ids[0]]
    assert second.json()["next"] is None
    problem(await bidder.get("/bids?cursor=abc"), 400, "malformed")
    problem(await bidder.get(f"/bids?cursor={'WyJhIiwiYiJd'}"), 400, "malformed")


async def test_nobody_else_learns_of_a_bid(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    path = f"/bids/{given['bid']}"
    rival = await admitted_supplier(world, "Rival Insight")
    colleague = await world.person("Cora Colleague", bidder.organisation, Role.ADMINISTRATOR)
    body = body_with(tender)
    for person in (rival, colleague, *tender.everybody()):
        problem(await person.get(path), 404, "not-found")
        problem(await person.put(path, body, version=1, headers=keyed()), 404, "not-found")
        problem(await person.delete(path, version=1, headers=keyed()), 404, "not-found")
    assert (await rival.get("/bids")).json()["items"] == []
    problem(await colleague.get("/bids"), 403, "forbidden")
    assert (await world.client.get(f"/api/v1{path}")).status_code == 401


async def test_what_others_see_does_not_change_when_bids_arrive(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    async def seen() -> list[tuple[str, bytes, str | None]]:
        views = []
        for path in (
            "/tenders",
            "/tenders?status=published",
            "/suppliers",
            tender.path,
            f"{tender.path}/requirement",
            f"{tender.path}/keys",
        ):
            answer = await world.public(path)
            assert answer.status_code == 200, (path, answer.text)
            views.append((path, answer.content, answer.headers.get("ETag")))
        for person in (tender.manager, tender.guardian, *tender.openers):
            for path in (tender.path, f"{tender.path}/duties", f"{tender.path}/record"):
                answer = await person.get(path)
                if answer.status_code == 403:  # whose id differs each time
                    continue
                views.append((path, answer.content, answer.headers.get("ETag")))
        return views

    before = await seen()
    given = await submit(bidder, tender, 1)
    replaced = await bidder.put(
        f"/bids/{given['bid']}", body_with(tender), version=1, headers=keyed()
    )
    assert replaced.status_code == 200
    problem(await give_bid(bidder, tender, 1), 409, "already-bid")
    assert await seen() == before


async def test_sealing_keys_of_a_published_tender_are_public(
    world: World, tender: PublishedTender
) -> None:
    keys = (await world.public(f"{tender.path}/keys")).json()
    assert [(key["lot_number"], key["envelope"]) for key in keys] == [
        (1, "quality"),
        (1, "price"),
        (2, "quality"),
        (2, "price"),
    ]
    assert {UUID(key["lot"]) for key in keys} == set(tender.lots.values())
    assert len({key["public_key"] for key in keys}) == 4
    draft = await drafted_tender(world)
    problem(await world.public(f"{draft.path}/keys"), 404, "not-found")


async def test_the_time_of_receipt_is_the_market_s_own(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    before = datetime.fromisoformat((await world.public("/clock")).json()["now"])
    given = await submit(bidder, tender, 1)
    after = datetime.fromisoformat((await world.public("/clock")).json()["now"])
    assert before < datetime.fromisoformat(given["received_at"]) < after
    assert after - before < timedelta(seconds=30)


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}
