"""What a conflicts guardian decides about an interest, and what it does to whoever has it."""

from typing import Any

import httpx
import pytest

from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.conflicts import (
    bidders,
    colleague,
    decide,
    decided,
    declare_on_duty,
    evaluated,
    give,
    problem,
    registered,
    sees_name,
)
from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    contract_body,
    recommend,
)
from tests.makers.tenders import PublishedTender, offer, published_tender
from tests.makers.world import Person, World

CONFLICT = (403, "conflict-of-interest")
SUSPENDED = (403, "duty-suspended")


async def acts(lot: EvaluatedLot) -> dict[str, tuple[Person, list[httpx.Response]]]:
    """What each duty does with the bids, tried by its holder."""
    tender = lot.tender
    evaluator, price, moderator = (
        tender.quality_evaluators[0],
        tender.price_evaluator,
        tender.moderator,
    )
    approver, manager, contracts = tender.approvers[0], tender.manager, tender.contract_manager
    version = (await lot.evaluation(moderator))["version"]
    newcomer = await colleague(lot.world)
    return {
        "quality_evaluator": (
            evaluator,
            [await lot.score(evaluator, 0, "Q1.1", "5"), await lot.lock(evaluator)],
        ),
        "price_evaluator": (
            price,
            [
                await price.post(f"{lot.path}/evaluation/{act}", version=version)
                for act in ("price-opening", "ranking")
            ],
        ),
        "moderator": (
            moderator,
            [
                await lot.score(moderator, 0, "Q1.1", "5", kind="agreed-scores"),
                await moderator.post(f"{lot.path}/evaluation/quality-lock", version=version),
                await recommend(lot),
            ],
        ),
        "award_approver": (approver, [await approve(lot, approver)]),
        "tender_manager": (
            manager,
            [
                await manager.post(f"{lot.path}/award-notices", version=version),
                await offer(manager, tender.id, newcomer, "contract_manager"),
                await manager.post(
                    f"{lot.path}/abandonment", {"reason": "No need."}, version=version
                ),
            ],
        ),
        "contract_manager": (
            contracts,
            [await contracts.post(f"{lot.path}/contract", contract_body(), version=version)],
        ),
    }


async def reads(lot: EvaluatedLot, person: Person) -> list[int]:
    """What somebody is answered who reads bids, progress and minutes."""
    return [
        (await person.get(path)).status_code
        for path in (f"{lot.path}/evaluation/bids", f"{lot.tender.path}/opening")
    ]


HOLDERS = (
    "quality_evaluator",
    "price_evaluator",
    "moderator",
    "award_approver",
    "tender_manager",
    "contract_manager",
)


def holder(tender: PublishedTender, duty: str) -> Person:
    found = {
        "quality_evaluator": tender.quality_evaluators[0],
        "price_evaluator": tender.price_evaluator,
        "moderator": tender.moderator,
        "award_approver": tender.approvers[0],
        "tender_manager": tender.manager,
        "contract_manager": tender.contract_manager,
        "opener": tender.openers[0],
    }
    return found[duty]


@pytest.mark.parametrize("duty", HOLDERS)
async def test_each_outcome_does_what_it_says(world: World, duty: str) -> None:
    """The moderator's own reads of the lot's version go on: one other person is tried at a time."""
    lot = await evaluated(world)
    tender, person = lot.tender, holder(lot.tender, duty)
    guardian, (bidder, _) = tender.guardian, bidders(lot)
    await declare(person, tender, "financial", "I hold shares in them.")
    if duty == "moderator":
        version = 1 + (await lot.evaluation(guardian))["version"]

        async def tried() -> list[httpx.Response]:
            return [
                await lot.score(person, 0, "Q1.1", "5", kind="agreed-scores"),
                await person.post(f"{lot.path}/evaluation/quality-lock", version=version),
                await recommend(lot),
            ]

    else:

        async def tried() -> list[httpx.Response]:
            return (await acts(lot))[duty][1]

    async def outcome_of(decision: str) -> tuple[set[tuple[int, str]], list[int]]:
        for one in bidders(lot):
            await decided(guardian, tender.id, person, one, decision)
        return {problem(answer) for answer in await tried()}, await reads(lot, person)

    assert {problem(answer) for answer in await tried()} == {CONFLICT}
    assert set(await reads(lot, person)) == {403}
    lawful = [200, 200] if duty in {"quality_evaluator", "moderator", "award_approver"} else None
    found, read = await outcome_of("may_discuss")
    assert found == {CONFLICT}
    assert read == (lawful or [403, 200])
    found, read = await outcome_of("must_leave")
    assert (found, set(read)) == ({CONFLICT}, {403})
    found, read = await outcome_of("no_action")
    assert CONFLICT not in found
    assert read == (lawful or [403, 200])
    await decided(guardian, tender.id, person, bidder, "removed")
    gone = [problem(answer) for answer in (await tried())]
    assert set(gone) == {SUSPENDED}
    assert set(await reads(lot, person)) == {403}
    for outcome in ("no_action", "must_leave", "removed"):
        again = await decide(guardian, tender.id, person, bidder, outcome)
        assert problem(again) == (409, "removed-for-good")


async def test_the_refusal_says_what_was_decided(world: World) -> None:
    lot = await evaluated(world)
    evaluator, guardian = lot.tender.quality_evaluators[0], lot.tender.guardian
    bidder, other = bidders(lot)
    await declare(evaluator, lot.tender, "indirect", "My brother works for one of them.")

    async def said() -> str:
        answer = await lot.score(evaluator, 0, "Q1.1", "5")
        assert problem(answer) == CONFLICT
        assert not sees_name(answer, "Supplier 1", "Supplier 2")
        detail: str = answer.json()["detail"]
        return detail

    assert "until the conflicts guardian has decided" in await said()
    await decided(guardian, lot.tender.id, evaluator, bidder, "no_action")
    assert "until the conflicts guardian has decided" in await said()  # about the other one
    await decided(guardian, lot.tender.id, evaluator, other, "may_discuss")
    assert "may discuss" in await said()
    await decided(guardian, lot.tender.id, evaluator, bidder, "must_leave")
    assert "must leave" in await said()
    for one in (bidder, other):
        await decided(guardian, lot.tender.id, evaluator, one, "no_action")
    assert (await lot.score(evaluator, 0, "Q1.1", "5")).status_code == 201


async def test_somebody_removed_is_out_of_every_duty_and_gets_no_other(world: World) -> None:
    lot = await evaluated(world)
    person, tender = lot.tender.contract_manager, lot.tender
    bidder, _ = bidders(lot)
    await declare(tender.manager, tender)
    assert (await give(tender.manager, tender.id, person, "outcome_reviewer")).status_code == 403
    second = await give(tender.manager, tender.id, person, "tender_manager")
    assert second.status_code == 201, second.text
    await decided(tender.guardian, tender.id, person, bidder, "removed")
    for answer in (
        await offer(person, tender.id, await colleague(world), "contract_manager"),
        await person.post(f"{lot.path}/contract", contract_body(), version=1),
    ):
        assert problem(answer) == SUSPENDED, answer.text
    view = (await person.get(tender.path)).json()
    assert (view["my_duties"], view["duties_to_take_up"]) == ([], [])
    # another duty would be as dead, and declaring revives none
    await offer(tender.manager, tender.id, person, "reviewer")
    declared = await declare_on_duty(person, tender.id)
    assert problem(declared) == (409, "nothing-to-take-up")
    assert (await person.get(f"{tender.path}/record")).status_code == 403


async def test_an_opener_who_may_discuss_reads_names_and_does_not_open(world: World) -> None:
    tender = await published_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    opener, other = tender.openers
    guardian, bidder = tender.guardian, supplier.organisation
    await declare(opener, tender, "non_financial_personal", "I coach their manager's son.")
    await declare(guardian, tender)
    await declare(other, tender)
    assert problem(await confirm(opener, tender)) == CONFLICT
    await decided(guardian, tender.id, opener, bidder, "may_discuss")
    assert problem(await confirm(opener, tender)) == CONFLICT
    assert (await opener.get(f"{tender.path}/bidders")).status_code == 200
    assert (await confirm(other, tender)).json() == {"confirmed_by": 1, "opened": False}
    await decided(guardian, tender.id, opener, bidder, "no_action")
    assert (await confirm(opener, tender)).json() == {"confirmed_by": 2, "opened": True}


async def test_a_confirmation_given_before_the_interest_was_found_does_not_open(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    for person in (*tender.openers, tender.guardian):
        await declare(person, tender)
    first, second = tender.openers
    assert (await confirm(first, tender)).status_code == 201
    await registered(superuser, first, organisation=supplier.organisation)
    assert (await confirm(second, tender)).json() == {"confirmed_by": 1, "opened": False}
    await decided(tender.guardian, tender.id, first, supplier.organisation, "no_action")
    # both have confirmed, and both count now: either says so again
    assert problem(await second.post(f"{tender.path}/opening")) == (409, "not-opened")
    assert (await confirm(second, tender)).json() == {"confirmed_by": 2, "opened": True}
    assert await superuser.fetchval("SELECT count(*) FROM opening_confirmation") == 2
