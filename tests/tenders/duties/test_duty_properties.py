"""Any sequence of acts on duties: no person ever comes to hold a pair that nobody may hold."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from market.actor import Role
from tests.makers.clock import advance_to
from tests.makers.conflicts import (
    Draft,
    colleague,
    declare_on_duty,
    draft,
    exempt,
    joins,
    leaves,
    problem,
    revoke,
)
from tests.makers.matrix import DUTIES, EXPECTED, pairs
from tests.makers.tenders import market_time, offer, requirement_of
from tests.makers.world import Person, World

PEOPLE = 3
DEFAULTS = sorted(pair for pair in pairs("D") if pair[0] < pair[1])
WHO = some.integers(0, PEOPLE - 1)
STEPS = some.one_of(
    some.tuples(some.just("assign"), WHO, some.sampled_from(DUTIES)),
    some.tuples(some.just("assign"), WHO, some.sampled_from(("author", "reviewer", "opener"))),
    some.tuples(some.just("take_up"), WHO, some.none()),
    some.tuples(some.just("edit"), WHO, some.none()),
    some.tuples(some.just("release"), WHO, some.integers(0, 5)),
    some.tuples(some.just("exempt"), WHO, some.sampled_from(DEFAULTS)),
    some.tuples(some.just("exempt_briefly"), WHO, some.sampled_from(DEFAULTS)),
    some.tuples(some.just("revoke"), WHO, some.integers(0, 5)),
    some.tuples(some.just("wait"), WHO, some.none()),
    some.tuples(some.just("leave"), WHO, some.none()),
    some.tuples(some.just("return"), WHO, some.none()),
)

# Of every two duties of one person in one tender, the later and when it was given.
_PAIRS = """
SELECT a.person, a.duty AS first, b.duty AS second, b.assigned_at AS at
FROM duty a JOIN duty b ON b.tender = a.tender AND b.person = a.person AND a.id <> b.id
    AND (a.assigned_at, a.id) < (b.assigned_at, b.id)
WHERE a.tender = $1
"""
_EXEMPTED = """
SELECT EXISTS (
    SELECT 1 FROM exemption e LEFT JOIN exemption_revocation r ON r.exemption = e.id
    WHERE e.tender = $1 AND e.person = $2 AND e.one = $3 AND e.other = $4
      AND $5 BETWEEN e.granted_at AND least(e.expires_at, r.revoked_at))
"""
# Whoever edited was the tender's author or manager then, had declared, and was a member.
_UNLAWFUL_EDITS = """
SELECT count(*) FROM requirement_version v WHERE v.tender = $1 AND NOT EXISTS (
    SELECT 1 FROM duty d JOIN membership m ON m.person = d.person
        AND m.organisation = d.organisation
    JOIN duty_declaration x ON x.tender = d.tender AND x.person = d.person
    WHERE d.tender = $1 AND d.person = v.edited_by AND d.duty IN ('author', 'tender_manager')
      AND v.edited_at >= d.assigned_at AND (d.released_at IS NULL OR v.edited_at <= d.released_at)
      AND (m.ended_at IS NULL OR v.edited_at <= m.ended_at)
      AND x.declared_at BETWEEN d.assigned_at AND v.edited_at)
  AND NOT EXISTS (
    SELECT 1 FROM duty d WHERE d.tender = $1 AND d.person = v.edited_by AND d.duty = 'author'
      AND d.assigned_by = d.person AND d.assigned_at < v.edited_at)
"""


class Life:
    """A tender and three people in it, to whom anything may happen."""

    def __init__(self, world: World, superuser: Any, tender: Draft, people: list[Person]) -> None:
        """Nothing has happened yet."""
        self.world, self.superuser, self.tender, self.people = world, superuser, tender, people

    async def step(self, act: str, who: int, what: Any) -> httpx.Response | None:
        """Let one thing be tried; whether it succeeds is the market's to say."""
        if act in {"wait", "leave", "return"}:
            await self._happen(act, who)
            return None
        if act in {"exempt", "exempt_briefly", "revoke"}:
            return await self._guard(act, self.people[who], what)
        return await self._act(act, self.people[who], what)

    async def _act(self, act: str, person: Person, what: Any) -> httpx.Response | None:
        """What the manager and the people themselves do."""
        tender = self.tender
        if act == "assign":
            return await offer(tender.manager, tender.id, person, what)
        if act == "take_up":
            return await declare_on_duty(person, tender.id)
        if act == "edit":
            version = (await person.get(tender.path)).json().get("version", 1)
            return await person.put(
                f"{tender.path}/requirement", requirement_of(1), version=version
            )
        held = (await tender.manager.get(f"{tender.path}/duties")).json()
        mine = [one["id"] for one in held if one["person"] == str(person.id)]
        if not mine:
            return None
        return await tender.manager.delete(f"{tender.path}/duties/{mine[what % len(mine)]}")

    async def _guard(self, act: str, person: Person, what: Any) -> httpx.Response | None:
        """What the guardian does."""
        tender, changes = self.tender, {}
        if act == "revoke":
            granted = (await tender.guardian.get(f"{tender.path}/exemptions")).json()
            if not granted:
                return None
            return await revoke(tender.guardian, tender.id, granted[what % len(granted)]["id"])
        if act == "exempt_briefly":
            soon = await market_time(self.world) + timedelta(hours=1)
            changes["expires_at"] = soon.isoformat()
        return await exempt(self.world, tender.guardian, tender.id, person, *what, **changes)

    async def _happen(self, act: str, who: int) -> None:
        """What comes about elsewhere."""
        person = self.people[who]
        if act == "wait":
            await advance_to(self.world, await market_time(self.world) + timedelta(minutes=40))
        elif act == "leave":
            await leaves(self.superuser, person, person.organisation)
        else:
            self.people[who] = await self._returned(person)

    async def _returned(self, person: Person) -> Person:
        member = await self.superuser.fetchval(
            "SELECT EXISTS (SELECT 1 FROM membership WHERE person = $1 AND ended_at IS NULL)",
            person.id,
        )
        if member:
            return person
        return await joins(self.superuser, person, person.organisation, Role.COMMISSIONER)

    async def holds(self) -> None:
        """What must be so after every step, looked up past every guard."""
        for row in await self.superuser.fetch(_PAIRS, self.tender.id):
            pair = row["first"], row["second"]
            assert EXPECTED[pair] != "F", pair
            if EXPECTED[pair] == "D":
                lawful = await self.superuser.fetchval(
                    _EXEMPTED, self.tender.id, row["person"], *sorted(pair), row["at"]
                )
                assert lawful, pair
        assert await self.superuser.fetchval(_UNLAWFUL_EDITS, self.tender.id) == 0
        for person in self.people:
            await self._works_lawfully(person)

    async def _works_lawfully(self, person: Person) -> None:
        """Of duties in force no two need an exemption that is not there."""
        view = await person.get(self.tender.path)
        working = view.json()["my_duties"] if view.status_code == 200 else []
        rows = await self.superuser.fetch(
            "SELECT duty, released_at FROM duty WHERE tender = $1 AND person = $2",
            self.tender.id,
            person.id,
        )
        held = {row["duty"] for row in rows}
        assert set(working) <= {row["duty"] for row in rows if row["released_at"] is None}
        now = await self.superuser.fetchval("SELECT market_now()")
        for one in working:
            for other in held - {one}:
                if EXPECTED[one, other] == "D":
                    pair = sorted((one, other))
                    assert await self.superuser.fetchval(
                        _EXEMPTED, self.tender.id, person.id, *pair, now
                    ), pair


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=some.lists(STEPS, min_size=10, max_size=25))
async def test_no_sequence_of_acts_leads_to_a_forbidden_pair(
    world: World, superuser: Any, steps: list[tuple[str, int, Any]]
) -> None:
    """The same database serves every example; each has a tender and people of its own."""
    tender = await draft(world)
    people = [await colleague(world, f"Person {number} {uuid4()}") for number in range(PEOPLE)]
    life = Life(world, superuser, tender, people)
    for act, who, what in steps:
        answer = await life.step(act, who, what)
        if answer is not None:
            assert answer.status_code < 500, answer.text
            assert problem(answer)[0] in {200, 201, 400, 403, 404, 409, 412}, answer.text
        await life.holds()


async def test_the_steps_reach_what_they_are_about(world: World, superuser: Any) -> None:
    """The machine above would prove nothing if nothing in it ever succeeded."""
    tender = await draft(world)
    person = await colleague(world)
    life = Life(world, superuser, tender, [person])
    codes = []
    for act, what in (
        ("exempt", ("author", "quality_evaluator")),
        ("assign", "author"),
        ("take_up", None),
        ("edit", None),
        ("assign", "quality_evaluator"),
        ("take_up", None),
        ("assign", "opener"),
        ("edit", None),
        ("revoke", 0),
        ("edit", None),
        ("exempt_briefly", ("author", "quality_evaluator")),
        ("edit", None),
        ("release", 0),
        ("wait", None),
        ("wait", None),
        ("edit", None),
        ("leave", None),
        ("return", None),
        ("assign", "contract_manager"),
    ):
        answer = await life.step(act, 0, what)
        codes.append((act, None if answer is None else answer.status_code))
        await life.holds()
    assert codes == [
        ("exempt", 201),
        ("assign", 201),
        ("take_up", 201),
        ("edit", 200),
        ("assign", 201),
        ("take_up", 201),
        ("assign", 403),
        ("edit", 200),
        ("revoke", 201),
        ("edit", 403),
        ("exempt_briefly", 201),
        ("edit", 200),
        ("release", 200),
        ("wait", None),
        ("wait", None),
        ("edit", 403),
        ("leave", None),
        ("return", None),
        ("assign", 201),
    ]
