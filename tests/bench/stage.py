"""The market that is measured: suppliers, published tenders, one open for bids and one opened."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from tests.bench.copies import copied_suppliers, copied_tenders
from tests.bench.wire import Request
from tests.makers.bids import asked, bid_body, declare, open_bids, submit
from tests.makers.clock import registrar
from tests.makers.moving import MovingMarket
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender, requirement_of
from tests.makers.world import Person, World

SIZE = 11_000
"""How many bytes a bid's body and a requirement have, about."""
LISTED = 100
OPENED = 200
SUPPLIERS = 1_300
_PARTS = 3


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What requests are about."""

    database: str
    open: UUID
    opened: UUID
    evaluator: str
    model: Person
    """The bid manager of a supplier that more are copied from."""
    tokens: tuple[str, ...]
    """Of bid managers who have not yet bid for anything that is open."""
    body: bytes
    """A bid for any lot of the open tender."""

    def submissions(self, tokens: Sequence[str] = ()) -> list[Request]:
        """A bid for the first lot by everybody, then for the second: by these, or by `tokens`."""
        return [
            Request(
                method="POST",
                path=f"/api/v1/tenders/{self.open}/lots/{lot}/bids",
                token=token,
                key=str(uuid4()),
                body=self.body,
            )
            for lot in (1, 2)
            for token in tokens or self.tokens
        ]

    def readings(self, path: str) -> list[Request]:
        """The same question of each bidder."""
        return [Request(method="GET", path=path, token=token) for token in self.tokens]


def _padded(lots: int) -> dict[str, Any]:
    """A requirement of about SIZE bytes."""
    requirement = requirement_of(lots)
    missing = SIZE - len(msgspec.json.encode(requirement))
    for lot in requirement["lots"]:
        lot["description"] += " What is asked for." * (missing // lots // 19)
    return requirement


def bid_of_size(tender: PublishedTender, lot: int, size: int) -> dict[str, Any]:
    """A complete bid for a lot with a body of about so many bytes."""
    sentence = f"We answer this {secrets.token_hex(4)}. "
    text = sentence * ((size - 400) // _PARTS // len(sentence))
    return bid_body(asked(tender, lot), quality_text=text)


async def prepare(market: MovingMarket, template: str, name: str) -> Stage:
    """Make the market in a database of this name."""
    await market.databases.clone(template, name)
    superuser = await asyncpg.connect(**market.databases.superuser(name))
    try:
        async with market.over(name):
            world = World(market.client, market.vault)
            await registrar(world)
            stage = await _made(world, superuser, name)
        await superuser.execute("VACUUM ANALYZE")
        await superuser.execute("CHECKPOINT")
    finally:
        await superuser.close()
    return stage


async def _made(world: World, superuser: Any, name: str) -> Stage:
    model = await admitted_supplier(world, "Bidder 0")
    opened = await published_tender(world, lots=1)
    for supplier in await copied_suppliers(superuser, model, OPENED):
        await submit(supplier, opened, 1, bid_of_size(opened, 1, SIZE))
    await open_bids(world, opened)
    evaluator = opened.quality_evaluators[0]
    await declare(evaluator, opened)
    tender = await published_tender(world, requirement=_padded(2))
    await copied_tenders(superuser, tender.id, LISTED)
    suppliers: list[Person] = await copied_suppliers(superuser, model, SUPPLIERS)
    return Stage(
        database=name,
        open=tender.id,
        opened=opened.id,
        evaluator=evaluator.token,
        model=model,
        tokens=tuple(one.token for one in suppliers),
        body=msgspec.json.encode(bid_of_size(tender, 1, SIZE)),
    )
