"""Lots as far along their evaluation as a test needs them, made through HTTP by the panel."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from tests.makers.bids import (
    OpenedTender,
    asked,
    bid_body,
    declare,
    open_bids,
    some_suppliers,
    submit,
)
from tests.makers.clock import advance_to
from tests.makers.snapshots import remembered
from tests.makers.tenders import PublishedTender, published_tender, requirement_of
from tests.makers.world import Person, World

REASON = "The panel found this in the answer and says so in a sentence."
PRICES = ("110.00", "100.00", "90.00")
"""Unit prices of the suppliers in their order: the last is the lowest and fails on quality."""

AGREED: tuple[Mapping[str, str], ...] = (
    {"Q1.1": "10", "Q1.2": "5", "Q2": "5"},
    {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
    {"Q1.1": "2", "Q1.2": "2", "Q2": "2"},
)
"""What the panel agrees of each supplier: good, exactly the minimum of half, and too little."""


class EvaluatedLot(msgspec.Struct, kw_only=True):
    """A lot under evaluation. `pseudonyms` are in the order of the suppliers."""

    world: World
    opened: OpenedTender
    number: int
    pseudonyms: tuple[str, ...]
    standstill_ends_at: datetime | None = None

    @property
    def tender(self) -> PublishedTender:
        """The tender and everybody who holds a duty in it."""
        return self.opened.tender

    @property
    def suppliers(self) -> tuple[Person, ...]:
        """The bid managers, in the order of their bids."""
        return self.opened.suppliers

    @property
    def id(self) -> UUID:
        """The lot's id."""
        return self.tender.lots[self.number]

    @property
    def path(self) -> str:
        """Where the lot is found."""
        return f"{self.tender.path}/lots/{self.number}"

    async def evaluation(self, person: Person | None = None) -> dict[str, Any]:
        """What a person, by default the moderator, sees of the evaluation."""
        answer = await (person or self.tender.moderator).get(f"{self.path}/evaluation")
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def act(self, person: Person, path: str, json: Any = None) -> httpx.Response:
        """Act on the lot's present version, whatever the answer."""
        version = (await self.evaluation(person))["version"]
        return await person.post(f"{self.path}{path}", json, version=version)

    async def done(self, person: Person, path: str, json: Any = None) -> dict[str, Any]:
        """Act on the lot's present version; the answer must be good."""
        answer = await self.act(person, path, json)
        assert answer.status_code == 201, answer.text
        given: dict[str, Any] = answer.json()
        return given

    async def score(  # noqa: PLR0913  # a score has this many parts
        self,
        person: Person,
        place: int,
        criterion: str,
        value: str,
        reason: str = REASON,
        *,
        kind: str = "scores",
        **options: Any,
    ) -> httpx.Response:
        """Give a score or, as `agreed-scores`, an agreed one, whatever the answer."""
        return await person.post(
            f"{self.path}/evaluation/bids/{self.pseudonyms[place]}/{kind}",
            {"criterion": criterion, "value": value, "reason": reason},
            **options,
        )

    async def score_all(
        self,
        person: Person,
        values: Sequence[Mapping[str, str]] = AGREED,
        *,
        kind: str = "scores",
    ) -> None:
        """Give every score of every bid; each must be accepted."""
        for place, pseudonym in enumerate(self.pseudonyms):
            if not pseudonym:
                continue
            for criterion, value in values[place].items():
                reason = f"{pseudonym} on {criterion}: {REASON}"
                answer = await self.score(person, place, criterion, value, reason, kind=kind)
                assert answer.status_code == 201, answer.text

    async def lock(self, person: Person) -> httpx.Response:
        """Lock one's scores, whatever the answer."""
        return await person.post(f"{self.path}/evaluation/locks")


BeforeOpening = Callable[[PublishedTender, Sequence[dict[str, Any]]], Awaitable[None]]
"""What is to happen to the tender and its bids, as submitted, before they are opened."""


Giving = Callable[[int, Person, PublishedTender, dict[str, Any]], Awaitable[dict[str, Any]]]
"""How the supplier at a place gives its bid, if not by `submit`."""


async def _submitted(
    _: int, person: Person, tender: PublishedTender, body: dict[str, Any]
) -> dict[str, Any]:
    return await submit(person, tender, 1, body)


@remembered
async def lot_to_score(  # noqa: PLR0913  # whatever a test may want otherwise
    world: World,
    *,
    prices: Sequence[str] = PRICES,
    minimum_quality: str = "50",
    before_opening: BeforeOpening | None = None,
    tender: Mapping[str, Any] | None = None,
    giving: Giving = _submitted,
    **given: Any,
) -> EvaluatedLot:
    """A lot whose bids are open, one for each price, and whose panel has declared no interest.

    A bid whose envelope does not open has the pseudonym "". `tender` adds to the body that begins
    the tender; `given` changes the requirement.
    """
    requirement = requirement_of(1, **given)
    requirement["lots"][0]["minimum_quality"] = minimum_quality
    published = await published_tender(world, requirement=requirement, **(tender or {}))
    suppliers = await some_suppliers(world, len(prices))
    bids = {}
    for place, price in enumerate(prices):
        body = bid_body(
            asked(published, 1), unit_prices=price, quality_text=f"Answer of supplier {place}."
        )
        bids[suppliers[place], 1] = await giving(place, suppliers[place], published, body)
    if before_opening is not None:
        await before_opening(published, list(bids.values()))
    await open_bids(world, published)
    return await with_panel(
        world, OpenedTender(tender=published, suppliers=suppliers, bids=bids), len(prices)
    )


async def with_panel(world: World, opened: OpenedTender, bids: int) -> EvaluatedLot:
    """The first lot of an opened tender, whose panel has declared no interest."""
    published = opened.tender
    for person in (
        *published.quality_evaluators,
        published.moderator,
        published.price_evaluator,
        *published.approvers,
        published.manager,
        published.contract_manager,
    ):
        await declare(person, published)
    return EvaluatedLot(
        world=world, opened=opened, number=1, pseudonyms=await _pseudonyms(published, bids)
    )


async def _pseudonyms(tender: PublishedTender, count: int) -> tuple[str, ...]:
    """Recognise the bids by their answers, as only a test can."""
    answer = await tender.moderator.get(f"{tender.path}/lots/1/evaluation/bids")
    assert answer.status_code == 200, answer.text
    by_text = {
        bid["answers"][0]["text"]: bid["pseudonym"]
        for bid in answer.json()["items"]
        if bid["answers"]
    }
    return tuple(by_text.get(f"Answer of supplier {place}.", "") for place in range(count))


@remembered
async def scored_lot(
    world: World, *, agreed: Sequence[Mapping[str, str]] = AGREED, **given: Any
) -> EvaluatedLot:
    """A lot that every evaluator has scored, all alike, and locked."""
    lot = await lot_to_score(world, **given)
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator, agreed)
        locked = await lot.lock(evaluator)
        assert locked.status_code == 201, locked.text
    return lot


@remembered
async def moderated_lot(
    world: World, *, agreed: Sequence[Mapping[str, str]] = AGREED, **given: Any
) -> EvaluatedLot:
    """A lot with every agreed score, ready for its quality to be locked."""
    lot = await scored_lot(world, agreed=agreed, **given)
    await lot.score_all(lot.tender.moderator, agreed, kind="agreed-scores")
    return lot


@remembered
async def locked_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose quality is locked."""
    lot = await moderated_lot(world, **given)
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    return lot


@remembered
async def priced_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose prices, of bids that passed, are open."""
    lot = await locked_lot(world, **given)
    await lot.done(lot.tender.price_evaluator, "/evaluation/price-opening")
    return lot


@remembered
async def ranked_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose bids are ranked; with the default figures supplier 0 is first."""
    lot = await priced_lot(world, **given)
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    return lot


@remembered
async def recommended_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose first bid is recommended."""
    lot = await ranked_lot(world, **given)
    answer = await recommend(lot)
    assert answer.status_code == 201, answer.text
    return lot


@remembered
async def awarded_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot that a quorum, a lay member in it, has awarded."""
    lot = await recommended_lot(world, **given)
    for approver in lot.tender.approvers:
        answer = await approve(lot, approver)
        assert answer.status_code == 201, answer.text
    return lot


@remembered
async def notified_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose bidders have their notices, in its standstill."""
    lot = await awarded_lot(world, **given)
    sent = await lot.done(lot.tender.manager, "/award-notices")
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    return lot


@remembered
async def contracted_lot(world: World, **given: Any) -> EvaluatedLot:
    """A lot whose contract was made after its standstill."""
    lot = await notified_lot(world, **given)
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    return lot


async def recommend(lot: EvaluatedLot, place: int = 0, **options: Any) -> httpx.Response:
    """Recommend a supplier's bid, whatever the answer."""
    body = {"pseudonym": lot.pseudonyms[place], "reason": REASON}
    return await lot.tender.moderator.post(f"{lot.path}/recommendations", body, **options)


async def approve(
    lot: EvaluatedLot, approver: Person, outcome: str = "approved", **options: Any
) -> httpx.Response:
    """Answer the recommendation, whatever comes of it."""
    body = {"outcome": outcome, "reason": "The record shows how each score was reached."}
    return await approver.post(f"{lot.path}/approvals", body, **options)


async def end_standstill(lot: EvaluatedLot) -> None:
    """Let the standstill pass, in which the winner is verified."""
    assert lot.standstill_ends_at is not None
    await verify_winner(lot)
    await advance_to(lot.world, lot.standstill_ends_at + timedelta(seconds=1))


def check_body(check: Mapping[str, Any], outcome: str = "verified") -> dict[str, Any]:
    """What was found of something that is checked."""
    return {
        "check": check["check"],
        "participant": check["participant"],
        "outcome": outcome,
        "reason": "The documents that the supplier sent show what it declared.",
        "evidence": "File P-12, page 4",
    }


async def verify_winner(lot: EvaluatedLot) -> None:
    """Verify everything that the winner of the award that stands declared."""
    manager = lot.tender.manager
    shown = await manager.get(f"{lot.path}/award-checks")
    assert shown.status_code == 200, shown.text
    for check in shown.json()["checks"]:
        answer = await manager.post(f"{lot.path}/award-checks", check_body(check))
        assert answer.status_code == 201, answer.text


def contract_body(**changes: Any) -> dict[str, Any]:
    """A right contract."""
    return {
        "reference": "BLMK-17",
        "starts": "2030-07-01",
        "ends": "2033-06-30",
        **changes,
    }
