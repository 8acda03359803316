"""What lies inside an envelope: how a part of a bid is packed, and what opening it must prove."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
import rfc8785
from msgspec import Struct

from market.documents.parts import KEY_BYTES
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
    """What an opened envelope held: its content as canonical JSON, or why there is none.

    `keys` are those of the documents that the content lists, as far as they are well formed.
    """

    content: str | None = None
    failure: str | None = None
    keys: Mapping[UUID, bytes] = msgspec.field(default_factory=dict)


class _Inside(Struct, frozen=True, forbid_unknown_fields=True):
    content: msgspec.Raw
    salt: str
    keys: dict[str, str] = msgspec.field(default_factory=dict)


def canonical(part: Part) -> bytes:
    """Write a part of a bid as canonical JSON (RFC 8785), which is what is committed to.

    An empty list of documents is left out, so that a bid without any is as its bidder wrote it.
    Where all names are ASCII and no number is a float, msgspec writes the same bytes, a tenth as
    slowly; a test holds it to that.
    """
    written = msgspec.to_builtins(part)
    if not part.documents:
        del written["documents"]
    return msgspec.json.encode(written, order="sorted")


def pack(part: Part, salt: bytes, keys: Mapping[UUID, bytes] | None = None) -> Packed:
    """Put a part of a bid and its salt together, as canonical JSON: `{"content": …, "salt": hex}`.

    The salt travels inside, so that opening proves the commitment and nobody can guess before. The
    keys of the documents that the part lists travel beside: `"keys": {id: hex}`, left out where
    there is none. They are not committed to: the bidder is never told those that the market drew.
    """
    content = canonical(part)
    by_id = {str(document): key.hex() for document, key in (keys or {}).items()}
    beside = b'"keys":%b,' % rfc8785.dumps(by_id) if by_id else b""
    # "content" sorts before "keys" and "salt", so the whole is canonical where its members are
    plain = b'{"content":%b,%b"salt":"%b"}' % (content, beside, salt.hex().encode("ascii"))
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
    return Found(content=content.decode("utf-8"), keys=_well_formed(inside.keys))


def _well_formed(keys: Mapping[str, str]) -> dict[UUID, bytes]:
    """Read the keys that can be ones: a supplier that seals its bid may write anything."""
    found = {}
    for document, text in keys.items():
        with suppress(ValueError):
            key = bytes.fromhex(text)
            if len(key) == KEY_BYTES:
                found[UUID(document)] = key
    return found


def proves_commitment(failure: str | None) -> bool:
    """Say whether an opened envelope held what was committed to, fit for the lot or not."""
    return failure not in {DOES_NOT_OPEN, NOT_AS_COMMITTED}
