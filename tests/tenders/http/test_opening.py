"""The opening over HTTP: names, declarations, two openers, one envelope at a time."""

import secrets
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from market.actor import Actor, Role
from market.sealing import EnvelopeKind, ServerCustodian
from tenders.commands.opening import open_envelope, unopened
from tenders.errors import EnvelopeOpened, EnvelopeStaysSealed, KeysUnavailable
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    open_bids,
    opened_tender,
    some_suppliers,
    submit,
)
from tests.makers.tenders import (
    PublishedTender,
    approve,
    assign,
    drafted_tender,
    publish,
    published_tender,
)
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    return found


def acting(person: Person) -> Actor:
    return Actor(person=person.id, organisation=person.organisation)


async def bid_from(world: World, tender: PublishedTender, count: int) -> tuple[Person, ...]:
    suppliers = await some_suppliers(world, count)
    for person in suppliers:
        await submit(person, tender, 1)
    return suppliers


async def events(superuser: Any, action: str) -> int:
    count: int = await superuser.fetchval("SELECT count(*) FROM event WHERE action = $1", action)
    return count


# -- names ----------------------------------------------------------------------------------------


async def test_nobody_learns_who_bids_before_the_deadline(
    world: World, tender: PublishedTender
) -> None:
    supplier = (await bid_from(world, tender, 1))[0]
    for person in (*tender.openers, tender.guardian, tender.manager, tender.moderator):
        problem(await person.get(f"{tender.path}/bidders"), 409, "bidders-not-known")
        problem(await person.get(f"{tender.path}/declarations"), 409, "bidders-not-known")
        problem(await person.get(f"{tender.path}/opening"), 409, "bidders-not-known")
    for person in (tender.author, tender.reviewer, supplier):
        problem(await person.get(f"{tender.path}/bidders"), 403, "duty-needed")


async def test_after_the_deadline_names_alone_go_to_openers_and_guardian(
    world: World, tender: PublishedTender
) -> None:
    suppliers = await bid_from(world, tender, 2)
    await close_bidding(world, tender)
    for person in (*tender.openers, tender.guardian):
        bidders = (await person.get(f"{tender.path}/bidders")).json()
        assert {bidder["name"] for bidder in bidders} == {"Supplier 1", "Supplier 2"}
        assert set(bidders[0]) == {"organisation", "name", "participants"}
    for person in (tender.manager, *tender.quality_evaluators, tender.moderator):
        problem(await person.get(f"{tender.path}/bidders"), 409, "bidders-not-known")
    problem(await suppliers[0].get(f"{tender.path}/bidders"), 403, "duty-needed")


async def test_a_withdrawn_bid_names_nobody_and_is_not_opened(
    world: World, tender: PublishedTender
) -> None:
    first, second = await some_suppliers(world, 2)
    await submit(first, tender, 1)
    given = await submit(second, tender, 1)
    withdrawn = await second.delete(
        f"/bids/{given['bid']}", version=1, headers={"Idempotency-Key": str(uuid4())}
    )
    assert withdrawn.status_code == 200
    await open_bids(world, tender)
    opener = tender.openers[0]
    names = [bidder["name"] for bidder in (await opener.get(f"{tender.path}/bidders")).json()]
    assert names == ["Supplier 1"]
    minutes = (await opener.get(f"{tender.path}/opening")).json()
    assert [len(lot["bids"]) for lot in minutes["lots"]] == [1]


async def test_a_draft_is_hidden_from_those_who_hold_no_duty(world: World) -> None:
    draft = await drafted_tender(world)
    stranger = await world.person(
        "Sam Stranger", await world.organisation("06P"), Role.COMMISSIONER
    )
    for path in ("bidders", "declarations", "opening"):
        problem(await stranger.get(f"{draft.path}/{path}"), 404, "not-found")
    problem(await confirm(stranger, draft), 404, "not-found")
    problem(await confirm(draft.openers[0], draft), 409, "opening-not-due")


# -- declarations ---------------------------------------------------------------------------------


async def test_declarations_have_every_fault_named(world: World, tender: PublishedTender) -> None:
    suppliers = await bid_from(world, tender, 2)
    await close_bidding(world, tender)
    known = str(suppliers[0].organisation)
    body = {
        "declarations": [
            {"bidder": str(uuid4()), "interest": "none"},
            {"bidder": known, "interest": "financial", "details": "  "},
            {"bidder": known, "interest": "none"},
        ]
    }
    found = problem(
        await tender.openers[0].post(f"{tender.path}/declarations", body),
        400,
        "declarations-faulty",
    )
    assert [fault["field"] for fault in found["errors"]] == [
        "declarations[0].bidder",
        "declarations[1].details",
        "declarations[2].bidder",
    ]
    unknown = {"declarations": [{"bidder": known, "interest": "friendship"}]}
    problem(await tender.openers[0].post(f"{tender.path}/declarations", unknown), 400, "malformed")
    assert (await tender.openers[0].get(f"{tender.path}/declarations")).json()["declarations"] == []


async def test_who_has_not_declared_against_every_bidder_sees_and_opens_nothing(
    world: World, tender: PublishedTender
) -> None:
    suppliers = await bid_from(world, tender, 2)
    await close_bidding(world, tender)
    opener = tender.openers[0]
    problem(await confirm(opener, tender), 403, "declaration-missing")
    one = {"declarations": [{"bidder": str(suppliers[0].organisation), "interest": "none"}]}
    answer = await opener.post(f"{tender.path}/declarations", one)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert given["may_act"] is False
    assert [bidder["name"] for bidder in given["outstanding"]] == ["Supplier 2"]
    problem(await confirm(opener, tender), 403, "declaration-missing")
    problem(await opener.get(f"{tender.path}/opening"), 403, "declaration-missing")
    two = {"declarations": [{"bidder": str(suppliers[1].organisation), "interest": "none"}]}
    assert (await opener.post(f"{tender.path}/declarations", two)).json()["may_act"] is True
    assert (await confirm(opener, tender)).status_code == 201


async def test_an_interest_takes_the_person_out_and_taking_it_back_does_not_lift_it(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await bid_from(world, tender, 2)
    await close_bidding(world, tender)
    opener = tender.openers[0]
    given = (await declare(opener, tender, "indirect", "My sister works there.")).json()
    assert given["may_act"] is False
    assert given["outstanding"] == []
    problem(await confirm(opener, tender), 403, "conflict-of-interest")
    assert (await declare(opener, tender)).json()["may_act"] is False
    problem(await confirm(opener, tender), 403, "conflict-of-interest")
    assert await events(superuser, "interest.declared") == 2
    assert await events(superuser, "request.refused") == 2


async def test_declarations_are_seen_by_their_maker_alone(
    world: World, tender: PublishedTender
) -> None:
    await bid_from(world, tender, 1)
    await close_bidding(world, tender)
    first, second = tender.openers
    await declare(first, tender, "financial", "I own shares of theirs.")
    assert len((await first.get(f"{tender.path}/declarations")).json()["declarations"]) == 1
    assert (await second.get(f"{tender.path}/declarations")).json()["declarations"] == []


# -- confirmation ---------------------------------------------------------------------------------


async def test_bids_are_not_opened_before_the_deadline(
    world: World, tender: PublishedTender
) -> None:
    await bid_from(world, tender, 1)
    problem(await confirm(tender.openers[0], tender), 409, "opening-not-due")


async def test_only_openers_confirm(world: World, tender: PublishedTender) -> None:
    supplier = (await bid_from(world, tender, 1))[0]
    await close_bidding(world, tender)
    for person in (*tender.everybody(), supplier):
        if person not in tender.openers:
            problem(await confirm(person, tender), 403, "duty-needed")
    assert (
        await world.client.post(f"/api/v1{tender.path}/opening-confirmations")
    ).status_code == 401


async def test_one_opener_alone_opens_nothing(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await bid_from(world, tender, 1)
    await close_bidding(world, tender)
    opener = tender.openers[0]
    await declare(opener, tender)
    headers = {"Idempotency-Key": str(uuid4())}
    first = await confirm(opener, tender, headers=headers)
    assert first.json() == {"confirmed_by": 1, "opened": False}
    assert (await confirm(opener, tender, headers=headers)).content == first.content
    problem(await confirm(opener, tender), 409, "already-confirmed")
    problem(await opener.post(f"{tender.path}/opening"), 409, "not-opened")
    minutes = (await opener.get(f"{tender.path}/opening")).json()
    assert (minutes["status"], minutes["opened_at"], minutes["lots"]) == ("closed", None, [])
    assert [entry["name"] for entry in minutes["confirmations"]] == ["Olive Opener"]
    assert await superuser.fetchval("SELECT count(*) FROM manifest_entry") == 0


async def test_the_second_opener_opens_every_quality_envelope_and_no_price(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    opened = await opened_tender(world, tender, count=3)
    stored = await superuser.fetch("SELECT bid, kind, content, failure FROM opened_envelope")
    assert {str(row["bid"]) for row in stored} == {given["bid"] for given in opened.bids.values()}
    assert {row["kind"] for row in stored} == {"quality"}
    assert {row["failure"] for row in stored} == {None}
    by_bid = {str(row["bid"]): msgspec.json.decode(row["content"]) for row in stored}
    for (person, lot), given in opened.bids.items():
        place = opened.suppliers.index(person)
        texts = {answer["text"] for answer in by_bid[given["bid"]]["answers"]}
        assert texts == {f"Answer number {place} for lot {lot}."}
    view = (await world.public(tender.path)).json()
    assert view["status"] == "opened"
    assert await events(superuser, "tender.opened") == 1
    assert await events(superuser, "envelope.opened") == 6
    problem(await confirm(tender.openers[0], tender), 409, "opening-not-due")


async def test_the_minutes_tell_what_each_envelope_proved(
    world: World, tender: PublishedTender
) -> None:
    opened = await opened_tender(world, tender, count=2)
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert minutes["status"] == "opened"
    assert [entry["name"] for entry in minutes["confirmations"]] == ["Olive Opener", "Oscar Opener"]
    receipts = {
        (str(person.organisation), lot): given["receipt"]["statement"]
        for (person, lot), given in opened.bids.items()
    }
    seen = 0
    for lot in minutes["lots"]:
        assert [bid["pseudonym"] for bid in lot["bids"]] == ["Bidder A", "Bidder B"]
        for bid in lot["bids"]:
            receipt = receipts[bid["supplier"]["organisation"], lot["number"]]
            assert bid["received_at"] == receipt["received_at"]
            quality, price = bid["envelopes"]
            for envelope in (quality, price):
                kind = envelope["kind"]
                assert envelope["sealed_digest"] == receipt[f"{kind}_sealed_digest"]
                assert envelope["commitment"] == receipt[f"{kind}_commitment"]
            assert quality["commitment_matches"] is True
            assert quality["opened_by"] == "Oscar Opener"
            assert (price["opened_at"], price["commitment_matches"]) == (None, None)
            seen += 1
    assert seen == 4


async def test_those_who_score_blind_read_no_name_in_the_minutes(
    world: World, tender: PublishedTender
) -> None:
    await opened_tender(world, tender, count=2)
    evaluator = tender.quality_evaluators[0]
    problem(await evaluator.get(f"{tender.path}/opening"), 403, "declaration-missing")
    await declare(evaluator, tender)
    minutes = (await evaluator.get(f"{tender.path}/opening")).json()
    bids = [bid for lot in minutes["lots"] for bid in lot["bids"]]
    assert len(bids) == 4
    assert all((bid["supplier"], bid["received_at"]) == (None, None) for bid in bids)


async def test_a_tender_without_bids_is_opened_all_the_same(
    world: World, tender: PublishedTender
) -> None:
    await open_bids(world, tender)
    assert (await world.public(tender.path)).json()["status"] == "opened"
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert minutes["lots"] == []


async def test_a_confirmation_by_somebody_who_then_declares_an_interest_does_not_count(
    world: World,
) -> None:
    draft = await drafted_tender(world)
    third = await world.person("Otto Third", draft.manager.organisation, Role.COMMISSIONER)
    assert (await assign(draft.manager, draft.id, third, "opener")).status_code == 201
    await approve(draft)
    await publish(draft)
    await bid_from(world, draft, 1)
    await close_bidding(world, draft)
    first, second = draft.openers
    for opener in (first, second, third):
        await declare(opener, draft)
    assert (await confirm(first, draft)).json() == {"confirmed_by": 1, "opened": False}
    await declare(first, draft, "financial", "I have inherited shares.")
    assert (await confirm(second, draft)).json() == {"confirmed_by": 1, "opened": False}
    assert (await confirm(third, draft)).json() == {"confirmed_by": 2, "opened": True}


async def test_pseudonyms_tell_nothing_of_the_order_of_arrival(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await opened_tender(world, tender, count=3)
    names = await superuser.fetch("SELECT lot, pseudonym FROM manifest_entry")
    for lot in tender.lots.values():
        assert sorted(row["pseudonym"] for row in names if row["lot"] == lot) == [
            "Bidder A",
            "Bidder B",
            "Bidder C",
        ]
    named = await superuser.fetch("SELECT bidder_name(n) AS name FROM generate_series(1, 800) n")
    assert len({row["name"] for row in named}) == 800
    assert [named[place - 1]["name"] for place in (1, 26, 27, 28, 702, 703)] == [
        f"Bidder {letters}" for letters in ("A", "Z", "AA", "AB", "ZZ", "AAA")
    ]


async def test_pseudonyms_are_drawn_anew_each_time(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    for supplier in await some_suppliers(world, 3):
        await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    drawn = set()
    for _ in range(60):
        attempt = superuser.transaction()
        await attempt.start()
        assert await superuser.fetchval("SELECT fix_manifest($1)", tender.id)
        rows = await superuser.fetch("SELECT bid FROM manifest_entry ORDER BY pseudonym")
        drawn.add(tuple(row["bid"] for row in rows))
        await attempt.rollback()
    assert len(drawn) == 6


# -- envelope by envelope -------------------------------------------------------------------------


async def test_an_interrupted_opening_is_resumed(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    """Without the key-encryption key nothing opens; nothing is held against any bid."""
    await bid_from(world, tender, 3)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    await confirm(tender.openers[0], tender)
    other = ServerCustodian({"other": secrets.token_bytes(32)}, "other")
    kept = world.vault.custodian
    headers = {"Idempotency-Key": str(uuid4())}
    msgspec.structs.force_setattr(world.vault, "custodian", other)
    try:
        refused = await confirm(tender.openers[1], tender, headers=headers)
        problem(refused, 503, "keys-unavailable")
        assert refused.headers["Retry-After"]
    finally:
        msgspec.structs.force_setattr(world.vault, "custodian", kept)
    assert await superuser.fetchval("SELECT count(*) FROM opened_envelope") == 0
    assert await superuser.fetchval("SELECT stage FROM tender WHERE id = $1", tender.id) == "opened"
    lot = tender.lots[1]
    left = await unopened(acting(tender.openers[0]), lot, EnvelopeKind.QUALITY)
    assert len(left) == 3
    await open_envelope(
        acting(tender.openers[0]), world.vault, tender.id, left[0], EnvelopeKind.QUALITY
    )
    resumed = await tender.openers[0].post(f"{tender.path}/opening")
    assert resumed.status_code == 201, resumed.text
    assert resumed.json() == {"opened": 3, "failed": 0, "remaining": 0, "manifest_faults": 0}
    again = await confirm(tender.openers[1], tender, headers=headers)
    assert again.json() == {"confirmed_by": 2, "opened": True}
    assert await events(superuser, "envelope.opened") == 3
    assert await unopened(acting(tender.openers[0]), lot, EnvelopeKind.QUALITY) == []


async def test_an_envelope_is_opened_once_and_a_price_not_with_quality(
    world: World, tender: PublishedTender
) -> None:
    opened = await opened_tender(world, tender, count=1)
    bid = next(iter(opened.bids.values()))["bid"]
    opener, price = acting(tender.openers[0]), acting(tender.price_evaluator)
    with pytest.raises(EnvelopeOpened):
        await open_envelope(opener, world.vault, tender.id, bid, EnvelopeKind.QUALITY)
    await declare(tender.price_evaluator, tender)
    with pytest.raises(EnvelopeStaysSealed):
        await open_envelope(price, world.vault, tender.id, bid, EnvelopeKind.PRICE)
    assert await unopened(price, tender.lots[1], EnvelopeKind.PRICE) == []


async def test_an_envelope_that_does_not_open_is_recorded_as_such(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    """Sealed bytes that were changed behind the market's back are noticed and told."""
    suppliers = await bid_from(world, tender, 2)
    await close_bidding(world, tender)
    broken = await superuser.fetchval(
        "SELECT e.id FROM envelope e JOIN bid_version v ON v.id = e.bid_version"
        " JOIN bid b ON b.id = v.bid WHERE b.organisation = $1 AND e.kind = 'quality'",
        suppliers[0].organisation,
    )
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE envelope DISABLE TRIGGER USER")
    await superuser.execute(
        "UPDATE envelope SET sealed = set_byte(sealed, 2000, get_byte(sealed, 2000) # 1)"
        " WHERE id = $1",
        broken,
    )
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    resumed = await tender.openers[0].post(f"{tender.path}/opening")
    assert resumed.json() == {"opened": 1, "failed": 1, "remaining": 0, "manifest_faults": 0}
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    found = {bid["supplier"]["name"]: bid["envelopes"][0] for bid in minutes["lots"][0]["bids"]}
    assert found["Supplier 1"]["failure"] == "The envelope does not open with the key of its lot."
    assert found["Supplier 1"]["commitment_matches"] is False
    assert found["Supplier 2"]["failure"] is None


async def test_keys_that_cannot_be_used_are_no_fault_of_the_bid(
    world: World, tender: PublishedTender
) -> None:
    opened = await opened_tender(world, tender, count=1)
    bid = next(iter(opened.bids.values()))["bid"]
    other = msgspec.structs.replace(
        world.vault, custodian=ServerCustodian({"x": secrets.token_bytes(32)}, "x")
    )
    with pytest.raises(KeysUnavailable):
        await open_envelope(acting(tender.openers[0]), other, tender.id, bid, EnvelopeKind.QUALITY)


async def test_a_late_bid_after_the_opening_is_refused(
    world: World, tender: PublishedTender
) -> None:
    await opened_tender(world, tender, count=1)
    late = (await some_suppliers(world, 1))[0]
    body = bid_body(asked(tender, 1))
    problem(await give_bid(late, tender, 1, body), 409, "bidding-closed")
