"""Bids drafted, given, amended under and withdrawn in every order, beside a small model.

`MODEL_RUNS` says how many orders are tried (15), `MODEL_STEPS` how long each may be (30).
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from copy import copy
from itertools import product
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
from tests.makers.amendments import amended, amended_by, approve_change, changed
from tests.makers.bids import asked, bid_body, close_bidding, confirm, declare
from tests.makers.moving import Databases, MovingMarket
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

RUNS = int(os.environ.get("MODEL_RUNS", "15"))
STEPS = int(os.environ.get("MODEL_STEPS", "30"))
LOTS = (1, 2)
MOST = 3
"""Amendments in one order of acts."""
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
        self.tender = copy(self.stage.tender)
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
        path = f"{self.tender.path}/lots/{lot}/bids"
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

    @precondition(lambda self: self.ids and self.model.material)
    @rule(bidder=Bidder, lot=Lot, behind=Behind, former=st.booleans())
    def confirm_bid(self, bidder: str, lot: int, behind: int, *, former: bool) -> None:
        """Confirm a bid under the latest material amendment, or under one before it."""
        read = self._read(bidder, lot, behind)
        amendment = max(1, self.model.material - former)
        path = f"/bids/{self.ids.get((bidder, lot), uuid4())}/confirmations"
        body = {"amendment": amendment}
        answer = self._send(bidder, "POST", path, json=body, version=read)
        expected = self.model.confirm_bid(bidder, lot, read=read, amendment=amendment)
        assert _refusal(answer) == expected, answer.text

    # -------------------------------------------------------------------------------------- drafts

    @rule(bidder=Bidder, lot=Lot, offer=Offer, behind=Behind)
    def save_draft(self, bidder: str, lot: int, offer: str, behind: int) -> None:
        """Save a draft, as it is read or as it once was."""
        draft = self.model.drafts.get((bidder, lot))
        read = None if draft is None and not behind else self._read_draft(bidder, lot, behind)
        options = {} if read is None else {"version": read}
        person, body = self.stage.bidders[bidder], self._body(lot, offer)
        answer = self._run(person.put(self._draft(lot), body, **options))
        assert _refusal(answer) == self.model.save(bidder, lot, offer, read=read), answer.text

    @precondition(lambda self: self.model.drafts)
    @rule(bidder=Bidder, lot=Lot, behind=Behind)
    def submit_draft(self, bidder: str, lot: int, behind: int) -> None:
        """Submit a draft, into the place of a bid where there is one."""
        read = self._read_draft(bidder, lot, behind)
        answer = self._send(bidder, "POST", f"{self._draft(lot)}/submission", version=read)
        assert _refusal(answer) == self.model.submit_draft(bidder, lot, read=read), answer.text
        if answer.status_code == 201:
            self.ids[bidder, lot] = answer.json()["bid"]

    @precondition(lambda self: self.model.saves)
    @rule(bidder=Bidder, lot=Lot, behind=Behind)
    def discard_draft(self, bidder: str, lot: int, behind: int) -> None:
        """Throw a draft away."""
        read = self._read_draft(bidder, lot, behind)
        answer = self._run(self.stage.bidders[bidder].delete(self._draft(lot), version=read))
        assert _refusal(answer) == self.model.discard(bidder, lot, read=read), answer.text

    # --------------------------------------------------------------------------------------- buyer

    @precondition(
        lambda self: not self.model.closed and self.accepted and self.model.amendments < MOST
    )
    @rule(what=st.sampled_from(("wording", "weights", "form", "form")))
    def amend(self, what: str) -> None:
        """Correct the wording, change the weights, or ask something new of one lot."""
        count = self.model.amendments + 1
        requirement = changed(self.tender, description=f"Dashboards, said for the {count}. time.")
        lot = requirement["lots"][0]
        if what == "wording":
            self._run(approve_change(self.tender, requirement))
            self._run(amended(self.tender, takes_requirement=True))
            self.tender.requirement = requirement
            self.model.amend(material=False)
        elif what == "weights":
            lot["minimum_quality"] = str(40 + count)
            self._run(amended_by(self.tender, requirement))
            self.model.amend(material=True)
        else:
            item = {"code": f"Z{count}", "title": "Training", "unit": "day", "quantity": "10"}
            lot["price_items"].append(item)
            self._run(amended_by(self.tender, requirement))
            self.model.amend(material=True, new_form_of=lot["number"])

    # ------------------------------------------------------------------------------------- openers

    @precondition(lambda self: not self.model.closed and len(self.accepted) > 5)
    @rule()
    def close(self) -> None:
        """Let the deadline pass."""
        self._run(close_bidding(self.stage.world, self.tender))
        self.model.closed = True

    @precondition(lambda self: self.accepted)
    @rule(opener=st.sampled_from(OPENERS))
    def confirm(self, opener: int) -> None:
        """Declare, as far as bidders are known, and confirm the opening."""
        person = self.tender.openers[opener]
        if self.model.closed:
            self._run(declare(person, self.tender))
        answer = self._run(confirm(person, self.tender))
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
                lot: (bid.version, self.model.state(bid))
                for (owner, lot), bid in self.model.bids.items()
                if owner == bidder
            }

    @invariant()
    def everybody_is_told_how_their_bid_for_a_lot_stands(self) -> None:
        """And their draft; digests and receipt are of what is stored."""
        for bidder, lot in product(BIDDERS, LOTS):
            path = f"{self.tender.path}/lots/{lot}/my-bid"
            told = self._run(self.stage.bidders[bidder].get(path)).json()
            bid, draft = self.model.bids.get((bidder, lot)), self.model.drafts.get((bidder, lot))
            assert (told["stored"] is None, told["draft"] is None) == (bid is None, draft is None)
            if bid is not None:
                stored = told["stored"]["version"], told["stored"]["state"]
                assert stored == (bid.version, self.model.state(bid))
                assert told["stands"] == (self.model.state(bid) == "standing")
            if draft is not None:
                assert told["draft"]["version"] == draft.version
                assert (told["draft"]["faults"] == 0) == (draft.form == self.model.form(lot))

    @invariant()
    def offers_are_read_when_they_are_opened(self) -> None:
        """An evaluator reads nothing before the opening, and then what stood, all of it."""
        evaluator = self.tender.quality_evaluators[0]
        if self.model.opened:
            self._run(declare(evaluator, self.tender))
        for lot in LOTS:
            path = f"{self.tender.path}/lots/{lot}/evaluation/bids"
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
        return bid_body(asked(self.tender, lot), quality_text=offer)

    def _read(self, bidder: str, lot: int, behind: int) -> int:
        bid = self.model.bids.get((bidder, lot))
        return max(1, (1 if bid is None else bid.version) - behind)

    def _draft(self, lot: int) -> str:
        return f"{self.tender.path}/lots/{lot}/bid-draft"

    def _read_draft(self, bidder: str, lot: int, behind: int) -> int:
        draft = self.model.drafts.get((bidder, lot))
        return max(1, (1 if draft is None else draft.version) - behind)

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


def test_one_order_in_which_everything_comes_to_pass(stage: Stage) -> None:
    """What fifteen orders by chance may leave out: lapsed bids, other forms, former amendments."""
    Bidding.stage = stage
    told = Bidding()
    told.begin()
    seen = []

    def then(act: Callable[..., None], *given: Any, **named: Any) -> None:
        act(told, *given, **named)
        told.everybody_sees_their_own_bids()
        told.everybody_is_told_how_their_bid_for_a_lot_stands()
        told.offers_are_read_when_they_are_opened()
        seen.append(sorted(told.model.state(bid) for bid in told.model.bids.values()))

    bidding = Bidding
    try:
        then(bidding.save_draft, "Ada", 1, "First", behind=0)
        for bidder in BIDDERS:
            then(bidding.submit, bidder, 2, "First")
        then(bidding.submit, "Ben", 1, "Second")
        then(bidding.submit, "Cleo", 1, "Third")
        then(bidding.amend, "weights")
        then(bidding.confirm_bid, "Ada", 2, 0, former=False)
        then(bidding.amend, "form")
        then(bidding.submit_draft, "Ada", 1, 0)  # of a form that is no more
        then(bidding.save_draft, "Ada", 1, "Second", behind=0)
        then(bidding.submit_draft, "Ada", 1, 0)
        then(bidding.confirm_bid, "Ben", 2, 0, former=True)
        then(bidding.confirm_bid, "Ben", 2, 0, former=False)
        then(bidding.confirm_bid, "Ben", 1, 0, former=False)  # must be replaced
        then(bidding.replace, "Ben", 1, "Third", 0)
        then(bidding.withdraw, "Cleo", 2, 0)
        then(bidding.save_draft, "Cleo", 2, "Second", behind=0)
        then(bidding.close)
        then(bidding.submit_draft, "Cleo", 2, 0)
        then(bidding.confirm_bid, "Cleo", 1, 0, former=False)
        then(bidding.discard_draft, "Cleo", 2, 0)
        for opener in OPENERS:
            then(bidding.confirm, opener)
    finally:
        told.teardown()
    assert told.model.opened
    assert seen[-1] == ["lapsed", "lapsed", "standing", "standing", "standing", "withdrawn"]
    assert told.model.offers(1) == ["Second", "Third"]
    assert told.model.offers(2) == ["First"]
