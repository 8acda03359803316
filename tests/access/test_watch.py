"""Everybody but the bidders watches every answer while bids arrive, and sees nothing of them."""

import re
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from market.background import Workbench
from market.settings import Settings
from tests.access.requests import OPERATIONS, QUERIES, Operation
from tests.makers.amendments import amended_by, confirm_bid, reweighted
from tests.makers.bids import asked, bid_body, close_bidding, give_bid, submit
from tests.makers.cast import Cast, assembled
from tests.makers.documents import uploaded
from tests.makers.log import keep_and_sign
from tests.makers.tenders import publish
from tests.makers.world import World

WATCHING: Final = (
    "tender_manager",
    "reviewer",
    "opener",
    "guardian",
    "quality_evaluator",
    "price_evaluator",
    "buyer's auditor",
    "registrar",
    "supplier without a bid",
    "buyer's system",
)
"""Who asks, beside the public: of every side, with and without duties in the tender."""

OUTSIDE: Final = ("/status", "/ready", "/health", "/problems", "/metrics")

OF_THE_WHOLE_LOG: Final = frozenset(
    {"getCheckpoint", "listCheckpoints", "getConsistencyProof", "getInclusionProof"}
)
"""They tell how much happens in the whole market, as the threat model of the log says, and not in
which tender."""

AS_A_PAGE: Final = frozenset({"getAssuranceReportPage"})
"""What says as a page what another operation says, word for word."""

_OF_THE_MOMENT: Final = re.compile(
    r',"request":"[0-9a-f]{32}"'  # of a refusal
    r'|"(?:now|as_of|computed_at)":"[^"]*"'
    r"|at work [0-9.]+ seconds ago"
    r'|"last_used_(?:at|address)":(?:"[^"]*"|null)'
)

_OF_REFUSALS: Final = ("refusals", "refusals_left_out", "digest", "as_of", "computed_at")
"""Of the assurance report, what those who watch were refused, and the digest over it all."""

_OF_ALL: Final = frozenset({"Worker", "Log", "Clock"})
"""Lines of the status page about the market's own work."""

Answer = tuple[int, str | None, object]


@pytest.fixture
def settings(documents_folder: str) -> Settings:
    """No rate limits to trip over."""
    return Settings(
        pool_minimum=1,
        pool_maximum=4,
        requests_per_minute=1_000_000,
        credential_requests_per_minute=1_000_000,
        tender_requests_per_minute=1_000_000,
        sign_ins_per_minute=1_000_000,
        documents_folder=documents_folder,
    )


class Answers:
    """Every answer to everybody who watches, at one moment."""

    def __init__(self, world: World, bench: Workbench, superuser: Any, cast: Cast) -> None:
        self._world, self._bench, self._superuser, self._cast = world, bench, superuser, cast
        self._watching = {str(cast[who].id) for who in WATCHING}

    async def taken(self) -> dict[tuple[str, str], Answer]:
        """Let a worker do its work, and ask everything of everybody."""
        await keep_and_sign(self._bench, self._superuser)
        return {
            (who, name): await self._ask(who, path)
            for who in ("public", *WATCHING)
            for name, path in self._paths(who)
        }

    def _paths(self, who: str) -> Iterator[tuple[str, str]]:
        for operation in OPERATIONS.values():
            if operation.reads and operation.id not in OF_THE_WHOLE_LOG | AS_A_PAGE:
                yield operation.id, self._path(operation, who)
        for path in OUTSIDE:
            yield path, path

    def _path(self, operation: Operation, who: str) -> str:
        session = self._cast.sessions.get(who, str(uuid4()))
        path = operation.path.format(**self._cast.path, session_id=session)
        return f"{path}?{QUERIES.get(operation.id, 'limit=200' if operation.paged else '')}"

    async def _ask(self, who: str, path: str) -> Answer:
        headers = {}
        if who != "public":
            headers = {"Authorization": f"Bearer {self._cast[who].token}"}
        answer = await self._world.client.get(path, headers=headers)
        return answer.status_code, answer.headers.get("ETag"), self._told(path, answer)

    def _told(self, path: str, answer: httpx.Response) -> object:
        """What an answer says, but for what those who watch did by asking."""
        if path == "/metrics":
            return _counted(answer.text)
        if answer.status_code == 200 and path == "/status":
            return [line for line in answer.json()["lines"] if line["name"] not in _OF_ALL]
        if answer.status_code == 200 and "/assurance-report" in path:
            report = answer.json()
            return {key: value for key, value in report.items() if key not in _OF_REFUSALS}
        if '"items":[{"position":' in answer.text or "/record?" in path:
            return self._events(answer.json())
        return _OF_THE_MOMENT.sub("", answer.text)

    def _events(self, page: Any) -> object:
        """What is listed of the log, but for what those who watch did by asking."""
        if "items" not in page:
            return page.get("type")
        return [one for one in page["items"] if one["person"] not in self._watching]


def _counted(metrics: str) -> list[str]:
    """What is counted of changes; how often something is read is by those who watch."""
    return [
        line for line in metrics.splitlines() if 'method="' in line and 'method="GET"' not in line
    ]


def _differences(
    before: dict[tuple[str, str], Answer], after: dict[tuple[str, str], Answer]
) -> str:
    """Where an answer is another one, in words; empty if none is."""
    return "\n".join(
        f"{name} to {who}:\n    {_rest(one, other)}\n    {_rest(other, one)}"
        for (who, name), one in before.items()
        if one != (other := after[who, name])
    )


def _rest(one: Answer, other: Answer) -> object:
    """Of two lists what only the first one has; of other answers the first."""
    if one[:2] == other[:2] and isinstance(one[2], list) and isinstance(other[2], list):
        return [item for item in one[2] if item not in other[2]]
    if isinstance(one[2], str) and isinstance(other[2], str):
        return [line for line in one[2].splitlines() if line not in other[2]]
    return one


class Bidders:
    """What those who bid do, one act after the other."""

    def __init__(self, cast: Cast) -> None:
        self._cast, self._tender = cast, cast.running
        self._body = bid_body(asked(cast.running, 1))
        self._bid = ""

    async def drafts(self) -> None:
        """One saves a draft, and another one submits hers."""
        path = f"{self._tender.path}/lots/1/bid-draft"
        assert (await self._cast["loser"].put(path, self._body)).status_code == 200
        assert (await self._cast["failing"].put(path, self._body)).status_code == 200
        done = await self._cast["failing"].post(f"{path}/submission", version=1)
        assert done.status_code == 201, done.text

    async def uploads(self) -> None:
        """One uploads documents, removes one, and lists one in a bid with the rest of it."""
        winner = self._cast["winner"]
        listed, other = await uploaded(winner, self._tender), await uploaded(winner, self._tender)
        assert (await winner.delete(f"/bid-documents/{other['id']}")).status_code == 200
        self._body["quality"]["documents"] = [listed]

    async def bids(self) -> None:
        """One gives a bid and replaces it, and is refused a faulty one."""
        winner = self._cast["winner"]
        self._bid = (await submit(winner, self._tender, 1, self._body))["bid"]
        self._body["quality"]["documents"] = []
        key = {"Idempotency-Key": str(uuid4())}
        replaced = await winner.put(f"/bids/{self._bid}", self._body, version=1, headers=key)
        assert replaced.status_code == 200, replaced.text
        assert (await give_bid(self._cast["loser"], self._tender, 1, {})).status_code == 400

    async def withdraws(self) -> None:
        """And one withdraws."""
        bid = (await submit(self._cast["loser"], self._tender, 1, self._body))["bid"]
        key = {"Idempotency-Key": str(uuid4())}
        gone = await self._cast["loser"].delete(f"/bids/{bid}", version=1, headers=key)
        assert gone.status_code == 200, gone.text

    async def confirms(self) -> None:
        """After an amendment one bid is confirmed; the others wait."""
        done = await confirm_bid(self._cast["winner"], self._bid, 2, 1)
        assert done.status_code == 201, done.text

    async def comes_late(self) -> None:
        """After the deadline a bid is refused."""
        late = await give_bid(self._cast["loser"], self._tender, 1, self._body)
        assert late.status_code == 409, late.text


async def test_nobody_is_answered_otherwise_because_of_others_bids(
    world: World, bench: Workbench, superuser: Any
) -> None:
    cast = await assembled(world)
    tender = cast.running
    await tender.act(cast["tender_manager"], "/review-requests")
    given = {"outcome": "approved", "comments": "It favours nobody."}
    await tender.act(cast["reviewer"], "/reviews", given)
    await publish(tender)
    cast.path |= {"bid_id": str(uuid4()), "document_id": str(uuid4())}
    answers, bidders = Answers(world, bench, superuser, cast), Bidders(cast)
    before = await answers.taken()
    for act in (bidders.drafts, bidders.uploads, bidders.bids, bidders.withdraws):
        await act()
    assert _differences(before, await answers.taken()) == ""
    await amended_by(tender, reweighted(tender))
    before = await answers.taken()
    await bidders.confirms()
    assert _differences(before, await answers.taken()) == ""
    await close_bidding(world, tender)
    before = await answers.taken()
    await bidders.comes_late()
    assert _differences(before, await answers.taken()) == ""
