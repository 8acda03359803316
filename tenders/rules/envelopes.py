"""What lies inside an envelope: how a part of a bid is packed, and what opening it must prove."""

from typing import Final, TypeAlias

import msgspec
import rfc8785
from msgspec import Struct

from market.sealing import EnvelopeKind, commitment, matches_commitment
from tenders.rules.bids import PriceEnvelope, QualityEnvelope, price_faults, quality_faults
from tenders.rules.requirement import Lot

LONGEST_FAILURE: Final = 200
DOES_NOT_OPEN: Final = "The envelope does not open with the key of its lot."
NOT_AS_COMMITTED: Final = "The content is not what the receipt commits to."

Part: TypeAlias = QualityEnvelope | PriceEnvelope


class Packed(Struct, frozen=True, kw_only=True):
    """A part of a bid, ready to be sealed, and the commitment its receipt will show."""

    plain: bytes
    commitment: bytes


class Found(Struct, frozen=True, kw_only=True):
    """What an opened envelope held: its content as canonical JSON, or why there is none."""

    content: str | None = None
    failure: str | None = None


class _Inside(Struct, frozen=True, forbid_unknown_fields=True):
    content: msgspec.Raw
    salt: str


def canonical(part: Part) -> bytes:
    """Write a part of a bid as canonical JSON (RFC 8785), which is what is committed to."""
    return rfc8785.dumps(msgspec.to_builtins(part))


def pack(part: Part, salt: bytes) -> Packed:
    """Put a part of a bid and its salt together, as canonical JSON: `{"content": …, "salt": hex}`.

    The salt travels inside, so that opening proves the commitment and nobody can guess before.
    """
    content = canonical(part)
    # "content" sorts before "salt", so the whole is canonical where its members are
    plain = b'{"content":%b,"salt":"%b"}' % (content, salt.hex().encode("ascii"))
    return Packed(plain=plain, commitment=commitment(salt, content))


def unpack(
    plain: bytes,
    kind: EnvelopeKind,
    committed: bytes,
    lot: Lot,
    fixed_price: str | None = None,
) -> Found:
    """Check what came out of an envelope against its commitment and against what the lot asks.

    A bid that the market sealed passes for certain, unless the database was tampered with; one
    that its supplier sealed is looked into here for the first time.
    """
    try:
        inside = msgspec.json.decode(plain, type=_Inside)
        content, salt = bytes(inside.content), bytes.fromhex(inside.salt)
        matches = matches_commitment(committed, salt, content)
    except (msgspec.MsgspecError, ValueError):
        matches = False
    if not matches:
        return Found(failure=NOT_AS_COMMITTED)
    try:
        faults = (
            quality_faults(msgspec.json.decode(content, type=QualityEnvelope), lot)
            if kind is EnvelopeKind.QUALITY
            else price_faults(msgspec.json.decode(content, type=PriceEnvelope), lot, fixed_price)
        )
        why = faults[0].reason if faults else None
    except msgspec.MsgspecError as error:
        why = str(error)
    if why is not None:
        return Found(failure=f"The content does not fit the lot: {why}"[:LONGEST_FAILURE])
    return Found(content=content.decode("utf-8"))


def proves_commitment(failure: str | None) -> bool:
    """Say whether an opened envelope held what was committed to, fit for the lot or not."""
    return failure not in {DOES_NOT_OPEN, NOT_AS_COMMITTED}
