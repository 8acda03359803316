"""Any sequence of interests, memberships and decisions: who acts is unconflicted, as said here."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as some

from market.settings import Settings
from tests.makers.bids import declare
from tests.makers.conflicts import (
    bidders,
    colleague,
    decide,
    ended,
    evaluated,
    give,
    joins,
    leaves,
    problem,
    registered,
)
from tests.makers.evaluation import EvaluatedLot
from tests.makers.tenders import offer
from tests.makers.world import Person, World

BIDDER = some.integers(0, 1)
KINDS = ("none", "financial", "indirect")
RELATIONSHIPS = ("shareholder", "adviser", "director")
OUTCOMES = ("no_action", "may_discuss", "must_leave", "removed")
STEPS = some.one_of(
    some.tuples(some.just("declare"), BIDDER, some.sampled_from(KINDS)),
    some.tuples(some.just("register"), BIDDER, some.sampled_from(RELATIONSHIPS)),
    some.tuples(some.just("decide"), BIDDER, some.sampled_from(OUTCOMES[:3])),
    some.tuples(some.just("decide"), BIDDER, some.just("no_action")),
    some.tuples(some.just("decide"), BIDDER, some.sampled_from(OUTCOMES)),
    some.tuples(some.just("end"), BIDDER, some.none()),
    some.tuples(some.just("correct"), BIDDER, some.none()),
    some.tuples(some.just("join"), BIDDER, some.none()),
    some.tuples(some.just("leave"), BIDDER, some.none()),
)
REMOVES = {"end", "correct", "leave"}


class About(msgspec.Struct):
    """What has happened between one person and one bidder, by the number of the step."""

    interest: int = 0
    serves: bool = False
    decided: int = 0
    outcome: str | None = None

    def stands(self) -> str | None:
        """What stands between them: None, or the worst of it."""
        if self.serves:
            return "out"
        if self.outcome == "must_leave":
            return "out"
        if self.interest > self.decided:
            return "out"
        return "discuss" if self.outcome == "may_discuss" else None


class Panel(msgspec.Struct):
    """A person on the panel as DESIGN section 5 has it, told without asking the market."""

    about: tuple[About, About]
    removed: bool = False
    now: int = 0

    def scores(self) -> bool:
        """Whether the person may score."""
        return not self.removed and all(one.stands() is None for one in self.about)

    def reads(self) -> bool:
        """Whether the person may read the bids."""
        return not self.removed and all(one.stands() != "out" for one in self.about)

    def hear(self, act: str, which: int, what: Any) -> bool:
        """Take a step into account; say whether the market must carry it out."""
        self.now += 1
        about = self.about[which]
        if act == "declare" and self.removed:
            return False
        if act == "decide":
            if self.removed or (about.serves and what in OUTCOMES[:2]):
                return False
            self.removed = what == "removed"
            about.decided, about.outcome = self.now, what
        elif act == "join" or (act, what) == ("register", "director"):
            about.serves = True
        elif act == "register" or (act == "declare" and what != "none"):
            about.interest = self.now
        return True


class Evaluator:
    """A person on the panel, and what may happen to them."""

    def __init__(self, superuser: Any, lot: EvaluatedLot, person: Person) -> None:
        """They have declared an interest in nobody."""
        self.superuser, self.lot, self.person = superuser, lot, person
        self.entries: tuple[list[UUID], list[UUID]] = ([], [])
        self.member = [False, False]
        self.panel = Panel(about=(About(), About()))

    async def step(self, act: str, which: int, what: Any) -> None:
        """Carry one thing out, and compare what was answered with what had to be."""
        if self._impossible(act, which):
            return
        bidder = bidders(self.lot)[which]
        lawful = self.panel.hear(act, which, what)
        tender = self.lot.tender
        if act == "declare":
            said = {"bidder": str(bidder), "interest": what, "details": "It is said here."}
            answer = await self.person.post(f"{tender.path}/declarations", {"declarations": [said]})
            assert (answer.status_code == 201) == lawful, answer.text
        elif act == "decide":
            answer = await decide(tender.guardian, tender.id, self.person, bidder, what)
            assert (answer.status_code == 201) == lawful, answer.text
        elif act == "register":
            entry = await registered(
                self.superuser, self.person, organisation=bidder, relationship=what
            )
            self.entries[which].append(entry)
        elif act == "end":
            entry = self.entries[which].pop()
            await ended(self.superuser, self.person, entry, date(2021, 1, 1))
        elif act == "correct":
            wrong = self.entries[which].pop()
            await registered(self.superuser, self.person, supersedes=wrong)
        else:
            await self._moves(act, which, bidder)

    def _impossible(self, act: str, which: int) -> bool:
        """One ends only what there is, and joins only what one is not in."""
        if act in {"end", "correct"}:
            return not self.entries[which]
        return act in {"join", "leave"} and self.member[which] == (act == "join")

    async def _moves(self, act: str, which: int, bidder: UUID) -> None:
        self.member[which] = act == "join"
        if act == "join":
            await joins(self.superuser, self.person, bidder)
        else:
            await leaves(self.superuser, self.person, bidder)

    async def allowed(self) -> frozenset[str]:
        """Everything the person is let do in the tender now, by the operation's name.

        The acts are tried with what no lawful one could be: they are refused for that, or before.
        """
        lot, person, tender = self.lot, self.person, self.lot.tender
        tried = {
            f"GET {path}": await person.get(path)
            for path in (
                f"{lot.path}/evaluation",
                f"{lot.path}/evaluation/bids",
                f"{lot.path}/evaluation/scores",
                f"{lot.path}/evaluation/ranking",
                f"{tender.path}/opening",
                f"{tender.path}/bidders",
                f"{tender.path}/declarations",
                f"{tender.path}/duties",
                f"{tender.path}/record",
                f"{tender.path}/requirement/versions",
            )
        }
        tried["score"] = await lot.score(person, 0, "NONE", "5")
        tried["lock"] = await lot.lock(person)
        tried["assign"] = await offer(tender.manager, tender.id, person, "quality_evaluator")
        tried["agree"] = await lot.score(person, 0, "NONE", "5", kind="agreed-scores")
        tried["confirm"] = await person.post(f"{tender.path}/opening-confirmations")
        assert not {answer.status_code for answer in tried.values()} & {429, 500, 503}
        missing = {"GET": {403, 404}}
        return frozenset(
            name
            for name, answer in tried.items()
            if answer.status_code not in missing.get(name.split(" ", maxsplit=1)[0], {403})
        )

    async def holds(self) -> None:
        """What the market lets the person do is what the model says."""
        scored = await self.lot.score(self.person, 0, "Q1.1", "5")
        assert (scored.status_code == 201) == self.panel.scores(), (scored.text, self.panel)
        read = await self.person.get(f"{self.lot.path}/evaluation/bids")
        assert (read.status_code == 200) == self.panel.reads(), (read.text, self.panel)


@pytest.fixture
def settings() -> Settings:
    """As other tests run, without the limit of one tender, which is asked much here."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        credential_requests_per_minute=1_000_000,
        tender_requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
    )


@pytest.fixture
async def lot(world: World) -> EvaluatedLot:
    found = await evaluated(world)
    await declare(found.tender.manager, found.tender)
    return found


async def newcomer(world: World, superuser: Any, lot: EvaluatedLot) -> Evaluator:
    """Somebody new on the panel, who has declared no interest."""
    person = await colleague(world, f"Ed Evaluator {uuid4()}")
    given_duty = await give(lot.tender.manager, lot.tender.id, person, "quality_evaluator")
    assert given_duty.status_code == 201, given_duty.text
    await declare(person, lot.tender)
    return Evaluator(superuser, lot, person)


ON_ONE_LOT = bounded(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ON_ONE_LOT
@given(steps=some.lists(STEPS, min_size=3, max_size=15))
async def test_who_scores_and_reads_is_unconflicted_whatever_happened(
    world: World, superuser: Any, lot: EvaluatedLot, steps: list[tuple[str, int, Any]]
) -> None:
    """The same lot serves every example; each has an evaluator of its own."""
    evaluator = await newcomer(world, superuser, lot)
    await evaluator.holds()
    for act, which, what in steps:
        await evaluator.step(act, which, what)
        await evaluator.holds()


@ON_ONE_LOT
@given(steps=some.lists(STEPS, min_size=2, max_size=12))
async def test_removing_an_interest_never_widens_what_a_person_may_do(
    world: World, superuser: Any, lot: EvaluatedLot, steps: list[tuple[str, int, Any]]
) -> None:
    """Ending, correcting, leaving, saying none: after any history, and again at its end."""
    evaluator = await newcomer(world, superuser, lot)
    endings = [(act, which, None) for act in sorted(REMOVES) for which in (0, 1)]
    nones = [("declare", which, "none") for which in (0, 1)]
    before = await evaluator.allowed()
    for act, which, what in [*steps, *endings, *nones]:
        removes = act in REMOVES or (act, what) == ("declare", "none")
        if removes and not before:
            before = await evaluator.allowed()
        await evaluator.step(act, which, what)
        after = await evaluator.allowed() if removes else frozenset()
        assert after <= before, (act, which)
        before = after


async def test_the_model_and_the_market_agree_on_a_story(
    world: World, superuser: Any, lot: EvaluatedLot
) -> None:
    """The properties above would prove little if hardly anything in them ever happened."""
    evaluator = await newcomer(world, superuser, lot)
    told = []
    for act, which, what in (
        ("declare", 0, "financial"),
        ("decide", 0, "may_discuss"),
        ("decide", 0, "no_action"),
        ("register", 1, "shareholder"),
        ("end", 1, None),
        ("decide", 1, "no_action"),
        ("register", 1, "adviser"),
        ("correct", 1, None),
        ("decide", 1, "no_action"),
        ("decide", 0, "must_leave"),
        ("declare", 0, "none"),
        ("decide", 0, "no_action"),
        ("join", 1, None),
        ("decide", 1, "no_action"),
        ("leave", 1, None),
        ("decide", 1, "removed"),
    ):
        await evaluator.step(act, which, what)
        await evaluator.holds()
        told.append((evaluator.panel.scores(), evaluator.panel.reads()))
    out, discuss, free = (False, False), (False, True), (True, True)
    assert told == [
        *(out, discuss, free),
        *(out, out, free),
        *(out, out, free),
        *(out, out, free),
        *(out, out, out, out),
    ]
    assert problem(await lot.score(evaluator.person, 0, "Q2", "5")) == (403, "duty-suspended")
    assert "score" not in await evaluator.allowed()
