"""What the keys of tenders are kept for: contexts, purposes, and the address of a canary."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from market.sealing import Address, EnvelopeKind, KeptColumn, key_context
from tenders.rules.documents import KEPT as OF_DOCUMENTS
from tenders.rules.drafts import DRAFT_KEYS
from tenders.rules.draw import KEPT as DRAW_SEEDS


class Custody(StrEnum):
    """Who keeps the private keys of a tender."""

    SERVER = "server"
    OFFICERS = "officers"


FEWEST_OFFICERS: Final = 3
MOST_OFFICERS: Final = 7
"""Any two can open what is due: more people make it safer against loss, and less against two."""

NOBODY: Final = UUID(int=0)
"""Stands for the supplier where a canary is sealed: no organisation has this id."""


def canary_address(tender: UUID, lot: UUID, kind: EnvelopeKind) -> Address:
    """Where the canary of a key belongs: it opens as a bid does, and can be nobody's bid."""
    return Address(tender=tender, lot=lot, supplier=NOBODY, envelope=kind, version=1)


def rehearsal_address(tender: UUID) -> Address:
    """Where the canary that the officers of a tender rehearse with belongs: to none of its lots."""
    return canary_address(tender, NOBODY, EnvelopeKind.QUALITY)


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


def released_purpose(envelope: UUID) -> bytes:
    """What a content key that officers released is kept for: its one envelope."""
    return b"released-key\x00" + envelope.bytes


RELEASED_KEYS: Final = KeptColumn(
    table="released_key", column="wrapped_key", of=("t.envelope",), purpose=released_purpose
)

KEPT: Final = (TENDER_KEYS, RELEASED_KEYS, DRAFT_KEYS, DRAW_SEEDS, *OF_DOCUMENTS)
"""What the tenders' tables hold that is wrapped."""
