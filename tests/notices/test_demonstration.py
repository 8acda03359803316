"""The whole competition of the demonstration, and whom each of its acts is told to."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import httpx

from market.actor import Actor
from market.demo.bidders import BIDDERS
from market.demo.cast import BUYERS, REGISTRAR
from market.demo.desk import Office
from market.demo.play import Play
from market.people.commands import create_operator
from tests.makers.noticing import Noticed, Noticing
from tests.makers.world import World

PASSWORD = "six bright kites at noon"  # noqa: S105  # everybody's, in this journey

SUPPLIERS = tuple(bidder.key for bidder in BIDDERS)
EACH_BID = tuple(bidder.key for bidder in BIDDERS for _ in bidder.answers)
"""The bidders, once for each lot for which they bid."""
ABOUT_BIDS = tuple(person.key for person in BUYERS if person.key not in {"author", "reviewer"})
"""Whoever declares against the bidders."""
OF_THE_REGISTER = {"confirmation-of-interests-due", "confirmations-overdue"}
"""Kinds that follow the calendar, and not the competition."""


def _told(**people: tuple[str, ...]) -> Counter[tuple[str, str]]:
    return Counter(
        (kind.replace("_", "-"), person) for kind, told in people.items() for person in told
    )


EXPECTED = {
    "Buyers take their seats": _told(),
    "Suppliers of three kinds apply and are admitted": _told(
        application_waiting=("registrar",) * 5, application_decided=SUPPLIERS
    ),
    "The author drafts the requirement": _told(duty_offered=("author",)),
    "Duties are given, and a forbidden one refused": _told(
        duty_offered=tuple(
            person.key for person in BUYERS if person.duties and person.key != "author"
        )
    ),
    "An independent reviewer approves": _told(
        review_requested=("reviewer",), requirement_reviewed=("author", "lead")
    ),
    "The lead publishes": _told(opportunity_matching=("arden-gem",)),
    "Five suppliers bid, sealed": _told(bid_received=EACH_BID),
    "The deadline passes; openers declare and confirm": _told(
        declaration_due=ABOUT_BIDS,
        bids_opened=(*SUPPLIERS, "lead", "guardian", "opener_one", "opener_two"),
    ),
    "Evaluators score alone and blind": _told(
        scores_due=("evaluator_one", "evaluator_two", "evaluator_three"),
        moderation_due=("moderator",) * 2,
    ),
    "The moderator records agreed scores; quality is locked": _told(
        quality_decided=("price_evaluator",) * 2
    ),
    "Prices of the bids that passed are opened and ranked": _told(
        recommendation_due=("moderator",) * 2
    ),
    "An interest nobody mentioned comes out": _told(conflict_to_decide=("guardian",)),
    # and the approver who must leave is asked for nothing any more
    "Recommendation and approval": _told(
        approval_due=("approver", "lay_member", "luton_approver", "keynes_approver") * 2,
        notices_due=("lead",) * 2,
        buyer_decision_due=("luton_approver", "keynes_approver") * 2,
    ),
    "Every bidder gets a notice; standstill": _told(outcome=EACH_BID),
    "Contracts": _told(
        standstill_over=("contract_manager", "lead") * 2,
        contract_made=("lead", "guardian") * 6 + ("central-eastern", "greensand") * 3,
    ),
    "The record answers for itself": _told(),
}
"""Everybody to whom something is told in each chapter, and what, as often as it is."""


class Watched(Office):
    """An office after each of whose acts the worker makes its notices, so that none is missed."""

    def __init__(self, client: httpx.AsyncClient, notices: Noticing) -> None:
        """Notice from the beginning."""
        super().__init__(client, PASSWORD)
        self.notices = notices
        self.fresh: list[Noticed] = []

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; what changes something is noticed at once."""
        answer = await super().send(method, path, **options)
        if method != "GET":
            self.fresh += await self.notices.catch_up()
        return answer


async def _started(world: World, notices: Noticing) -> tuple[Watched, Play]:
    office = Watched(world.client, notices)
    invitation = await create_operator(Actor(), REGISTRAR.email, 3600, world.vault)
    assert invitation is not None
    return office, Play(office, invitation.secret, lambda _: None)


def _names(play: Play) -> dict[UUID, str]:
    return {UUID(desk.person): key for key, desk in play.desks.items()}


async def test_each_chapter_is_told_to_exactly_those_whom_it_concerns(
    world: World, notices: Noticing
) -> None:
    office, play = await _started(world, notices)
    by_the_calendar: Counter[tuple[str, str]] = Counter()
    for title, chapter in play.chapters():
        office.fresh.clear()
        if title == "The lead publishes":
            await play.desks["arden-gem"].post(
                "/saved-searches", {"name": "Analysis", "service_lines": ["bi-benchmarking"]}
            )
            await play.desks["greensand"].post(
                "/saved-searches", {"name": "Cheap", "maximum_value": "100000.00"}
            )
        await chapter()
        names = _names(play)
        told = Counter((one.kind, names[one.person]) for one in office.fresh)
        by_the_calendar += Counter(
            {pair: n for pair, n in told.items() if pair[0] in OF_THE_REGISTER}
        )
        found = Counter({pair: n for pair, n in told.items() if pair[0] not in OF_THE_REGISTER})
        assert found == EXPECTED[title], title
    units = ("central-eastern", "arden-gem")
    assert set(by_the_calendar) == {
        ("confirmations-overdue", "guardian"),
        *(
            ("confirmation-of-interests-due", key)
            for key in (*(person.key for person in BUYERS), *units, "registrar")
        ),
    }


async def test_no_notice_holds_what_is_sealed_or_withheld(
    world: World, notices: Noticing, superuser: Any
) -> None:
    office, play = await _started(world, notices)
    for title, chapter in play.chapters():
        before = len(office.fresh)
        await chapter()
        _assert_discreet(play, office.fresh)
        if title == "Five suppliers bid, sealed":
            await _assert_told_to_the_bidder_alone(play, office.fresh[before:])
    assert len({one.kind for one in office.fresh}) > 15
    for one in office.fresh:
        assert await superuser.fetchval(
            "SELECT EXISTS (SELECT 1 FROM membership WHERE person = $1 AND organisation = $2)",
            one.person,
            one.organisation,
        ), one


NUMBERS = {"lot", "lots", "variant", "version", "hours", "late"}
"""The only facts that are numbers."""
FORBIDDEN = ("price", "score", "point", "total", "rank", "place", "pseudonym", "bidder", "reason")
"""What no fact is named by."""


def _assert_discreet(play: Play, fresh: list[Noticed]) -> None:
    names = _names(play)
    figures = {price for one in BIDDERS for lot in one.prices.values() for price in lot.values()}
    texts = {text for one in BIDDERS for lot in one.answers.values() for text in lot.values()}
    for one in fresh:
        said = json.dumps(one.facts) + repr(one.letter)
        assert not [figure for figure in figures if figure in said], one
        assert not [text for text in texts if text in said], one
        assert "Bidder A" not in said
        for name, value in one.facts.items():
            assert not [word for word in FORBIDDEN if word in name.lower()], one
            numbers = value if isinstance(value, list) else [value]
            if any(type(number) in {int, float} for number in numbers):
                assert name in NUMBERS, one
        if one.kind.startswith("application-"):
            continue
        for bidder in BIDDERS:
            whose = names.get(one.person)
            if whose != bidder.key:
                assert bidder.name not in said, one
                assert play.desks[bidder.key].organisation not in said, one


async def _assert_told_to_the_bidder_alone(play: Play, fresh: list[Noticed]) -> None:
    assert {one.kind for one in fresh} == {"bid-received"}
    for one in fresh:
        desk = play.desks[_names(play)[one.person]]
        assert str(one.organisation) == desk.organisation
        assert (await desk.get(f"/bids/{one.facts['bid']}"))["version"] == one.facts["version"]
