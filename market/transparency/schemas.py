"""What the log hands out: checkpoints and proofs, in the words of FORMAT.md."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from market.signing import Digest
from market.transparency.rules.leaves import EventContent, EventHeader

Hashes = Annotated[
    tuple[Digest, ...], Meta(description="Hashes of the proof, in the order of RFC 9162.")
]
Size = Annotated[int, Meta(ge=0, description="How many events the log had.")]


class CheckpointView(Struct, frozen=True, kw_only=True):
    """A signed checkpoint. `note` is the whole of it; the rest is said beside it.

    Not why it was signed just then: that would tell of an award before the bidders are told.
    """

    size: Size
    root: Digest
    note: str
    signed_at: datetime
    time_stamp: str | None
    """An RFC 3161 token over the note, in base64, where an authority outside was asked."""


class LogKey(Struct, frozen=True, kw_only=True):
    """Who signs the log: its name and its key, as C2SP signed notes write them."""

    origin: str
    verifier_key: str
    sandbox: bool


class RestartView(Struct, frozen=True, kw_only=True):
    """That the log goes on under its present origin, since the end of a former one was lost.

    Checkpoints of the former up to the size `kept` hold for this log; what it held beyond, up to
    `known` at least, is lost. `note` is the signed declaration, and the rest is said beside it.
    """

    origin: str
    former: str
    former_key: str
    kept: Size
    known: Size
    known_root: Digest
    because: str
    note: str


class InclusionProof(Struct, frozen=True, kw_only=True):
    """That the log of a size holds a leaf at a position (RFC 9162, section 2.1.3)."""

    position: int
    size: Size
    leaf_hash: Digest
    path: Hashes


class ConsistencyProof(Struct, frozen=True, kw_only=True):
    """That the log of one size is the beginning of that of another (RFC 9162, section 2.1.4)."""

    old_size: Size
    size: Size
    path: Hashes


class EventProof(Struct, frozen=True, kw_only=True):
    """That an event is in the log under a checkpoint.

    The leaf is the header's canonical JSON. Whoever may see the event whole is given its content
    with the salt of the header's commitment; the number in its tender only after the opening.
    """

    header: EventHeader
    content: EventContent | None
    content_salt: Digest | None
    number: int | None
    number_salt: Digest | None
    leaf_hash: Digest
    path: Hashes
    checkpoint: str
