"""Rehearsing the opening on canaries: every key the server keeps, and no bid."""

import hashlib
import hmac
from typing import Any
from uuid import UUID

import msgspec

from market.sealing import CannotOpen, CannotUnwrap, Custodian, EnvelopeKind, key_context
from tenders.rules.custody import canary_address

_CANARIES = """
SELECT t.id AS tender, t.reference, l.id AS lot, l.number, k.envelope, k.wrapped_key, k.canary,
    k.canary_digest
FROM tender_key k JOIN lot l ON l.id = k.lot JOIN tender t ON t.id = l.tender
WHERE k.custodian = 'server' AND ($1::uuid IS NULL OR t.id = $1)
ORDER BY t.reference, l.number, k.envelope DESC
"""


class _Canary(msgspec.Struct, frozen=True, kw_only=True):
    tender: UUID
    reference: str
    lot: UUID
    number: int
    envelope: EnvelopeKind
    wrapped_key: bytes
    canary: bytes
    canary_digest: bytes


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """How many keys were tried, and what those that failed are for, in words."""

    keys: int
    failed: tuple[str, ...]


async def rehearse(connection: Any, custodian: Custodian, tender: UUID | None = None) -> Rehearsal:
    """Open the canary of every key that the server keeps, of one tender or of all.

    No bid is read. As the role that migrates: nobody else reads wrapped keys at large.
    """
    rows = await connection.fetch(_CANARIES, tender)
    found = [msgspec.convert(dict(row), _Canary) for row in rows]
    failed = tuple(
        f"{canary.reference}, lot {canary.number}, {canary.envelope.value}"
        for canary in found
        if not _sings(canary, custodian)
    )
    return Rehearsal(keys=len(found), failed=failed)


def _sings(canary: _Canary, custodian: Custodian) -> bool:
    try:
        content = custodian.open_envelope(
            canary.wrapped_key,
            key_context(canary.tender, canary.lot, canary.envelope),
            canary_address(canary.tender, canary.lot, canary.envelope),
            canary.canary,
        )
    except (CannotUnwrap, CannotOpen):
        return False
    return hmac.compare_digest(hashlib.sha256(content).digest(), canary.canary_digest)
