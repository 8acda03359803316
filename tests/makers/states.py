"""One tender in every state of the access matrix, each frozen as a database of its own."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec

from tests.access.kinds import HOLDERS, INTERESTED, KINDS, Interest, Kind
from tests.access.moments import MOMENTS
from tests.makers.bids import OpenedTender, asked, bid_body, close_bidding, confirm, declare, submit
from tests.makers.cast import PRICES, Cast, assembled
from tests.makers.documents import uploaded
from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    contract_body,
    end_standstill,
    recommend,
)
from tests.makers.frozen import Bid, Frozen, bodies
from tests.makers.moving import Databases, MovingMarket
from tests.makers.sign_in import let_sessions_age
from tests.makers.tenders import publish
from tests.makers.world import World

AGREED: Final = {
    "winner": {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
    "loser": {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
    "failing": {"Q1.1": "2", "Q1.2": "2", "Q2": "2"},
}
"""What the panel finds of each bid: the last one stays below the minimum."""

EVALUATORS: Final = ("quality_evaluator", "exempted evaluator")
"""Who scores: the evaluators with no interest."""

_AFTER_THE_OPENING: Final = (
    "tender_manager",
    "quality_evaluator",
    "price_evaluator",
    "moderator",
    "award_approver",
    "contract_manager",
    "outcome_reviewer",
)


class _Play:
    """The tender on its way: what is known of it outside the database."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cast = Cast()
        self.bids: dict[str, str] = {}
        self.pseudonyms: dict[str, str] = {}
        self.standstill_ends_at: datetime | None = None

    @property
    def lot(self) -> EvaluatedLot:
        """The lot as the makers of evaluations know it."""
        tender = self.cast.running
        return EvaluatedLot(
            world=self.world,
            opened=OpenedTender(tender=tender, suppliers=self.cast.bidders, bids={}),
            number=1,
            pseudonyms=tuple(self.pseudonyms.get(name, "") for name in PRICES),
            standstill_ends_at=self.standstill_ends_at,
        )

    def answer_of(self, name: str) -> str:
        return f"The answer that {name} wrote for themselves."


_Step = Callable[[_Play], Awaitable[None]]


async def _draft(play: _Play) -> None:
    play.cast = await assembled(play.world)


async def _in_review(play: _Play) -> None:
    await play.cast.running.act(play.cast["tender_manager"], "/review-requests")


async def _approved(play: _Play) -> None:
    given = {"outcome": "approved", "comments": "It favours nobody."}
    await play.cast.running.act(play.cast["reviewer"], "/reviews", given)


async def _published(play: _Play) -> None:
    tender = play.cast.running
    await publish(tender)
    listed = await uploaded(play.cast["winner"], tender)
    play.cast.path["document_id"] = listed["id"]
    for name, price in PRICES.items():
        body = bid_body(asked(tender, 1), unit_prices=price, quality_text=play.answer_of(name))
        body["quality"]["documents"] = [listed] if name == "winner" else []
        given = await submit(play.cast[name], tender, 1, body)
        play.bids[name] = given["bid"]
    play.cast.path["bid_id"] = play.bids["winner"]


async def _closed(play: _Play) -> None:
    await close_bidding(play.world, play.cast.running)


async def _declared(play: _Play) -> None:
    for kind in HOLDERS:
        if kind.duties[0] in {"opener", "guardian"}:
            await declare(play.cast[kind.name], play.cast.running)
    await _interested(play, "opener")


async def _interested(play: _Play, *duties: str) -> None:
    """Let those declare an interest in a bidder who have one to declare."""
    for kind in INTERESTED:
        silent = kind.interest in {Interest.UNDECLARED, Interest.MEMBER}
        if kind.duties[0] in duties and not silent:
            words = "My brother works there."
            await declare(play.cast[kind.name], play.cast.running, "indirect", words)


async def _confirmed(play: _Play) -> None:
    answer = await confirm(play.cast["opener"], play.cast.running)
    assert answer.status_code == 201, answer.text


async def _opened(play: _Play) -> None:
    """Open, declare, decide about interests, and let every evaluator score without locking."""
    cast = play.cast
    answer = await confirm(cast["second opener"], cast.running)
    assert answer.json() == {"confirmed_by": 2, "opened": True}, answer.text
    for kind in HOLDERS:
        if kind.duties[-1] in _AFTER_THE_OPENING:
            await declare(cast[kind.name], cast.running)
    await _interested(play, *_AFTER_THE_OPENING)
    member = next(kind for kind in INTERESTED if kind.interest is Interest.MEMBER)
    await declare(cast[member.name], cast.running)
    for kind in INTERESTED:
        await _decided(play, kind)
    bids = await cast["moderator"].get(f"{play.lot.path}/evaluation/bids")
    by_text = {bid["answers"][0]["text"]: bid["pseudonym"] for bid in bids.json()["items"]}
    play.pseudonyms = {name: by_text[play.answer_of(name)] for name in PRICES}
    cast.path["pseudonym"] = play.pseudonyms["winner"]
    # its first reader has it looked through, which is written down
    path = f"{play.lot.path}/bids/{cast.path['pseudonym']}/documents/{cast.path['document_id']}"
    read = await cast["moderator"].get(path)
    assert read.status_code == 200, read.text
    for name in EVALUATORS:
        await play.lot.score_all(cast[name], [*AGREED.values()])


async def _decided(play: _Play, kind: Kind) -> None:
    outcomes = {
        Interest.MAY_DISCUSS: "may_discuss",
        Interest.MUST_LEAVE: "must_leave",
        Interest.REMOVED: "removed",
    }
    if kind.interest not in outcomes:
        return
    for name in PRICES:
        body = {
            "person": str(play.cast[kind.name].id),
            "bidder": str(play.cast[name].organisation),
            "outcome": outcomes[kind.interest],
            "reason": "A brother is too near.",
        }
        path = f"{play.cast.running.path}/conflict-decisions"
        answer = await play.cast["guardian"].post(path, body)
        assert answer.status_code == 201, answer.text
        if kind.interest is Interest.REMOVED:
            return  # which is for good, whoever of the bidders it is about


async def _all_scores_locked(play: _Play) -> None:
    for name in EVALUATORS:
        locked = await play.lot.lock(play.cast[name])
        assert locked.status_code == 201, locked.text


async def _moderated(play: _Play) -> None:
    await play.lot.score_all(play.cast["moderator"], [*AGREED.values()], kind="agreed-scores")


async def _quality_locked(play: _Play) -> None:
    await play.lot.done(play.cast["moderator"], "/evaluation/quality-lock")


async def _prices_opened(play: _Play) -> None:
    await play.lot.done(play.cast["price_evaluator"], "/evaluation/price-opening")


async def _ranked(play: _Play) -> None:
    await play.lot.done(play.cast["price_evaluator"], "/evaluation/ranking")


async def _recommended(play: _Play) -> None:
    answer = await recommend(play.lot)
    assert answer.status_code == 201, answer.text


async def _awarded(play: _Play) -> None:
    for approver in ("award_approver", "lay approver"):
        answer = await approve(play.lot, play.cast[approver])
        assert answer.status_code == 201, answer.text


async def _notified(play: _Play) -> None:
    sent = await play.lot.done(play.cast["tender_manager"], "/award-notices")
    play.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])


async def _standstill_over(play: _Play) -> None:
    await end_standstill(play.lot)


async def _contracted(play: _Play) -> None:
    await play.lot.done(play.cast["contract_manager"], "/contract", contract_body())


async def _abandoned(play: _Play) -> None:
    reason = {"reason": "The groups will provide the service together."}
    await play.cast.running.act(play.cast["tender_manager"], "/abandonment", reason)


STEPS: Final[Mapping[str, _Step]] = MappingProxyType(
    {
        "draft": _draft,
        "in review": _in_review,
        "approved": _approved,
        "published": _published,
        "closed": _closed,
        "declared": _declared,
        "confirmed": _confirmed,
        "opened": _opened,
        "all scores locked": _all_scores_locked,
        "moderated": _moderated,
        "quality locked": _quality_locked,
        "prices opened": _prices_opened,
        "ranked": _ranked,
        "recommended": _recommended,
        "awarded": _awarded,
        "notified": _notified,
        "standstill over": _standstill_over,
        "contracted": _contracted,
        "abandoned as a draft": _abandoned,
        "abandoned while bids came in": _abandoned,
        "abandoned after the opening": _abandoned,
    }
)
"""What brings the tender from the moment before to each one, by HTTP, by those whose duty it is."""


async def frozen_states(
    market: MovingMarket, template: str, last: str | None = None
) -> dict[str, Frozen]:
    """Live through the tender once, and keep the database of each moment on the way.

    It is lived to its end, or as far as the moment named `last`.

    Moments that follow the same one are made out of the same database, so that everybody has the
    same token, and the tender the same bids, in all of them.
    """
    world = World(market.client, market.vault)
    states: dict[str, Frozen] = {}
    plays: dict[str, _Play] = {}
    for moment in (each for each in MOMENTS if each.name in STEPS):
        before = template if moment.after is None else states[moment.after].database
        name = f"state_{secrets.token_hex(6)}"
        await market.databases.clone(before, name)
        play = _Play(world) if moment.after is None else _copied(plays[moment.after])
        async with market.over(name):
            await STEPS[moment.name](play)
            states[moment.name] = await _frozen(play, name)
        if moment.after is None:
            await _let_sessions_age(market.databases, name, play.cast)
        plays[moment.name] = play
        if moment.name == last:
            break
    nowhere = f"state_{secrets.token_hex(6)}"
    await market.databases.clone(states["draft"].database, nowhere)
    return {"none": _nowhere(states["draft"], nowhere), **states}


async def _let_sessions_age(databases: Databases, name: str, cast: Cast) -> None:
    superuser = await asyncpg.connect(**databases.superuser(name))
    for kind in KINDS:
        if kind.old_session:
            await let_sessions_age(superuser, cast[kind.name].id)
    await superuser.close()


def _copied(play: _Play) -> _Play:
    """The same as far as it has come; the world, and everybody's client, are not copied."""
    copied = _Play(play.world)
    kept = msgspec.structs.replace(play.cast)
    kept.path, kept.body = dict(play.cast.path), dict(play.cast.body)
    kept.tender = msgspec.structs.replace(play.cast.running)
    copied.cast = kept
    copied.bids, copied.pseudonyms = dict(play.bids), dict(play.pseudonyms)
    copied.standstill_ends_at = play.standstill_ends_at
    return copied


async def drop(databases: Databases, states: Mapping[str, Frozen]) -> None:
    """Remove the database of every state."""
    for name in {state.database for state in states.values()}:
        await databases.drop(name)


def _nowhere(draft: Frozen, database: str) -> Frozen:
    """The draft's market, seen by those who ask for a tender that is not there."""
    named = ("tender_id", "duty_id", "exemption_id", "bid_id", "document_id")
    missing = {name: str(uuid4()) for name in named}
    return msgspec.structs.replace(draft, database=database, path=draft.path | missing)


async def _frozen(play: _Play, database: str) -> Frozen:
    cast = play.cast
    view = (await cast["tender_manager"].get(cast.running.path)).json()
    lot = view["lots"][0]["version"] if view["lots"] else 1
    return Frozen(
        database=database,
        tokens={name: person.token for name, person in cast.people.items()},
        sessions=dict(cast.sessions),
        path=dict(cast.path),
        versions={"tender": view["version"], "lot": lot, "bid": 1, "client": 1, "webhook": 1},
        bodies=await bodies(play.world, cast),
        bids={name: _bid(play, name, price) for name, price in PRICES.items() if play.bids},
        made_at=time.monotonic(),
    )


def _bid(play: _Play, name: str, price: str) -> Bid:
    person = play.cast[name]
    return Bid(
        supplier=f"Halcyon {name.title()} Partners",
        organisation=str(person.organisation),
        id=play.bids[name],
        unit_price=price,
        answer=play.answer_of(name),
        pseudonym=play.pseudonyms.get(name, ""),
    )
