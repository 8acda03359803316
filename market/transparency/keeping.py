"""The keeper of the log: hashes what has a position, and signs checkpoints of it."""

import asyncio
import secrets
from typing import Any
from uuid import UUID

from market.background import Workbench
from market.events.sequencing import BATCH as SEQUENCED_AT_MOST
from market.events.sequencing import Sequencer
from market.transparency.keys import checkpoint_key
from market.transparency.ledger import (
    checkpoint_at,
    events_after,
    heads_at,
    place_of,
    subtree_hashes,
)
from market.transparency.restarting import ensure_covers, present_origin
from market.transparency.rules import heads as heads_map
from market.transparency.rules.heads import Head
from market.transparency.rules.leaves import SALT_BYTES, LoggedEvent, header_of, leaf_of
from market.transparency.rules.merkle import completed_by, peaks, root
from market.transparency.rules.notes import Checkpoint
from market.transparency.witness import Witness

BATCH = 500
"""How many events one pass hashes at most."""
AT_ONCE = frozenset(
    {
        "tender.opened",
        "prices.opened",
        "lot.awarded",
        "notices.sent",
        "contract.made",
        "log.restarted",
    }
)
"""After these a checkpoint is signed at once: later nobody can say that they came otherwise."""
_SOON = 0.25
"""Seconds between passes."""
_AGAIN = 0.02

_HOLD = "SELECT 1 FROM log_keeper WHERE id = 1 FOR UPDATE SKIP LOCKED"
_SIZE = "SELECT coalesce(max(position), 0) FROM event_leaf"
_PASSED = "UPDATE log_keeper SET passed_at = clock_timestamp() WHERE id = 1"
_ADD_LEAVES = """
INSERT INTO event_leaf (position, hash, content, number)
SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[])
"""
_ADD_SALTS = (
    "INSERT INTO event_blinding (event, salt) SELECT * FROM unnest($1::uuid[], $2::bytea[])"
)
_ADD_NODES = "INSERT INTO merkle_node (place, hash) SELECT * FROM unnest($1::bigint[], $2::bytea[])"
_WAITING = """
SELECT extract(epoch FROM clock_timestamp() - numbered_at)::float8 FROM event_position
WHERE position = $1
"""
_UNSIGNED = """
SELECT position > (SELECT coalesce(max(size), 0) FROM checkpoint) FROM sequencer
"""
_ADD_CHECKPOINT = """
INSERT INTO checkpoint (size, origin, root, tenders, tenders_root, note, because, signed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
"""


class Keeper:
    """Hashes events in the order of their positions and signs what the log has come to.

    One process at a time: the others find its row held and come again. Everything of a pass is one
    transaction, so that a keeper that dies leaves no half of it. What the log says is kept in the
    database; the heads are remembered between passes only to spare reading them all. A witness
    keeps the newest checkpoint apart from the database: over what that does not hold any more the
    keeper signs nothing, until the loss is declared.
    """

    name = "log keeper"

    def __init__(self, bench: Workbench, witness: Witness | None = None) -> None:
        """Keep the log with the worker role and the market's key, before a witness if any."""
        self._database = bench.database
        self._interval = bench.settings.checkpoint_interval
        self._vault = bench.vault
        self._witness = witness
        self._compared = False
        self._heads: dict[UUID, Head] = {}
        self._heads_of = 0

    async def run(self, *, asked: bool = False) -> float:
        """Hash one batch, and sign where that is due; if asked, whatever is not signed yet.

        Raises:
            Contradicted: the database has not what the witness has seen signed.
        """
        signed = None
        try:
            async with self._database.transaction() as connection:
                if await connection.fetchval(_HOLD) is None:
                    return _SOON
                if not self._compared:
                    await self._compare(connection)
                size = await connection.fetchval(_SIZE)
                events = await events_after(connection, size, BATCH)
                leaves = await self._hash(connection, size, events)
                grown = size + len(events)
                because = await self._due(connection, grown, events, asked=asked)
                if because is not None:
                    await self._remember(connection, size, events, leaves)
                    await self._compare(connection)
                    signed = await self._sign(connection, grown, because)
                elif self._heads_of == size:
                    await self._remember(connection, size, events, leaves)
                await connection.execute(_PASSED)
        except BaseException:
            self._heads_of = 0  # what was remembered may not have happened
            self._heads.clear()
            raise
        if signed is not None and self._witness is not None:
            self._witness.keep(signed)
        return 0 if len(events) == BATCH else _SOON

    async def _compare(self, connection: Any) -> None:
        """Hold the log against the witness: at first, and before each signature.

        Between the two another server may have taken the primary's place.
        """
        if self._witness is not None:
            await ensure_covers(connection, self._vault, self._witness.notes())
        self._compared = True

    async def _hash(self, connection: Any, size: int, events: list[LoggedEvent]) -> list[bytes]:
        if not events:
            return []
        salts = [secrets.token_bytes(SALT_BYTES) for _ in events]
        headers = [header_of(event, salt) for event, salt in zip(events, salts, strict=True)]
        leaves = [leaf_of(header) for header in headers]
        standing = await subtree_hashes(connection, peaks(size))
        completed = completed_by(size, leaves, standing)
        await connection.execute(
            _ADD_LEAVES,
            [event.position for event in events],
            leaves,
            [bytes.fromhex(header.content) for header in headers],
            [bytes.fromhex(header.number) for header in headers],
        )
        await connection.execute(_ADD_SALTS, [event.id for event in events], salts)
        await connection.execute(
            _ADD_NODES, [place_of(one) for one, _ in completed], [found for _, found in completed]
        )
        return leaves

    async def _due(
        self, connection: Any, size: int, events: list[LoggedEvent], *, asked: bool
    ) -> str | None:
        """Why a checkpoint of this size is to be signed now; None if it is not."""
        if size == 0:
            return None
        for event in events:
            if event.action in AT_ONCE:
                return event.action
        newest = await checkpoint_at(connection)
        covered = 0 if newest is None else newest.size
        if covered == size:
            return None
        if asked:
            return "asked"
        waited: float = await connection.fetchval(_WAITING, covered + 1)
        return "interval" if waited >= self._interval - _SOON else None

    async def _remember(
        self, connection: Any, size: int, events: list[LoggedEvent], leaves: list[bytes]
    ) -> None:
        if self._heads_of != size or size == 0:
            known = await heads_at(connection, size)
            self._heads = {head.tender: head for head in known}
        for event, leaf in zip(events, leaves, strict=True):
            if event.tender is not None and event.tender_number is not None:
                self._heads[event.tender] = Head(
                    tender=event.tender, count=event.tender_number, last_leaf=leaf
                )
        self._heads_of = size + len(events)

    async def _sign(self, connection: Any, size: int, because: str) -> str:
        ordered = sorted(self._heads.values(), key=lambda head: head.tender.int)
        # of a hundred thousand tenders this takes a third of a second, beside the other tasks
        tenders_root = await asyncio.to_thread(heads_map.root, ordered)
        key = checkpoint_key(self._vault, await present_origin(connection))
        checkpoint = Checkpoint(
            origin=key.verifier.name,
            size=size,
            root=root(size, await subtree_hashes(connection, peaks(size))),
            tenders=len(ordered),
            tenders_root=tenders_root,
        )
        note = key.sign(checkpoint)
        await connection.execute(
            _ADD_CHECKPOINT,
            size,
            checkpoint.origin,
            checkpoint.root,
            checkpoint.tenders,
            tenders_root,
            note,
            because,
        )
        return note


async def bring_up_to_now(bench: Workbench) -> None:
    """Number, hash and sign whatever was committed before this was asked.

    Where other workers do the same, whoever holds a row is waited for by coming again.
    """
    sequencer, keeper = Sequencer(bench), Keeper(bench)
    while await sequencer.number() in {None, SEQUENCED_AT_MOST}:  # noqa: ASYNC110  # of other processes
        await asyncio.sleep(_AGAIN)
    async with bench.database.connection() as connection:
        while await connection.fetchval(_UNSIGNED):
            if await keeper.run(asked=True):
                await asyncio.sleep(_AGAIN)
