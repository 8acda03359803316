"""What the keys of tenders are kept for: contexts, purposes, and the address of a canary."""

from typing import Final
from uuid import UUID

from market.sealing import Address, EnvelopeKind, KeptColumn, key_context

NOBODY: Final = UUID(int=0)
"""Stands for the supplier where a canary is sealed: no organisation has this id."""


def canary_address(tender: UUID, lot: UUID, kind: EnvelopeKind) -> Address:
    """Where the canary of a key belongs: it opens as a bid does, and can be nobody's bid."""
    return Address(tender=tender, lot=lot, supplier=NOBODY, envelope=kind, version=1)


def _context(tender: UUID, lot: UUID, kind: str) -> bytes:
    return key_context(tender, lot, EnvelopeKind(kind))


TENDER_KEYS: Final = KeptColumn(
    table="tender_key",
    column="wrapped_key",
    joined="JOIN lot ON lot.id = t.lot",
    of=("lot.tender", "t.lot", "t.envelope"),
    purpose=_context,
    sealing_keys=True,
)

KEPT: Final = (TENDER_KEYS,)
"""What the tenders' tables hold that is wrapped."""
