"""Bids sealed before sending: stored unseen, told apart by receipt, opened or excluded."""

import asyncio
import base64
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import rfc8785

from market.sealing import matches_commitment, sealed_length
from market.signing import SignedStatement, verify_receipt
from tenders.rules.envelopes import DOES_NOT_OPEN, NOT_AS_COMMITTED
from tests.makers.bids import asked, bid_body, close_bidding, submit
from tests.makers.evaluation import AGREED, ranked_lot
from tests.makers.sealed import by_the_client, sealed_body, send_sealed
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

UNSEEN = "The market has not seen the bid"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def test_the_documented_client_gives_a_bid_and_its_receipt_says_who_sealed_it(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    body = bid_body(asked(tender, 1), unit_prices="123.45")
    receipt, salts = await by_the_client(bidder, tender, body)
    signed = verify_receipt(
        msgspec.convert(receipt, SignedStatement), world.vault.signing_key.public()
    )
    assert signed.sealing.value == "before sending by the supplier"
    assert (signed.supplier, signed.lot, signed.version) == (
        bidder.organisation,
        tender.lots[1],
        1,
    )
    for committed, name in (
        (signed.quality_commitment, "quality"),
        (signed.price_commitment, "price"),
    ):
        content = rfc8785.dumps(body[name])
        proof = bytes.fromhex(committed), bytes.fromhex(salts[name])
        assert matches_commitment(*proof, content)
        assert not matches_commitment(*proof, content + b" ")


async def test_an_answer_to_a_sealed_bid_says_what_was_not_checked_and_holds_no_salts_of_envelopes(
    tender: PublishedTender, bidder: Person
) -> None:
    body = await sealed_body(bidder, tender, bid_body(asked(tender, 1)))
    answer = await send_sealed(bidder, tender, body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    salts = answer.json()["salts"]
    assert (salts["quality"], salts["price"]) == (None, None)  # the bidder's own
    assert len(salts["participants"]) == 64
    assert UNSEEN in answer.json()["sealing"]
    plain = await submit(bidder, tender, 2)
    assert UNSEEN not in plain["sealing"]


async def test_the_keys_say_how_to_seal_and_what_happens_if_it_does_not_open(
    world: World, tender: PublishedTender
) -> None:
    keys = (await world.public(f"{tender.path}/keys")).json()
    assert len(keys) == 4
    for key in keys:
        begins = base64.b64decode(key["info_begins"])
        assert begins.endswith(tender.id.bytes + UUID(key["lot"]).bytes)
        assert len(base64.b64decode(key["public_key"])) == 1216
        assert "excluded" in key["if_it_does_not_open"]
        assert "version of the bid (8 bytes" in key["info_layout"]


async def test_a_bid_sealed_for_another_version_is_told_which_to_seal_for(
    tender: PublishedTender, bidder: Person
) -> None:
    lot = bid_body(asked(tender, 1))
    early = await send_sealed(bidder, tender, await sealed_body(bidder, tender, lot, version=2))
    assert early.status_code == 409, early.text
    assert early.json()["type"] == "/problems/sealed-for-another-version"
    assert "Seal them for version 1" in early.json()["detail"]
    given = await submit(bidder, tender, 1)
    path = f"/bids/{given['bid']}/sealed-bid"
    for version in (1, 3):
        body = await sealed_body(bidder, tender, lot, version=version)
        answer = await bidder.put(path, body, version=1, headers=keyed())
        assert answer.status_code == 409, answer.text
        assert "Seal them for version 2" in answer.json()["detail"]
    body = await sealed_body(bidder, tender, lot, version=2)
    answer = await bidder.put(path, body, version=1, headers=keyed())
    assert answer.status_code == 200, answer.text
    assert answer.json()["receipt"]["statement"]["sealing"] == "before sending by the supplier"
    back = await bidder.put(f"/bids/{given['bid']}", lot, version=2, headers=keyed())
    assert back.json()["receipt"]["statement"]["sealing"] == "on receipt by the server"


@pytest.mark.parametrize(
    "broken",
    [b"", b"\x02" + bytes(sealed_length(0) - 1), b"\x01" + bytes(sealed_length(0)), b"\x01"],
    ids=["nothing", "another format", "no size class", "too short"],
)
async def test_what_has_not_the_form_of_an_envelope_is_refused_with_its_place(
    tender: PublishedTender, bidder: Person, broken: bytes
) -> None:
    body = await sealed_body(bidder, tender, bid_body(asked(tender, 1)))
    body["price"]["sealed"] = base64.b64encode(broken).decode()
    answer = await send_sealed(bidder, tender, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "/problems/not-sealed"
    assert [fault["field"] for fault in answer.json()["errors"]] == ["price.sealed"]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("price", {"sealed": "not base64!"}),
        ("price", {"sealed": base64.b64encode(bytes(200_000)).decode()}),
        ("price", {"commitment": "F" * 64}),
        ("quality", {"commitment": "0" * 63}),
        ("quality", {"salt": "0" * 64}),
    ],
)
async def test_a_sealed_bid_of_another_form_is_malformed(
    tender: PublishedTender, bidder: Person, part: str, change: dict[str, str]
) -> None:
    body = await sealed_body(bidder, tender, bid_body(asked(tender, 1)))
    body[part] = {**body[part], **change}
    answer = await send_sealed(bidder, tender, body)
    assert answer.status_code == 400, answer.text
    assert part in answer.text


async def test_a_retry_of_a_sealed_bid_gets_its_receipt_after_the_deadline_too(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    body = await sealed_body(bidder, tender, bid_body(asked(tender, 1)))
    path, headers = f"{tender.path}/lots/1/sealed-bids", keyed()
    first = await bidder.post(path, body, headers=headers)
    await close_bidding(world, tender)
    again = await bidder.post(path, body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    late = await bidder.post(path, body, headers=keyed())
    assert late.json()["type"] == "/problems/bidding-closed"


async def test_of_plain_and_sealed_first_bids_at_once_one_is_taken(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    body = await sealed_body(bidder, tender, bid_body(asked(tender, 1)))
    answers = await asyncio.gather(
        *[send_sealed(bidder, tender, body) for _ in range(4)],
        *[bidder.post(f"{tender.path}/lots/1/bids", bid_body(asked(tender, 1))) for _ in range(4)],
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {
        "/problems/already-bid"
    }
    assert await superuser.fetchval("SELECT count(*) FROM envelope") == 2


async def test_sealed_bids_are_opened_or_excluded_and_the_evaluation_goes_on(
    world: World, superuser: Any
) -> None:
    """Two right ones, by the client; one that does not open, does not fit, is not as committed."""

    async def give(
        place: int, person: Person, tender: PublishedTender, body: dict[str, Any]
    ) -> dict[str, Any]:
        if place <= 1:
            receipt, _ = await by_the_client(person, tender, body)
            return {"bid": receipt["statement"]["bid"]}
        wrong: dict[str, Any] = {}
        if place == 2:
            wrong["opens_for"] = 2
        elif place == 3:
            body["quality"]["answers"] = body["quality"]["answers"][1:]
        elif place == 4:
            wrong["committed"] = False
        else:
            body["price"]["prices"][0]["unit_price"] = "0.00"
        given = await send_sealed(person, tender, await sealed_body(person, tender, body, **wrong))
        assert given.status_code == 201, given.text
        answer: dict[str, Any] = given.json()
        return answer

    good = AGREED[0]
    lot = await ranked_lot(
        world, prices=["110.00", "100.00"] + ["90.00"] * 4, agreed=[good] * 6, giving=give
    )
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    found = {bid["pseudonym"]: bid for bid in ranking["bids"]}
    ranked = {name for name, bid in found.items() if bid["place"] is not None}
    assert ranked == set(lot.pseudonyms[:2])
    rows = await superuser.fetch(
        "SELECT kind, failure, count(*) FROM opened_envelope GROUP BY 1, 2"
    )
    failures = {(row["kind"], row["failure"]): row["count"] for row in rows}
    assert failures[("quality", DOES_NOT_OPEN)] == 1
    assert failures[("quality", NOT_AS_COMMITTED)] == 1
    assert failures[("quality", None)] == 3
    assert failures[("price", None)] == 2
    other = {
        kind: why for kind, why in failures if why not in {None, DOES_NOT_OPEN, NOT_AS_COMMITTED}
    }
    assert other == {
        "quality": "The content does not fit the lot: The question Q1.1 is not answered;"
        " answer it.",
        "price": "The content does not fit the lot: The price of A is zero; give a price above"
        " zero.",
    }
    told = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'envelope.opened'"
        " AND (details ->> 'failed')::boolean"
    )
    assert told == 4
