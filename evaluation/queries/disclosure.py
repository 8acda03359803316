"""Bundles of disclosure: what proves the acts they tell of, and what was handed over before."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts, RecordReader, ensure_reads_record
from evaluation.queries.facts import facts_of
from evaluation.queries.record import READER
from evaluation.schemas.disclosure import BundleView
from market.actor import Actor
from market.database import current, fetch, fetch_one, fetch_value
from market.errors import NotFound
from market.transparency.ledger import checkpoint_at, subtree_hashes
from market.transparency.rules.leaves import FORMAT, EventHeader, instant
from market.transparency.rules.merkle import inclusion_plan, needed, path

_TOLD: Final = "SELECT EXISTS (SELECT 1 FROM standstill WHERE lot = $1)"
_LEAVES: Final = "SELECT * FROM recorded_leaves($1, $2)"

_BUNDLES: Final = """
SELECT b.number, b.recipient, b.organisation, b.addressee, b.evaluators, b.reason, b.redactions,
    b.proofs, octet_length(b.content) AS size, encode(b.digest, 'hex') AS digest, b.disclosed_by,
    b.disclosed_at
FROM disclosure_bundle b WHERE b.lot = $1 ORDER BY b.number
"""

_BUNDLE: Final = "SELECT id, content FROM disclosure_bundle WHERE lot = $1 AND number = $2"
_NUMBERS: Final = range(1, 2**31)  # a path may hold any number of digits, a column may not


class _Leaf(msgspec.Struct, frozen=True):
    position: int
    id: UUID
    action: str
    occurred_at: datetime
    recorded_at: datetime
    subject_kind: str
    subject: UUID
    tender: UUID | None
    hash: bytes
    content: bytes
    number: bytes


class Kept(msgspec.Struct, frozen=True):
    """A bundle as it was handed over."""

    id: UUID
    content: bytes


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of the log, and what proves that it holds each act: RFC 9162 inclusion."""

    checkpoint: str | None
    events: list[dict[str, Any]]


async def was_told(facts: LotFacts) -> bool:
    """Whether the bidders of a lot were ever told of an award, inside a transaction."""
    told: bool = await fetch_value(_TOLD, facts.lot)
    return told


async def proofs_of(facts: LotFacts) -> Proven:
    """Prove the acts of a lot under the newest checkpoint, inside a transaction.

    Acts that no checkpoint covers yet are left out; where none is signed there is no proof at all.
    What a header only commits to (who acted, what was said) stays committed to.
    """
    newest = await checkpoint_at(current().connection)
    if newest is None:
        return Proven(checkpoint=None, events=[])
    leaves = await fetch(_Leaf, _LEAVES, facts.lot, newest.size)
    plans = [inclusion_plan(leaf.position - 1, newest.size) for leaf in leaves]
    wanted = {subtree for plan in plans for subtree in needed(plan)}
    hashes = await subtree_hashes(current().connection, wanted)
    return Proven(
        checkpoint=newest.note,
        events=[
            {
                "header": msgspec.to_builtins(_header(leaf)),
                "leaf_hash": leaf.hash.hex(),
                "path": [one.hex() for one in path(plan, hashes)],
            }
            for leaf, plan in zip(leaves, plans, strict=True)
        ],
    )


def _header(leaf: _Leaf) -> EventHeader:
    return EventHeader(
        format=FORMAT,
        position=leaf.position,
        id=str(leaf.id),
        action=leaf.action,
        occurred_at=instant(leaf.occurred_at),
        recorded_at=instant(leaf.recorded_at),
        subject_kind=leaf.subject_kind,
        subject=str(leaf.subject),
        tender=None if leaf.tender is None else str(leaf.tender),
        content=leaf.content.hex(),
        number=leaf.number.hex(),
    )


async def _readable(actor: Actor, tender_id: UUID, lot_number: int) -> LotFacts:
    facts = await facts_of(actor, tender_id, lot_number)
    reader = None if facts is None else await fetch_one(RecordReader, READER, facts.lot)
    return ensure_reads_record(facts, reader)


async def bundles(actor: Actor, tender_id: UUID, lot_number: int) -> list[BundleView]:
    """List what was disclosed of a lot, the first bundle first, inside a transaction.

    Raises:
        NotFound: no such lot, or the actor has no part in its tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up.
    """
    facts = await _readable(actor, tender_id, lot_number)
    return await fetch(BundleView, _BUNDLES, facts.lot)


async def bundle(actor: Actor, tender_id: UUID, lot_number: int, number: int) -> Kept:
    """Give a bundle, byte by byte as it was handed over, inside a transaction.

    Raises:
        NotFound: no such lot or bundle, or the actor has no part in the tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up.
    """
    facts = await _readable(actor, tender_id, lot_number)
    found = None
    if number in _NUMBERS:
        found = await fetch_one(Kept, _BUNDLE, facts.lot, number)
    if found is None:
        raise NotFound
    return found
