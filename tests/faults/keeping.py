"""What became of acknowledged bids: each looked for in the database, opened, and compared."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct, field

from market.sealing import (
    Address,
    CannotOpen,
    EnvelopeKind,
    key_context,
    matches_commitment,
)
from market.signing import SignedStatement, verify_receipt
from market.transparency.checking import Checked, check_log
from market.transparency.restarting import known_keys
from market.vault import Vault
from tests.faults.bidders import Given
from tests.faults.postgres import Postgres
from tests.faults.scene import Scene

_VERSIONS = """
SELECT b.id AS bid, b.lot, b.organisation, v.number, v.received_at, r.signed::text AS signed,
    v.quality_commitment, v.price_commitment, e.kinds, e.sealed,
    (SELECT count(*) FROM event WHERE subject = b.id
        AND action = CASE v.number WHEN 1 THEN 'bid.submitted' ELSE 'bid.replaced' END
        AND details->>'version' = v.number::text) AS events
FROM bid b LEFT JOIN bid_version v ON v.bid = b.id LEFT JOIN bid_receipt r ON r.bid_version = v.id
LEFT JOIN LATERAL (SELECT array_agg(kind ORDER BY kind) AS kinds,
    array_agg(sealed ORDER BY kind) AS sealed FROM envelope WHERE bid_version = v.id) e ON true
"""
_KEYS = "SELECT envelope, wrapped_key FROM tender_key WHERE lot = $1"
_SIGNED = """
SELECT NOT EXISTS (SELECT 1 FROM event e WHERE NOT EXISTS (
    SELECT 1 FROM event_position p WHERE p.event = e.id))
AND (SELECT position FROM sequencer) = (SELECT max(size) FROM checkpoint)
"""
_NEWEST = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"
_TWICE = "SELECT count(*) FROM (SELECT 1 FROM bid GROUP BY lot, organisation HAVING count(*) > 1) t"


class Kept(Struct, kw_only=True):
    """What was found; everything but the numbers must be empty."""

    versions: int = 0
    opened: int = 0
    lost: list[str] = field(default_factory=list)
    """Acknowledged, and not there."""
    unasked: list[str] = field(default_factory=list)
    """There, and acknowledged to nobody although everybody was answered."""
    twice: int = 0
    late: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Half there, or not what was sent, or not what the receipt says."""

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.unasked or self.twice or self.late or self.broken)


async def compare(server: Postgres, scene: Scene, given: Sequence[Given]) -> Kept:
    """Hold what was acknowledged against what a server has, and open every envelope of it."""
    kept = Kept()
    connection = await asyncpg.connect(**server.parameters())
    rows = await connection.fetch(_VERSIONS)
    kept.twice = await connection.fetchval(_TWICE)
    wrapped = {
        row["envelope"]: row["wrapped_key"]
        for row in await connection.fetch(_KEYS, scene.tender.lots[1])
    }
    await connection.close()
    acknowledged = Counter((one.bid, one.number) for one in given)
    found = {(UUID(str(row["bid"])), row["number"]): row for row in rows}
    kept.versions, kept.twice = len(rows), kept.twice + len(rows) - len(found)
    kept.twice += sum(times - 1 for times in acknowledged.values())
    kept.unasked = [f"{bid} {number}" for bid, number in found.keys() - acknowledged.keys()]
    for one in given:
        row = found.get((one.bid, one.number))
        if row is None:
            kept.lost.append(f"{one.bid} {one.number}")
            continue
        if row["received_at"] >= scene.tender.deadline:
            kept.late.append(f"{one.bid} {one.number}: {row['received_at']}")
        if (why := _difference(scene, one, row, wrapped)) is not None:
            kept.broken.append(f"{one.bid} {one.number}: {why}")
        else:
            kept.opened += 2
    return kept


async def signed(server: Postgres) -> str:
    """Wait until a worker has everything under a checkpoint, and give that."""
    async with asyncio.timeout(90):
        while not await server.execute(_SIGNED):  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.2)
    note: str = await server.execute(_NEWEST)
    return note


async def check(server: Postgres, scene: Scene) -> Checked:
    """Wait until everything is signed, and read the whole log."""
    note = await signed(server)
    connection = await asyncpg.connect(**server.parameters())
    try:
        return await check_log(connection, await known_keys(connection, scene.vault()), [note])
    finally:
        await connection.close()


def _difference(scene: Scene, one: Given, row: Any, wrapped: dict[str, bytes]) -> str | None:
    """Say in what a stored version is not what was sent and acknowledged; None if it is."""
    if row["kinds"] != ["price", "quality"] or row["signed"] is None or row["events"] != 1:
        return f"half: {row['kinds']}, {row['events']} events"
    vault = scene.vault()
    if json.loads(row["signed"]) != one.answer["receipt"]:
        return "another receipt"
    signed = msgspec.convert(one.answer["receipt"], SignedStatement)
    receipt = verify_receipt(signed, vault.signing_key.public())
    times = {receipt.received_at, datetime.fromisoformat(one.answer["received_at"])}
    if times != {row["received_at"]} or receipt.received_at >= scene.tender.deadline:
        return f"received at {row['received_at']}, by what was told {times}"
    for kind, sealed in zip(row["kinds"], row["sealed"], strict=True):
        committed = bytes.fromhex(getattr(receipt, f"{kind}_commitment"))
        parts = {"wrapped": wrapped[kind], "committed": committed, "sealed": sealed}
        if not _holds(vault, scene, one, EnvelopeKind(kind), **parts):
            return f"the {kind} envelope does not open, or holds something else"
    return None


def _holds(  # noqa: PLR0913  # what opening one envelope takes
    vault: Vault,
    scene: Scene,
    one: Given,
    kind: EnvelopeKind,
    *,
    wrapped: bytes,
    committed: bytes,
    sealed: bytes,
) -> bool:
    """Whether an envelope opens and holds what was sent; defaults may stand beside it."""
    tender, lot = scene.tender.id, scene.tender.lots[1]
    supplier = one.bidder.organisation
    address = Address(tender=tender, lot=lot, supplier=supplier, envelope=kind, version=one.number)
    context = key_context(tender, lot, kind)
    try:
        plain = vault.custodian.open_envelope(wrapped, context, address, sealed)
    except CannotOpen:
        return False
    content, _, _ = plain.removeprefix(b'{"content":').rpartition(b',"salt":')
    if not matches_commitment(committed, bytes.fromhex(one.answer["salts"][kind]), content):
        return False
    stored = json.loads(content)
    return all(stored.get(name) == value for name, value in one.body[kind].items())
