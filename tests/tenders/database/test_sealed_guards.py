"""What is sealed is not seen: straight at the database, as the app role."""

from typing import Any

from tests.makers.bids import (
    OpenedTender,
    confirm,
    declare,
    some_suppliers,
    submit,
)
from tests.makers.direct import not_granted, refused
from tests.makers.direct_bids import (
    as_person,
    closed_with_declarations,
)
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World


async def test_bids_are_invisible_to_everybody_else_before_the_opening(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    bid = await closed_with_declarations(world, tender, bidder)
    rival = (await some_suppliers(world, 1))[0]
    for person in (rival, *tender.everybody()):
        async with as_person(app_role, person):
            for table in ("bid_version", "envelope", "bid_receipt", "manifest_entry"):
                count = await app_role.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # named above
                # openers and guardian may know that there is a bid, once the deadline has passed
                knows = table == "bid_version" and person in {*tender.openers, tender.guardian}
                assert count == (1 if knows else 0), (person.name, table)
            sees = await app_role.fetchval("SELECT count(*) FROM bid WHERE id = $1", bid)
            assert sees == (1 if person in {*tender.openers, tender.guardian} else 0), person.name
    async with as_person(app_role, bidder):
        assert await app_role.fetchval("SELECT count(*) FROM bid_receipt") == 1
        # its own ciphertext is not shown to a bidder either: it is of no use
        assert await app_role.fetchval("SELECT count(*) FROM envelope") == 0
    assert await app_role.fetchval("SELECT count(*) FROM bid") == 0


async def test_before_the_deadline_even_openers_see_no_bid(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    for person in tender.everybody():
        async with as_person(app_role, person):
            for table in ("bid", "bid_version", "envelope", "bid_receipt"):
                assert await app_role.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # named above
            assert await app_role.fetch("SELECT * FROM bidders_of($1)", tender.id) == []
            assert await app_role.fetchval("SELECT my_conflict($1)", tender.id) is None
            assert await app_role.fetch("SELECT * FROM minutes_manifest($1)", tender.id) == []


async def test_functions_that_tell_who_bids_cannot_be_called_by_the_app(
    tender: PublishedTender, app_role: Any
) -> None:
    opener = tender.openers[0]
    for call in (
        "SELECT * FROM standing_bids($1)",
        "SELECT * FROM find_manifest_faults($1)",
        "SELECT * FROM manifest WHERE tender = $1",
        f"SELECT belongs_to_bidder('{opener.id}', $1)",
        f"SELECT why_not_unconflicted('{opener.id}', $1)",
    ):
        async with not_granted(), as_person(app_role, opener):
            await app_role.fetch(call, tender.id)


async def test_wrapped_keys_can_be_neither_read_nor_changed(
    tender: PublishedTender, app_role: Any
) -> None:
    for statement in (
        "SELECT wrapped_key FROM tender_key",
        "SELECT * FROM tender_key",
        "UPDATE tender_key SET wrapped_key = ''",
        "DELETE FROM tender_key",
    ):
        async with not_granted(), as_person(app_role, tender.manager):
            await app_role.execute(statement)


async def test_a_wrapped_key_is_refused_before_the_opening_and_to_the_wrong_person(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    bid = await closed_with_declarations(world, tender, bidder)
    ask = "SELECT wrapped_key_for($1, $2)"
    await confirm(tender.openers[0], tender)
    for person in (*tender.openers, tender.guardian, bidder):
        for kind in ("quality", "price"):
            async with refused("envelope_stays_sealed"), as_person(app_role, person):
                await app_role.fetchval(ask, bid, kind)
    await confirm(tender.openers[1], tender)
    async with as_person(app_role, tender.openers[0]):
        assert len(await app_role.fetchval(ask, bid, "quality")) > 96
    for person in (tender.manager, tender.price_evaluator, tender.quality_evaluators[0], bidder):
        async with refused("envelope_stays_sealed"), as_person(app_role, person):
            await app_role.fetchval(ask, bid, "quality")
    for person in (*tender.openers, tender.price_evaluator):
        async with refused("envelope_stays_sealed"), as_person(app_role, person):
            await app_role.fetchval(ask, bid, "price")
        async with as_person(app_role, person):
            assert await app_role.fetch("SELECT * FROM sealed_envelope($1, 'price')", bid) == []


async def test_whose_bid_is_whose_is_hidden_from_those_who_score(
    opened: OpenedTender, app_role: Any
) -> None:
    tender = opened.tender
    scoring = (*tender.quality_evaluators, tender.moderator, tender.price_evaluator)
    for person in scoring:
        await declare(person, tender)
        async with as_person(app_role, person):
            assert await app_role.fetchval("SELECT count(*) FROM manifest_entry") == 4
            assert await app_role.fetchval("SELECT count(*) FROM bid") == 0
            assert await app_role.fetchval("SELECT count(*) FROM bid_version") == 0
            whose = await app_role.fetch("SELECT supplier FROM opening_record($1)", tender.id)
            assert {row["supplier"] for row in whose} == {None}


async def test_opened_contents_are_read_by_those_alone_whose_duty_it_is(
    opened: OpenedTender, app_role: Any
) -> None:
    tender = opened.tender
    reads = "SELECT count(*) FROM opened_envelope"
    evaluator = tender.quality_evaluators[0]
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 0  # has not declared
    await declare(evaluator, tender)
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 4
    for person in (tender.author, tender.reviewer, tender.manager, tender.price_evaluator):
        async with as_person(app_role, person):
            assert await app_role.fetchval(reads) == 0, person.name
    for person in opened.suppliers:
        async with as_person(app_role, person):
            assert await app_role.fetchval(reads) == 2
    await declare(evaluator, tender, "financial", "Shares.")
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 0
