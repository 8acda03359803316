"""Bids given, replaced and withdrawn in every order, compared at each step with a small model.

`MODEL_RUNS` says how many orders are tried (15), `MODEL_STEPS` how long each may be (30).
"""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from market.embedded import EmbeddedPostgres
from market.settings import Settings
from market.vault import Vault
from tests.conftest import APP_PASSWORD
from tests.journeys.model import Model
from tests.makers.bids import asked, bid_body, close_bidding, confirm, declare
from tests.makers.moving import Databases, MovingMarket
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

RUNS = int(os.environ.get("MODEL_RUNS", "15"))
STEPS = int(os.environ.get("MODEL_STEPS", "30"))
LOTS = (1, 2)
BIDDERS = ("Ada", "Ben", "Cleo")
OPENERS = (0, 1)

Bidder = st.sampled_from(BIDDERS)
Lot = st.sampled_from(LOTS)
Offer = st.sampled_from(("First", "Second", "Third"))
Behind = st.sampled_from((0, 0, 0, 0, 1, -1))
"""How many versions ago somebody read what they change; mostly none."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A published tender in a database of its own, copied for every order of acts."""

    market: MovingMarket
    database: str
    world: World
    tender: PublishedTender
    bidders: dict[str, Person]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was accepted, to be sent again."""

    person: Person
    method: str
    path: str
    options: dict[str, Any]
    answer: bytes


async def _stage(market: MovingMarket, template: str) -> Stage:
    name = f"model_{secrets.token_hex(6)}"
    await market.databases.clone(template, name)
    world = World(market.client, market.vault)
    async with market.over(name):
        tender = await published_tender(world)
        bidders = {bidder: await admitted_supplier(world, bidder) for bidder in BIDDERS}
    return Stage(market=market, database=name, world=world, tender=tender, bidders=bidders)


@pytest.fixture
def stage(server: EmbeddedPostgres, template: str, vault: Vault) -> Iterator[Stage]:
    """The tender, before anybody bids."""
    settings = Settings(requests_per_minute=10_000_000, tender_requests_per_minute=10_000_000)
    market = MovingMarket(Databases(server=server, password=APP_PASSWORD), settings, vault)
    made = asyncio.run(_stage(market, template))
    yield made
    asyncio.run(market.databases.drop(made.database))


def _refusal(answer: httpx.Response) -> str | None:
    """The name of a refusal; None of what was accepted."""
    if answer.status_code < 400:
        return None
    kind: str = answer.json()["type"]
    return kind.rpartition("/")[2]


class Bidding(RuleBasedStateMachine):
    """The market and the model, which are told the same and must answer the same."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        """Copy the stage, and serve from the copy."""
        super().__init__()
        self.model = Model()
        self.accepted: list[Sent] = []
        self.ids: dict[tuple[str, int], str] = {}
        self._database = f"model_{secrets.token_hex(6)}"
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()

    @initialize()
    def begin(self) -> None:
        """Begin anew."""
        market = self.stage.market
        self._runner.run(market.databases.clone(self.stage.database, self._database))
        self._runner.run(self._stack.enter_async_context(market.over(self._database)))

    def teardown(self) -> None:
        """Leave no database behind."""
        self._runner.run(self._stack.aclose())
        self._runner.run(self.stage.market.databases.drop(self._database))
        self._runner.close()

    # ------------------------------------------------------------------------------------- bidders

    @rule(bidder=Bidder, lot=Lot, offer=Offer)
    def submit(self, bidder: str, lot: int, offer: str) -> None:
        """Give a bid."""
        path = f"{self.stage.tender.path}/lots/{lot}/bids"
        answer = self._send(bidder, "POST", path, json=self._body(lot, offer))
        assert _refusal(answer) == self.model.submit(bidder, lot, offer), answer.text
        if answer.status_code == 201:
            self.ids[bidder, lot] = answer.json()["bid"]

    @rule(bidder=Bidder, lot=Lot, offer=Offer, behind=Behind)
    def replace(self, bidder: str, lot: int, offer: str, behind: int) -> None:
        """Replace a bid, one's own."""
        read = self._read(bidder, lot, behind)
        path = f"/bids/{self.ids.get((bidder, lot), uuid4())}"
        answer = self._send(bidder, "PUT", path, json=self._body(lot, offer), version=read)
        assert _refusal(answer) == self.model.replace(bidder, lot, offer, read=read), answer.text

    @rule(bidder=Bidder, lot=Lot, behind=Behind)
    def withdraw(self, bidder: str, lot: int, behind: int) -> None:
        """Withdraw a bid, one's own."""
        read = self._read(bidder, lot, behind)
        path = f"/bids/{self.ids.get((bidder, lot), uuid4())}"
        answer = self._send(bidder, "DELETE", path, version=read)
        assert _refusal(answer) == self.model.withdraw(bidder, lot, read=read), answer.text

    @precondition(lambda self: self.ids)
    @rule(bidder=Bidder, data=st.data())
    def reach_for_another_s(self, bidder: str, data: st.DataObject) -> None:
        """Withdraw a bid that is somebody else's."""
        owner, lot = data.draw(st.sampled_from(sorted(self.ids)))
        if owner != bidder:
            answer = self._send(bidder, "DELETE", f"/bids/{self.ids[owner, lot]}", version=1)
            assert _refusal(answer) == "not-found", answer.text

    @precondition(lambda self: self.accepted)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Send again what was accepted, with its key: the answer is the same, whatever happened."""
        sent = data.draw(st.sampled_from(self.accepted))
        answer = self._run(sent.person.request(sent.method, sent.path, **sent.options))
        assert answer.content == sent.answer

    # ------------------------------------------------------------------------------------- openers

    @precondition(lambda self: not self.model.closed and len(self.accepted) > 3)
    @rule()
    def close(self) -> None:
        """Let the deadline pass."""
        self._run(close_bidding(self.stage.world, self.stage.tender))
        self.model.closed = True

    @precondition(lambda self: self.accepted)
    @rule(opener=st.sampled_from(OPENERS))
    def confirm(self, opener: int) -> None:
        """Declare, as far as bidders are known, and confirm the opening."""
        person = self.stage.tender.openers[opener]
        if self.model.closed:
            self._run(declare(person, self.stage.tender))
        answer = self._run(confirm(person, self.stage.tender))
        assert _refusal(answer) == self.model.confirm(opener), answer.text

    # -------------------------------------------------------------------------------- what is seen

    @invariant()
    def everybody_sees_their_own_bids(self) -> None:
        """Each bidder has the bids the model says, and no other."""
        for bidder in BIDDERS:
            answer = self._run(self.stage.bidders[bidder].get("/bids"))
            assert answer.status_code == 200, answer.text
            seen = {
                one["lot_number"]: (one["version"], one["state"]) for one in answer.json()["items"]
            }
            assert seen == {
                lot: (bid.version, "standing" if bid.stands else "withdrawn")
                for (owner, lot), bid in self.model.bids.items()
                if owner == bidder
            }

    @invariant()
    def offers_are_read_when_they_are_opened(self) -> None:
        """An evaluator reads nothing before the opening, and then what stood, all of it."""
        evaluator = self.stage.tender.quality_evaluators[0]
        if self.model.opened:
            self._run(declare(evaluator, self.stage.tender))
        for lot in LOTS:
            path = f"{self.stage.tender.path}/lots/{lot}/evaluation/bids"
            answer = self._run(evaluator.get(path))
            if not self.model.opened:
                assert answer.status_code in {403, 409}, answer.text
                continue
            assert answer.status_code == 200, answer.text
            found = [bid["answers"][0]["text"] for bid in answer.json()["items"]]
            assert sorted(found) == self.model.offers(lot)

    # ---------------------------------------------------------------------------------- how

    def _run(self, doing: Any) -> Any:
        return self._runner.run(doing)

    def _body(self, lot: int, offer: str) -> dict[str, Any]:
        return bid_body(asked(self.stage.tender, lot), quality_text=offer)

    def _read(self, bidder: str, lot: int, behind: int) -> int:
        bid = self.model.bids.get((bidder, lot))
        return max(1, (1 if bid is None else bid.version) - behind)

    def _send(self, bidder: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request under a key, and keep it where it was accepted."""
        person = self.stage.bidders[bidder]
        options["headers"] = {"Idempotency-Key": str(uuid4())}
        answer: httpx.Response = self._run(person.request(method, path, **options))
        if answer.status_code < 300:
            sent = Sent(
                person=person, method=method, path=path, options=options, answer=answer.content
            )
            self.accepted.append(sent)
        return answer


def test_the_market_answers_as_the_model_does(stage: Stage) -> None:
    Bidding.stage = stage
    run_state_machine_as_test(
        Bidding,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # to shorten what failed would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
