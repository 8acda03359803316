"""Taking up a duty: nothing confidential is served before one has declared for it."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, declare, give_bid, some_suppliers, submit
from tests.makers.conflicts import (
    Draft,
    colleague,
    declare_on_duty,
    draft,
    ended,
    problem,
    registered,
    release,
    today,
)
from tests.makers.evaluation import EvaluatedLot, lot_to_score
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import (
    PublishedTender,
    drafted_tender,
    offer,
    requirement_of,
    take_up,
)
from tests.makers.world import Person, World

NOT_TAKEN_UP = (403, "duty-not-taken-up")
NOT_THERE = (404, "not-found")


@pytest.fixture
async def tender(world: World) -> Draft:
    return await draft(world)


async def newcomer(world: World, tender: Any, duty: str) -> Person:
    """Somebody of another group who has been given a duty and has not declared."""
    person = await colleague(world, "Nora Newcomer", "04F" if duty in OUTSIDE else "06F")
    given = await offer(tender.manager, tender.id, person, duty)
    assert given.status_code == 201, given.text
    return person


OUTSIDE = {"author", "reviewer", "opener", "guardian", "contract_manager", "tender_manager"}


# -- what is served before -------------------------------------------------------------------------


@pytest.mark.parametrize("duty", sorted(OUTSIDE))
async def test_of_a_draft_nothing_but_that_there_is_one_is_served_before(
    world: World, duty: str
) -> None:
    tender: PublishedTender = await drafted_tender(world, lots=1)
    person = await newcomer(world, tender, duty)
    answer = await person.get(tender.path)
    assert (answer.status_code, answer.json()["duties_to_take_up"]) == (200, [duty])
    assert answer.json()["my_duties"] == []
    for path in (
        "/requirement",
        "/requirement/versions",
        "/requirement/versions/1",
        "/exemptions",
    ):
        answer = await person.get(tender.path + path)
        assert problem(answer) == NOT_TAKEN_UP, (path, answer.text)
    for path in ("/duties", "/duty-declarations", "/conflict-decisions"):
        assert problem(await person.get(tender.path + path)) == NOT_THERE, path
    assert (await person.get(f"{tender.path}/record")).status_code == 403
    text = requirement_of(1)["description"]
    assert text not in (await person.get(tender.path)).text
    taken = await take_up(person, tender.id)
    assert taken.status_code == 201, taken.text
    for path in ("/requirement", "/requirement/versions", "/exemptions", "/duties"):
        assert (await person.get(tender.path + path)).status_code == 200, path
    assert (await person.get(tender.path)).json()["my_duties"] == [duty]


async def test_before_and_after_the_deadline_no_name_is_served_before(world: World) -> None:
    tender = await drafted_tender(world, lots=1)
    people = {
        duty: await newcomer(world, tender, duty) for duty in ("opener", "guardian", "moderator")
    }
    await _publish(tender)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    for person in people.values():
        for path in ("/bidders", "/declarations", "/opening"):
            answer = await person.get(tender.path + path)
            assert problem(answer) == NOT_TAKEN_UP, (path, answer.text)
        said = {"declarations": [{"bidder": str(supplier.organisation), "interest": "none"}]}
        answer = await person.post(f"{tender.path}/declarations", said)
        assert problem(answer) == NOT_TAKEN_UP, answer.text
    answer = await people["opener"].post(f"{tender.path}/opening-confirmations")
    assert problem(answer) == NOT_TAKEN_UP
    await take_up(people["opener"], tender.id)
    (bidder,) = (await people["opener"].get(f"{tender.path}/bidders")).json()
    assert bidder["organisation"] == str(supplier.organisation)


async def _publish(tender: PublishedTender) -> None:
    await tender.act(tender.manager, "/review-requests")
    await tender.act(
        tender.reviewer, "/reviews", {"outcome": "approved", "comments": "It favours nobody."}
    )
    await tender.act(tender.manager, "/publication")


@pytest.fixture
async def lot(world: World) -> EvaluatedLot:
    return await lot_to_score(world, prices=("1.00",))


async def test_of_opened_bids_and_the_evaluation_nothing_is_served_before(
    world: World, lot: EvaluatedLot
) -> None:
    tender = lot.tender
    for duty in ("quality_evaluator", "moderator", "price_evaluator", "award_approver"):
        person = await newcomer(world, tender, duty)
        refused = {}
        for path in ("/bids", "/scores", "/ranking"):
            refused[path] = await person.get(f"{lot.path}/evaluation{path}")
        for path in ("/bidders", "/declarations", "/opening"):
            refused[path] = await person.get(tender.path + path)
        assert (await person.get(f"{lot.path}/award-notices")).json()["items"] == []
        for path, answer in refused.items():
            assert answer.status_code in {403, 404}, (duty, path, answer.text)
            assert "Answer of supplier" not in answer.text
            assert "Supplier 1" not in answer.text
        assert problem(refused["/bidders"]) == NOT_TAKEN_UP
        assert problem(await person.get(f"{lot.path}/evaluation")) == NOT_TAKEN_UP
    assert problem(await lot.score(person, 0, "Q1.1", "5")) == (403, "duty-needed")


async def test_every_act_of_a_duty_waits_for_its_declaration(
    world: World, lot: EvaluatedLot
) -> None:
    evaluator = await newcomer(world, lot.tender, "quality_evaluator")
    assert problem(await lot.score(evaluator, 0, "Q1.1", "5")) == NOT_TAKEN_UP
    assert problem(await lot.lock(evaluator)) == NOT_TAKEN_UP
    # and there being an evaluator who has not taken it up holds up nobody
    for other in lot.tender.quality_evaluators:
        await lot.score_all(other, ({"Q1.1": "5", "Q1.2": "5", "Q2": "5"},))
        assert (await lot.lock(other)).status_code == 201
    agreed = await lot.score(lot.tender.moderator, 0, "Q1.1", "5", kind="agreed-scores")
    assert agreed.status_code == 201, agreed.text


async def test_acts_on_a_draft_wait_for_the_declaration(world: World, tender: Draft) -> None:
    author = await newcomer(world, tender, "author")
    manager = await newcomer(world, tender, "tender_manager")
    guardian = await newcomer(world, tender, "guardian")
    version = (await tender.manager.get(tender.path)).json()["version"]
    person = await colleague(world)
    exemption = {
        "person": str(person.id),
        "duties": ["reviewer", "moderator"],
        "reason": "There is nobody else who knows it.",
        "expires_at": "2030-12-31T00:00:00Z",
    }
    for answer in (
        await author.put(f"{tender.path}/requirement", requirement_of(1), version=version),
        await offer(manager, tender.id, person, "opener"),
        await manager.post(f"{tender.path}/abandonment", {"reason": "No need."}, version=version),
        await guardian.post(f"{tender.path}/exemptions", exemption),
    ):
        assert problem(answer) == NOT_TAKEN_UP, answer.text


# -- declaring -------------------------------------------------------------------------------------


async def test_the_tender_s_beginner_declares_too(world: World) -> None:
    group = await world.organisation("06F")
    manager = await world.person("Lena Lead", group, Role.PROCUREMENT_LEAD)
    created = await manager.post("/tenders", {"title": "Business intelligence"})
    tender = created.json()["id"]
    assert created.json()["my_duties"] == []
    assert created.json()["duties_to_take_up"] == ["tender_manager"]
    person = await colleague(world)
    assert problem(await offer(manager, tender, person, "author")) == NOT_TAKEN_UP
    assert (await take_up(manager, tender)).status_code == 201
    assert (await offer(manager, tender, person, "author")).status_code == 201


async def test_a_duty_given_later_asks_for_another_declaration_and_leaves_the_first_in_force(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await newcomer(world, tender, "contract_manager")
    assert (await declare_on_duty(person, tender.id)).status_code == 201
    assert (await offer(tender.manager, tender.id, person, "opener")).status_code == 201
    view = (await person.get(tender.path)).json()
    assert (view["my_duties"], view["duties_to_take_up"]) == (["contract_manager"], ["opener"])
    assert (await declare_on_duty(person, tender.id)).status_code == 201
    view = (await person.get(tender.path)).json()
    assert (view["my_duties"], view["duties_to_take_up"]) == (["contract_manager", "opener"], [])
    declared = await superuser.fetch(
        "SELECT details ->> 'duties' AS duties FROM event WHERE action = 'duty.taken_up'"
        " AND person = $1 ORDER BY recorded_at",
        person.id,
    )
    assert [row["duties"] for row in declared] == ['["contract_manager"]', '["opener"]']


async def test_a_declaration_made_before_the_duty_was_given_does_not_count(
    world: World, tender: Draft
) -> None:
    person = await newcomer(world, tender, "contract_manager")
    assert (await declare_on_duty(person, tender.id)).status_code == 201
    await release(tender.manager, tender.id, person, "contract_manager")
    assert (await offer(tender.manager, tender.id, person, "opener")).status_code == 201
    assert (await person.get(tender.path)).json()["duties_to_take_up"] == ["opener"]


async def test_the_declaration_agrees_with_the_register(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await newcomer(world, tender, "opener")
    wrong = await declare_on_duty(person, tender.id, "as_registered")
    assert problem(wrong) == (409, "register-says-otherwise")
    assert [error["field"] for error in wrong.json()["errors"]] == ["statement"]
    interest = await registered(superuser, person)
    silent = await declare_on_duty(person, tender.id, "nothing_to_declare")
    assert problem(silent) == (409, "register-says-otherwise")
    assert "1 interest" in silent.json()["detail"]
    day = await today(world)
    await ended(superuser, person, interest, day - timedelta(days=1))
    stale = await declare_on_duty(person, tender.id, "as_registered")
    assert problem(stale) == (409, "register-says-otherwise")
    await registered(superuser, person, ends_on=day - timedelta(days=400), starts_on=None)
    assert (await declare_on_duty(person, tender.id, "nothing_to_declare")).status_code == 201


@pytest.mark.parametrize("far", [0, 1, 400])
async def test_an_interest_that_ends_today_or_later_is_in_force(
    world: World, tender: Draft, superuser: Any, far: int
) -> None:
    person = await newcomer(world, tender, "opener")
    await registered(superuser, person, ends_on=await today(world) + timedelta(days=far))
    assert (await declare_on_duty(person, tender.id, "as_registered")).status_code == 201


async def test_a_corrected_entry_counts_once_and_the_old_one_not(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await newcomer(world, tender, "opener")
    first = await registered(superuser, person)
    over = date(2021, 6, 30)
    await registered(superuser, person, supersedes=first, ends_on=over)
    assert (await declare_on_duty(person, tender.id, "nothing_to_declare")).status_code == 201


async def test_nobody_declares_who_has_no_duty_or_for_a_colleague(
    world: World, tender: Draft
) -> None:
    await newcomer(world, tender, "opener")
    other = await colleague(world)
    # a commissioner of the buyer sees its drafts, so no tender is hidden from them
    assert problem(await declare_on_duty(other, tender.id)) == (409, "nothing-to-take-up")
    assert problem(await declare_on_duty(other, uuid4())) == NOT_THERE
    anonymous = await world.client.post(
        f"/api/v1{tender.path}/duty-declarations",
        json={"statement": "nothing_to_declare"},
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert anonymous.status_code == 401
    # there is no saying for whom: one speaks for oneself
    named = await tender.manager.post(
        f"{tender.path}/duty-declarations",
        {"statement": "nothing_to_declare", "person": str(other.id)},
    )
    assert problem(named) == (400, "malformed")
    published = await drafted_tender(world, lots=1)
    await _publish(published)
    answer = await declare_on_duty(other, published.id)
    assert problem(answer) == (409, "nothing-to-take-up")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"statement": "no_comment"},
        {"statement": None},
        {"statement": "nothing_to_declare", "details": "x" * 5_000},
        {"statement": "nothing_to_declare", "details": "a\x00b"},
        {"statement": "nothing_to_declare", "details": 7},
        [],
    ],
)
async def test_a_malformed_declaration_is_refused(world: World, tender: Draft, body: Any) -> None:
    person = await newcomer(world, tender, "opener")
    answer = await person.post(f"{tender.path}/duty-declarations", body)
    assert problem(answer) == (400, "malformed"), answer.text


async def test_a_repeated_declaration_is_one_by_its_key(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await newcomer(world, tender, "opener")
    headers = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(declare_on_duty(person, tender.id, headers=headers) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await declare_on_duty(person, tender.id, headers=headers)
    assert again.status_code == 201
    taken = [answer for answer in answers if answer.status_code == 201]
    assert {answer.content for answer in taken} == {again.content}
    made = await superuser.fetchval(
        "SELECT count(*) FROM duty_declaration WHERE person = $1", person.id
    )
    assert made == 1


async def test_declarations_are_read_by_their_makers_the_guardian_and_auditors(
    world: World,
) -> None:
    tender = await drafted_tender(world, lots=1)
    path = f"{tender.path}/duty-declarations"
    everybody = {str(person.id) for person in tender.everybody()}
    auditor = await world.person("Audrey Auditor", await world.organisation("06F"), Role.AUDITOR)
    for reader in (tender.guardian, auditor):
        listed = (await reader.get(path)).json()
        assert {one["person"] for one in listed} == everybody
    for reader in (tender.manager, tender.author, tender.moderator):
        listed = (await reader.get(path)).json()
        assert {one["person"] for one in listed} == {str(reader.id)}
    assert (await (await colleague(world)).get(path)).status_code == 404
    elsewhere = await world.person("Al Auditor", await world.organisation("04F"), Role.AUDITOR)
    assert (await elsewhere.get(path)).status_code == 404


async def test_who_only_offered_a_duty_counts_against_another_as_one_held(
    world: World, tender: Draft
) -> None:
    """The duty counts from when it is given: declaring late is no way into two."""
    person = await newcomer(world, tender, "author")
    answer = await offer(tender.manager, tender.id, person, "opener")
    assert problem(answer) == (403, "duty-clash")


async def test_an_organisation_whose_member_was_only_offered_a_duty_helps_already(
    world: World,
) -> None:
    tender = await drafted_tender(world, lots=1)
    unit = await admitted_supplier(world, "A unit", "commissioning_support_unit")
    assert (await offer(tender.manager, tender.id, unit, "contract_manager")).status_code == 201
    await _publish(tender)
    assert problem(await give_bid(unit, tender, 1)) == (403, "helper-may-not-bid")


async def test_openers_who_have_not_taken_up_their_duty_do_not_count_for_the_opening(
    world: World,
) -> None:
    tender = await drafted_tender(world, lots=1)
    third = await newcomer(world, tender, "opener")
    await _publish(tender)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    answer = await third.post(f"{tender.path}/opening-confirmations")
    assert problem(answer) == NOT_TAKEN_UP
    for opener in tender.openers:
        await declare(opener, tender)
    first = await tender.openers[0].post(f"{tender.path}/opening-confirmations")
    assert first.json() == {"confirmed_by": 1, "opened": False}
