"""An act racing what would forbid it: the act is before, or it is refused, and never after."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.conflicts import (
    bidders,
    colleague,
    decided,
    delegate,
    end_delegation,
    evaluated,
    exempted,
    give,
    joins,
    problem,
    release,
    revoke,
    today,
)
from tests.makers.evaluation import EvaluatedLot, approve, ranked_lot, recommend
from tests.makers.recusals import register_interest
from tests.makers.world import Person, World

ROUNDS = 30
CONFLICT = (403, "conflict-of-interest")
SUSPENDED = (403, "duty-suspended")
DONE = (201, "")
CODES = ("Q1.1", "Q1.2", "Q2")


class Race(msgspec.Struct, frozen=True):
    """What became of several acts and of what raced them."""

    acts: list[tuple[int, str]]
    other: httpx.Response


async def race(turn: int, acts: list[Awaitable[httpx.Response]], other: Any) -> Race:
    """Send everything at once, what forbids at another place each time."""
    place = turn % (len(acts) + 1)
    answers = await asyncio.gather(*acts[:place], other, *acts[place:])
    forbidding = answers.pop(place)
    return Race([problem(answer) for answer in answers], forbidding)


def scores(lot: EvaluatedLot, person: Person) -> list[Awaitable[httpx.Response]]:
    """An evaluator's scores on several criteria; two of one number are told apart by 409."""
    return [lot.score(person, 0, code, "5") for code in CODES]


async def evaluator(world: World, lot: EvaluatedLot, name: str, ods: str = "06F") -> Person:
    """Another evaluator, who has declared no interest."""
    person = await colleague(world, name, ods)
    given = await give(lot.tender.manager, lot.tender.id, person, "quality_evaluator")
    assert given.status_code == 201, given.text
    await declare(person, lot.tender)
    return person


@pytest.fixture
async def lot(world: World) -> EvaluatedLot:
    return await evaluated(world)


# Every score of a tender's author who evaluates was given under an exemption in force just then.
_OUTSIDE_EXEMPTION = """
SELECT count(*) FROM {table} s WHERE s.{who} = $1 AND NOT EXISTS (
    SELECT 1 FROM exemption e LEFT JOIN exemption_revocation r ON r.exemption = e.id
    WHERE e.person = $1 AND s.{at} >= e.granted_at
      AND (r.revoked_at IS NULL OR s.{at} <= r.revoked_at))
"""


async def test_scores_racing_the_revocation_of_the_exemption_they_rest_on(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    tender, person = lot.tender, lot.tender.author
    pair = "author", "quality_evaluator"
    exemption = await exempted(world, tender.guardian, tender.id, person, *pair)
    assert (await give(tender.manager, tender.id, person, pair[1])).status_code == 201
    await declare(person, tender)
    for turn in range(ROUNDS):
        found = await race(turn, scores(lot, person), revoke(tender.guardian, tender.id, exemption))
        assert found.other.status_code == 201, found.other.text
        assert set(found.acts) <= {DONE, SUSPENDED}
        assert problem(await lot.score(person, 0, "Q2", "5")) == SUSPENDED
        exemption = await exempted(world, tender.guardian, tender.id, person, *pair)
    after = _OUTSIDE_EXEMPTION.format(table="score", who="evaluator", at="scored_at")
    assert await superuser.fetchval(after, person.id) == 0


async def test_an_approval_racing_the_revocation_of_the_exemption_it_rests_on(
    world: World, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    tender, person = lot.tender, lot.tender.openers[0]
    await declare(tender.guardian, tender)
    pair = "opener", "award_approver"
    exemption = await exempted(world, tender.guardian, tender.id, person, *pair)
    assert (await give(tender.manager, tender.id, person, pair[1])).status_code == 201
    stage = "ranked"
    for turn in range(ROUNDS):
        if stage == "ranked":
            assert (await recommend(lot)).status_code == 201
        found = await race(
            turn,
            [approve(lot, person, "returned")],
            revoke(tender.guardian, tender.id, exemption),
        )
        assert found.other.status_code == 201, found.other.text
        assert set(found.acts) <= {DONE, SUSPENDED}
        stage = "ranked" if found.acts == [DONE] else "recommended"
        assert (await lot.evaluation())["stage"] == stage
        exemption = await exempted(world, tender.guardian, tender.id, person, *pair)
    after = _OUTSIDE_EXEMPTION.format(table="approval", who="approver", at="decided_at")
    assert await superuser.fetchval(after, person.id) == 0


# Scores given while the last decision before them was that the person must leave.
_AFTER_DECISION = """
SELECT count(*) FROM score s WHERE s.evaluator = $1 AND (
    SELECT c.outcome FROM conflict_decision c
    WHERE c.person = $1 AND c.bidder = $2 AND c.decided_at <= s.scored_at
    ORDER BY c.decided_at DESC LIMIT 1) IS DISTINCT FROM 'no_action'
"""


@pytest.mark.parametrize("outcome", ["must_leave", "may_discuss"])
async def test_scores_racing_a_decision_that_forbids_them(
    world: World, lot: EvaluatedLot, superuser: Any, outcome: str
) -> None:
    tender, (bidder, other) = lot.tender, bidders(lot)
    person = await evaluator(world, lot, "Ed Evaluator")
    await declare(person, tender, "financial", "Shares.")
    await decided(tender.guardian, tender.id, person, other, "no_action")
    for turn in range(ROUNDS):
        await decided(tender.guardian, tender.id, person, bidder, "no_action")
        body = {
            "person": str(person.id),
            "bidder": str(bidder),
            "outcome": outcome,
            "reason": "The holding is larger than was said.",
        }
        found = await race(
            turn,
            scores(lot, person),
            tender.guardian.post(f"{tender.path}/conflict-decisions", body),
        )
        assert found.other.status_code == 201, found.other.text
        assert set(found.acts) <= {DONE, CONFLICT}
        assert problem(await lot.score(person, 0, "Q2", "5")) == CONFLICT
    assert await superuser.fetchval(_AFTER_DECISION, person.id, bidder) == 0


async def test_scores_racing_a_removal(world: World, lot: EvaluatedLot, superuser: Any) -> None:
    tender, (bidder, _) = lot.tender, bidders(lot)
    for turn in range(ROUNDS):
        person = await evaluator(world, lot, f"Ed Evaluator {turn}")
        body = {
            "person": str(person.id),
            "bidder": str(bidder),
            "outcome": "removed",
            "reason": "They are engaged to its director.",
        }
        found = await race(
            turn,
            scores(lot, person),
            tender.guardian.post(f"{tender.path}/conflict-decisions", body),
        )
        assert found.other.status_code == 201, found.other.text
        assert set(found.acts) <= {DONE, SUSPENDED}
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN conflict_decision c ON c.person = s.evaluator"
        " WHERE s.scored_at > c.decided_at"
    )
    assert late == 0


async def test_an_approval_racing_the_declaration_of_an_interest(
    world: World, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    tender, officer = lot.tender, lot.tender.approvers[0]
    await declare(tender.guardian, tender)
    stage = "ranked"
    for turn in range(ROUNDS):
        if stage == "ranked":
            assert (await recommend(lot)).status_code == 201
        found = await race(
            turn,
            [approve(lot, officer, "returned")],
            declare(officer, tender, "financial", "Shares."),
        )
        assert found.other.status_code == 201
        assert set(found.acts) <= {DONE, CONFLICT}
        stage = "ranked" if found.acts == [DONE] else "recommended"
        for supplier in lot.suppliers:
            await decided(tender.guardian, tender.id, officer, supplier.organisation, "no_action")
    # between a declaration and the decision on it there is no answer
    late = await superuser.fetchval(
        "SELECT count(*) FROM approval a WHERE a.approver = $1 AND EXISTS ("
        " SELECT 1 FROM declaration d WHERE d.person = $1 AND d.interest <> 'none'"
        " AND d.declared_at < a.decided_at AND NOT EXISTS ("
        " SELECT 1 FROM conflict_decision c WHERE c.person = $1 AND c.bidder = d.bidder"
        " AND c.decided_at BETWEEN d.declared_at AND a.decided_at))",
        officer.id,
    )
    assert late == 0


async def test_scores_racing_an_entry_in_the_register(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    bidder, _ = bidders(lot)
    for turn in range(ROUNDS):
        person = await evaluator(world, lot, f"Ed Evaluator {turn}")

        async def entered(who: Person = person) -> httpx.Response:
            await register_interest(world, who, organisation=str(bidder))
            return await lot.score(who, 0, "Q2", "2")

        found = await race(turn, scores(lot, person), entered())
        assert set(found.acts) <= {DONE, CONFLICT, (409, "changed-meanwhile")}
        assert problem(found.other) == CONFLICT
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN interest i ON i.person = s.evaluator"
        " WHERE s.scored_at > i.declared_at"
    )
    assert late == 0


async def test_scores_racing_the_release_of_their_giver(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    tender = lot.tender
    await declare(tender.manager, tender)
    for turn in range(ROUNDS):
        person = await evaluator(world, lot, f"Ed Evaluator {turn}")
        found = await race(
            turn,
            scores(lot, person),
            release(tender.manager, tender.id, person, "quality_evaluator"),
        )
        assert found.other.status_code == 200, found.other.text
        # whoever has no duty left is told of no evaluation
        assert set(found.acts) <= {DONE, (404, "not-found"), (403, "duty-needed")}
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN duty d ON d.person = s.evaluator"
        " WHERE d.duty = 'quality_evaluator' AND s.scored_at > d.released_at"
    )
    assert late == 0


async def test_scores_racing_the_end_of_the_membership_they_are_given_by(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    group = lot.tender.manager.organisation
    administrator = await world.person("Ann Admin", group, Role.ADMINISTRATOR)
    for turn in range(ROUNDS):
        person = await evaluator(world, lot, f"Ed Evaluator {turn}")
        membership: UUID = await superuser.fetchval(
            "SELECT id FROM membership WHERE person = $1", person.id
        )
        found = await race(
            turn, scores(lot, person), administrator.delete(f"/memberships/{membership}")
        )
        assert found.other.status_code == 204, found.other.text
        assert {status for status, _ in found.acts} <= {201, 403, 404}
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN membership m ON m.person = s.evaluator"
        " WHERE s.scored_at > m.ended_at"
    )
    assert late == 0


async def test_scores_racing_the_end_of_the_delegation_they_are_given_under(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    tender = lot.tender
    administrator = await world.person("Ann Admin", tender.manager.organisation, Role.ADMINISTRATOR)
    federation = await world.organisation("04F")
    day = await today(world)
    person: Person | None = None
    for turn in range(ROUNDS):
        made = await delegate(
            administrator, federation, day - timedelta(days=1), day + timedelta(days=9)
        )
        assert made.status_code == 201, made.text
        if person is None:
            person = await evaluator(world, lot, "Fay Federation", "04F")
        found = await race(
            turn, scores(lot, person), end_delegation(administrator, made.json()["id"])
        )
        assert found.other.status_code == 201, found.other.text
        assert set(found.acts) <= {DONE, SUSPENDED}
        assert problem(await lot.score(person, 0, "Q2", "5")) == SUSPENDED
    assert person is not None
    outside = await superuser.fetchval(
        "SELECT count(*) FROM score s WHERE s.evaluator = $1 AND NOT EXISTS ("
        " SELECT 1 FROM award_delegation g JOIN award_delegation_ending n ON n.delegation = g.id"
        " WHERE s.scored_at BETWEEN g.recorded_at AND n.ended_at)",
        person.id,
    )
    assert outside == 0


async def test_scores_racing_their_giver_s_joining_a_bidder(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    bidder, _ = bidders(lot)
    for turn in range(ROUNDS):
        person = await evaluator(world, lot, f"Ed Evaluator {turn}")

        async def joined(who: Person = person) -> httpx.Response:
            await joins(superuser, who, bidder)
            return await lot.score(who, 0, "Q2", "2")

        found = await race(turn, scores(lot, person), joined())
        assert set(found.acts) <= {DONE, CONFLICT, (409, "changed-meanwhile")}
        assert problem(found.other) == CONFLICT
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN membership m ON m.person = s.evaluator"
        " WHERE m.organisation = $1 AND s.scored_at > m.started_at",
        bidder,
    )
    assert late == 0


async def test_whatever_forbids_an_act_waits_for_acts_in_flight(
    world: World, lot: EvaluatedLot, superuser: Any
) -> None:
    """Whoever acts shares their own row until they have finished; here somebody holds it open."""
    tender, (bidder, _) = lot.tender, bidders(lot)
    group = tender.manager.organisation
    administrator = await world.person("Ann Admin", group, Role.ADMINISTRATOR)
    day = await today(world)
    made = await delegate(
        administrator, await world.organisation("04F"), day, day + timedelta(days=9)
    )
    person = await evaluator(world, lot, "Fay Federation", "04F")
    own = await world.person("Fae Admin", person.organisation, Role.ADMINISTRATOR)
    pair = "reviewer", "quality_evaluator"
    exemption = await exempted(world, tender.guardian, tender.id, person, *pair)
    await declare(tender.manager, tender)
    membership = await superuser.fetchval("SELECT id FROM membership WHERE person = $1", person.id)
    decision = {
        "person": str(person.id),
        "bidder": str(bidder),
        "outcome": "must_leave",
        "reason": "The holding is larger than was said.",
    }
    for forbids in (
        revoke(tender.guardian, tender.id, exemption),
        tender.guardian.post(f"{tender.path}/conflict-decisions", decision),
        declare(person, tender, "financial", "Shares."),
        register_interest(world, person, organisation=str(bidder)),
        end_delegation(administrator, made.json()["id"]),
        release(tender.manager, tender.id, person, "quality_evaluator"),
        own.delete(f"/memberships/{membership}"),
    ):
        await superuser.execute("BEGIN")
        await superuser.execute("SELECT 1 FROM person WHERE id = $1 FOR SHARE", person.id)
        forbidding = asyncio.create_task(forbids)
        await asyncio.sleep(0.3)
        assert not forbidding.done(), str(forbids)
        await superuser.execute("COMMIT")
        answer = await forbidding
        if isinstance(answer, httpx.Response):
            assert answer.status_code in {200, 201, 204}, answer.text
