"""Variants: taken where the requirement says so, each judged as a bid of its own."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Databases
from tests.makers.amendments import amend, approve_change, changed, later
from tests.makers.bids import asked, bid_body, give_bid, open_bids, some_suppliers, submit
from tests.makers.direct import refused
from tests.makers.direct_bids import as_person, violates
from tests.makers.evaluation import AGREED, notified_lot
from tests.makers.noticing import noticing
from tests.makers.sealed import sealed_body, send_sealed
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender, requirement_of
from tests.makers.world import Person, World
from tests.tenders.rules.documents import lot_document

RULES = {"most": 2, "minimum_requirements": "Reports by the fifth working day."}
BID = "INSERT INTO bid (id, tender, lot, organisation, variant) VALUES ($1, $2, $3, $4, $5)"


def with_variants(**rules: Any) -> dict[str, Any]:
    return {**lot_document(1), "variants": {**RULES, **rules}}


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    """Lot 1 takes two variants of each bidder, lot 2 none."""
    lots = [with_variants(), lot_document(2)]
    return await published_tender(world, requirement=requirement_of(2, lots=lots))


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def variant_of(tender: PublishedTender, number: int, lot: int = 1, **more: Any) -> dict[str, Any]:
    return {**bid_body(asked(tender, lot), **more), "variant": number}


def kind(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def test_each_variant_is_a_bid_of_its_own_beside_the_main_bid(
    tender: PublishedTender, bidder: Person
) -> None:
    main = await submit(bidder, tender, 1)
    variant = await submit(bidder, tender, 1, variant_of(tender, 2))
    assert variant["receipt"]["statement"]["variant"] == 2
    assert variant["version"] == main["version"] == 1
    again = await give_bid(bidder, tender, 1, variant_of(tender, 2))
    assert (again.status_code, kind(again)) == (409, "already-bid")
    assert (
        f"variant 2 of its bid for this lot already. Replace it with PUT /bids/{variant['bid']}"
        in (again.json()["detail"])
    )
    mine = (await bidder.get("/bids")).json()["items"]
    assert [(bid["variant"], bid["lacks_main_bid"]) for bid in mine] == [(2, False), (0, False)]
    path = f"/bids/{variant['bid']}"
    replaced = await bidder.put(path, bid_body(asked(tender, 1)), version=1, headers=keyed())
    assert replaced.json()["receipt"]["statement"]["variant"] == 2
    other = await bidder.put(path, variant_of(tender, 1), version=2, headers=keyed())
    assert (other.status_code, kind(other)) == (409, "variant-refused")
    assert (await bidder.get(f"/bids/{main['bid']}")).json()["version"] == 1


@pytest.mark.parametrize(
    ("lot", "number", "said"),
    [(1, 3, "variants 1 to 2 of each bidder"), (2, 1, "takes no variants of each bidder")],
)
async def test_a_variant_that_the_lot_does_not_take_is_refused(
    tender: PublishedTender, bidder: Person, lot: int, number: int, said: str
) -> None:
    answer = await give_bid(bidder, tender, lot, variant_of(tender, number, lot))
    assert (answer.status_code, kind(answer)) == (409, "variant-refused")
    assert said in answer.json()["detail"]
    body = variant_of(tender, number, lot)
    sealed = await sealed_body(bidder, tender, body, lot=lot, variant=number)
    answer = await send_sealed(bidder, tender, {**sealed, "variant": number}, lot)
    assert (answer.status_code, kind(answer)) == (409, "variant-refused")


@pytest.mark.parametrize("number", [-1, 21])
async def test_a_variant_has_a_number_within_bounds(
    tender: PublishedTender, bidder: Person, number: int
) -> None:
    answer = await give_bid(bidder, tender, 1, variant_of(tender, number))
    assert answer.status_code == 400, answer.text
    assert "variant" in answer.text


async def test_the_database_takes_no_variant_that_the_requirement_does_not(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    given = (tender.id, tender.lots[1], bidder.organisation)
    async with refused("variant_taken"), as_person(app_role, bidder):
        await app_role.execute(BID, uuid4(), *given, 3)
    async with refused("variant_taken"), as_person(app_role, bidder):
        await app_role.execute(BID, uuid4(), tender.id, tender.lots[2], bidder.organisation, 1)
    async with violates("bid_variant_numbered"), as_person(app_role, bidder):
        await app_role.execute(BID, uuid4(), *given, -1)
    await submit(bidder, tender, 1, variant_of(tender, 1))
    async with violates("bid_one_per_lot"), as_person(app_role, bidder):
        await app_role.execute(BID, uuid4(), *given, 1)


async def test_of_many_simultaneous_bids_each_variant_is_taken_once(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    answers = await asyncio.gather(
        *[give_bid(bidder, tender, 1, variant_of(tender, number % 3)) for number in range(9)]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 6}
    assert {kind(answer) for answer in answers if answer.status_code == 409} == {"already-bid"}
    rows = await superuser.fetch("SELECT variant FROM bid ORDER BY variant")
    assert [row["variant"] for row in rows] == [0, 1, 2]


async def test_a_variant_without_its_main_bid_lapses_at_the_deadline_with_a_record(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    whole, withdrawn, alone = await some_suppliers(world, 3)
    for person in (whole, withdrawn, alone):
        await submit(person, tender, 1, variant_of(tender, 1))
    main = await submit(withdrawn, tender, 1)
    taken = await withdrawn.delete(f"/bids/{main['bid']}", version=1, headers=keyed())
    assert taken.status_code == 200, taken.text
    await submit(whole, tender, 1)
    (mine,) = (await alone.get("/bids")).json()["items"]
    assert (mine["state"], mine["lacks_main_bid"]) == ("standing", True)
    await open_bids(world, tender)
    (mine,) = (await alone.get("/bids")).json()["items"]
    assert (mine["state"], mine["lacks_main_bid"]) == ("lapsed", True)
    manifest = await superuser.fetch(
        "SELECT b.organisation, m.variant FROM manifest_entry m JOIN bid b ON b.id = m.bid"
        " ORDER BY m.variant"
    )
    assert [tuple(row) for row in manifest] == [
        (whole.organisation, 0),
        (whole.organisation, 1),
    ]
    lapsed = await superuser.fetch(
        "SELECT e.organisation, e.details FROM event e WHERE action = 'bid.lapsed'"
    )
    assert {row["organisation"] for row in lapsed} == {
        withdrawn.organisation,
        alone.organisation,
    }
    assert {row["details"] for row in lapsed} == {'{"version": 1}'}
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert sorted(bid["variant"] for bid in minutes["lots"][0]["bids"]) == [0, 1]


async def test_a_variant_stands_alone_where_the_requirement_says_so(
    world: World, bidder: Person, superuser: Any
) -> None:
    lots = [with_variants(alone=True)]
    tender = await published_tender(world, requirement=requirement_of(1, lots=lots))
    await submit(bidder, tender, 1, variant_of(tender, 1))
    (mine,) = (await bidder.get("/bids")).json()["items"]
    assert mine["lacks_main_bid"] is False
    await open_bids(world, tender)
    assert await superuser.fetchval("SELECT variant FROM manifest_entry") == 1


async def test_an_amendment_does_not_change_which_variants_are_taken(
    tender: PublishedTender,
) -> None:
    requirement = changed(tender)
    requirement["lots"][0]["variants"]["most"] = 1
    await approve_change(tender, requirement)
    answer = await amend(
        tender, material=True, takes_requirement=True, deadline=later(tender, days=9)
    )
    assert answer.status_code == 400, answer.text
    assert "variants they take stay as published" in answer.text


async def test_a_requirement_with_variants_says_what_they_must_meet(world: World) -> None:
    lots = [with_variants(minimum_requirements=" ")]
    with pytest.raises(AssertionError, match="what every variant must still meet"):
        await published_tender(world, requirement=requirement_of(1, lots=lots))


async def test_a_variant_is_judged_on_its_own_and_one_bid_wins_the_lot(
    world: World, databases: Databases
) -> None:
    """The first supplier's variant, which it sealed, wins over its own main bid and another's."""
    first: list[Person] = []

    async def give(
        place: int, person: Person, tender: PublishedTender, body: dict[str, Any]
    ) -> dict[str, Any]:
        first.append(person)
        if place:
            return await submit(first[0] if place == 1 else person, tender, 1, body)
        sealed = await sealed_body(person, tender, body, variant=1)
        given = await send_sealed(person, tender, {**sealed, "variant": 1})
        assert given.status_code == 201, given.text
        answer: dict[str, Any] = given.json()
        return answer

    lot = await notified_lot(
        world,
        prices=["80.00", "120.00", "100.00"],
        agreed=[AGREED[0]] * 3,
        giving=give,
        lots=[with_variants()],
    )
    seen = await lot.tender.moderator.get(f"{lot.path}/evaluation/bids")
    shown = {bid["pseudonym"]: bid["variant"] for bid in seen.json()["items"]}
    assert [shown[name] for name in lot.pseudonyms] == [1, 0, 0]
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    assert [(bid["place"], bid["variant"]) for bid in ranking["bids"]] == [(1, 1), (2, 0), (3, 0)]
    pages, path = [], f"{lot.path}/award-notices?limit=1"
    while path:
        answer = (await first[0].get(path)).json()
        pages += answer["items"]
        path = answer["next"] and f"{lot.path}/award-notices?limit=1&cursor={answer['next']}"
    told = {page["content"]["variant"]: page["content"] for page in pages}
    assert len(pages) == len(told) == 2
    assert told[1]["outcome"] == "successful"
    assert told[1]["decision"].startswith("Your tender, variant 1, for lot 1")
    assert told[0]["decision"].startswith("Your tender was ranked number 3")
    assert "Supplier 1, whose tender, variant 1, has" in told[0]["decision"]
    assert (told[0]["winner"], told[0]["winning_variant"]) == ("Supplier 1", 1)
    notices = await noticing(databases.worker)
    letters = [one for one in await notices.catch_up() if one.person == first[0].id]
    await notices.worker.close()
    assert [one.kind for one in letters].count("outcome") == 1
    received = [str(one.letter) for one in letters if one.kind == "bid-received"]
    assert ["Variant" in letter for letter in received] == [True, False]


async def test_each_variant_has_a_draft_of_its_own(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    lot = f"{tender.path}/lots/1"
    body = bid_body(asked(tender, 1), quality_text="Another way.")
    for query, text in (("", "One way."), ("?variant=1", "Another way.")):
        saved = await bidder.put(
            f"{lot}/bid-draft{query}", bid_body(asked(tender, 1), quality_text=text)
        )
        assert saved.status_code == 200, saved.text
    assert saved.json()["variant"] == 1
    shown = (await bidder.get(f"{lot}/bid-draft?variant=1")).json()
    assert shown["draft"]["quality"] == body["quality"] | {"documents": []}
    assert (await bidder.get(f"{lot}/bid-draft?variant=2")).status_code == 404
    for query, status in (("?variant=3", 409), ("?variant=-1", 400), ("?variant=x", 400)):
        assert (await bidder.put(f"{lot}/bid-draft{query}", body)).status_code == status, query
    given = await bidder.post(f"{lot}/bid-draft/submission?variant=1", version=2, headers=keyed())
    assert given.status_code == 201, given.text
    assert given.json()["receipt"]["statement"]["variant"] == 1
    told = (await bidder.get(f"{lot}/my-bid?variant=1")).json()
    assert (told["variant"], told["stands"], told["draft"]) == (1, False, None)
    assert (told["stored"]["state"], told["stored"]["lacks_main_bid"]) == ("standing", True)
    main = (await bidder.get(f"{lot}/my-bid")).json()
    assert (main["stored"], main["draft"]["version"]) == (None, 1)
    await bidder.post(f"{lot}/bid-draft/submission", version=1, headers=keyed())
    assert (await bidder.get(f"{lot}/my-bid?variant=1")).json()["stands"]
    await bidder.put(f"{lot}/bid-draft?variant=2", body)
    async with refused("bid_draft_counts"), as_person(app_role, bidder):
        await app_role.execute(
            "UPDATE bid_draft SET version = version, sealed = sealed, saved_by = $1 WHERE true",
            bidder.id,
        )
    async with refused("variant_taken"), as_person(app_role, bidder):
        await app_role.execute(
            "INSERT INTO bid_draft (id, lot, organisation, version, sealed, saved_by, variant)"
            " VALUES ($1, $2, $3, 3, '', $4, 3)",
            uuid4(),
            tender.lots[1],
            bidder.organisation,
            bidder.id,
        )
