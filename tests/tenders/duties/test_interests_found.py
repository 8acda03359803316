"""Where the market finds an interest: the register, a membership, a declaration; none goes away."""

from datetime import date, timedelta
from typing import Any

import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.conflicts import (
    bidders,
    colleague,
    decide,
    decided,
    ended,
    evaluated,
    joins,
    leaves,
    problem,
    registered,
    today,
)
from tests.makers.tenders import approve as approve_requirement
from tests.makers.tenders import drafted_tender, offer, publish
from tests.makers.world import World

CONFLICT = (403, "conflict-of-interest")
SUSPENDED = (403, "duty-suspended")


async def test_what_the_register_holds_counts_though_the_person_says_none(
    world: World, superuser: Any
) -> None:
    """Tameside, January 2017: in the register, and not declared in the meeting."""
    lot = await evaluated(world)
    evaluator, (bidder, _) = lot.tender.quality_evaluators[0], bidders(lot)
    assert (await lot.score(evaluator, 0, "Q1.1", "5")).status_code == 201
    await registered(superuser, evaluator, organisation=bidder)
    assert problem(await lot.score(evaluator, 0, "Q1.2", "5")) == CONFLICT
    await declare(evaluator, lot.tender)  # once more, "none"
    assert problem(await lot.score(evaluator, 0, "Q1.2", "5")) == CONFLICT
    await decided(lot.tender.guardian, lot.tender.id, evaluator, bidder, "no_action")
    assert (await lot.score(evaluator, 0, "Q1.2", "5")).status_code == 201


async def test_an_interest_is_found_by_the_public_identifier_too(
    world: World, superuser: Any
) -> None:
    lot = await evaluated(world)
    evaluator, (bidder, _) = lot.tender.quality_evaluators[0], bidders(lot)
    known = await superuser.fetchrow(
        "SELECT scheme, identifier FROM organisation_identifier WHERE organisation = $1", bidder
    )
    await registered(superuser, evaluator, **dict(known))
    assert problem(await lot.score(evaluator, 0, "Q1.1", "5")) == CONFLICT


async def test_an_interest_in_somebody_who_does_not_bid_is_none_here(
    world: World, superuser: Any
) -> None:
    lot = await evaluated(world)
    (stranger,) = await some_suppliers(world, 1)
    evaluator = lot.tender.quality_evaluators[0]
    await registered(superuser, evaluator, organisation=stranger.organisation)
    await registered(superuser, evaluator, scheme="GB-COH", identifier="00000099")
    await registered(superuser, evaluator)
    assert (await lot.score(evaluator, 0, "Q1.1", "5")).status_code == 201


NEVER = {("financial", "employee"), ("financial", "director")} | {
    ("non_financial_professional", "member")
}


@pytest.mark.parametrize(
    ("kind", "relationship"),
    [
        *sorted(NEVER),
        ("financial", "shareholder"),
        ("financial", "contractor"),
        ("non_financial_professional", "adviser"),
        ("indirect", "director"),
        ("indirect", "employee"),
    ],
)
async def test_member_employee_and_director_are_never_excused_and_an_associate_s_are(
    world: World, superuser: Any, kind: str, relationship: str
) -> None:
    excusable = (kind, relationship) not in NEVER
    lot = await evaluated(world)
    tender, evaluator, (bidder, _) = lot.tender, lot.tender.quality_evaluators[0], bidders(lot)
    await registered(
        superuser,
        evaluator,
        organisation=bidder,
        kind=kind,
        relationship=relationship,
        associate="spouse" if kind == "indirect" else None,
    )
    assert problem(await lot.score(evaluator, 0, "Q1.1", "5")) == CONFLICT
    for outcome in ("may_discuss", "no_action"):
        answer = await decide(tender.guardian, tender.id, evaluator, bidder, outcome)
        if excusable:
            assert answer.status_code == 201, answer.text
        else:
            assert problem(answer) == (403, "never-excusable")
    scored = await lot.score(evaluator, 0, "Q1.1", "5")
    assert scored.status_code == (201 if excusable else 403)
    if not excusable:
        await decided(tender.guardian, tender.id, evaluator, bidder, "must_leave")
        await decided(tender.guardian, tender.id, evaluator, bidder, "removed")
        assert problem(await lot.score(evaluator, 0, "Q1.1", "5")) == SUSPENDED


async def test_whoever_joins_a_bidder_is_out_and_leaving_it_lets_nobody_back(
    world: World, superuser: Any
) -> None:
    """Tower Hamlets, 2017: declared at the start, and a member of a bidder later."""
    lot = await evaluated(world)
    tender, evaluator, (bidder, _) = lot.tender, lot.tender.quality_evaluators[0], bidders(lot)
    await joins(superuser, evaluator, bidder, Role.BID_MANAGER)
    for _ in range(2):
        answer = await lot.score(evaluator, 0, "Q1.1", "5")
        assert problem(answer) == CONFLICT
        assert "member" in answer.json()["detail"]
        refused = await decide(tender.guardian, tender.id, evaluator, bidder, "no_action")
        assert problem(refused) == (403, "never-excusable")
        await leaves(superuser, evaluator, bidder)


async def test_what_comes_after_a_decision_was_not_decided_upon(
    world: World, superuser: Any
) -> None:
    lot = await evaluated(world)
    tender, evaluator, (bidder, _) = lot.tender, lot.tender.quality_evaluators[0], bidders(lot)

    async def scores() -> tuple[int, str]:
        return problem(await lot.score(evaluator, 0, "Q1.1", "5"))

    async def excuse() -> None:
        for one in bidders(lot):
            await decided(tender.guardian, tender.id, evaluator, one, "no_action")

    await declare(evaluator, tender, "financial", "Shares.")
    await excuse()
    assert await scores() == (201, "")
    await declare(evaluator, tender, "non_financial_personal", "And we are friends.")
    assert await scores() == CONFLICT
    await excuse()
    assert await scores() == (201, "")
    await registered(superuser, evaluator, organisation=bidder)
    assert await scores() == CONFLICT
    await excuse()
    assert await scores() == (201, "")
    await declare(evaluator, tender)  # saying "none" again is nothing new
    assert await scores() == (201, "")


async def test_no_entry_made_after_publication_lets_anybody_back_in(
    world: World, superuser: Any
) -> None:
    lot = await evaluated(world)
    evaluator, (bidder, other) = lot.tender.quality_evaluators[0], bidders(lot)
    day = await today(world)
    first = await registered(superuser, evaluator, organisation=bidder)
    await ended(superuser, evaluator, first, date(2020, 6, 1))
    assert problem(await lot.score(evaluator, 0, "Q1.1", "5")) == CONFLICT
    person = lot.tender.moderator
    wrong = await registered(superuser, person, organisation=other)
    await registered(superuser, person, supersedes=wrong, counterparty="Somebody else", ends_on=day)
    answer = await lot.score(person, 0, "Q1.1", "5", kind="agreed-scores")
    assert problem(answer) == CONFLICT
    # nor does "none", said after an interest was declared
    manager = lot.tender.manager
    await declare(manager, lot.tender, "financial", "Shares.")
    await declare(manager, lot.tender)
    answer = await offer(manager, lot.tender.id, await colleague(world), "contract_manager")
    assert problem(answer) == CONFLICT


@pytest.mark.parametrize(("months", "expected"), [(5, CONFLICT), (7, (201, ""))])
async def test_what_was_over_six_months_before_publication_counts_no_more(
    world: World, superuser: Any, months: int, expected: tuple[int, str]
) -> None:
    tender = await drafted_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    opener = tender.openers[0]
    over = await today(world) - timedelta(days=30 * months)
    interest = await registered(superuser, opener, organisation=supplier.organisation)
    await ended(superuser, opener, interest, over)
    await approve_requirement(tender)
    await publish(tender)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    await declare(opener, tender)
    answer = await confirm(opener, tender)
    assert problem(answer) == expected


async def test_an_entry_corrected_before_publication_counts_no_more(
    world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    opener = tender.openers[0]
    wrong = await registered(superuser, opener, organisation=supplier.organisation)
    await registered(superuser, opener, supersedes=wrong, counterparty="Somebody else")
    await approve_requirement(tender)
    await publish(tender)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    await declare(opener, tender)
    assert (await confirm(opener, tender)).status_code == 201
