"""What the API takes and gives about keys that officers keep."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.sealing import EnvelopeKind
from market.signing import Digest
from tenders.rules.custody import Custody

MOST_AT_ONCE = 500
"""Shares or keys in one request, and heads in one answer: the rest comes with the next one."""

_ID = "018f6e2a-7c1d-4a56-9a3b-0c5d7e9f1a2b"

Fingerprint = Annotated[Digest, Meta(description="SHA-256 of an officer's public key.")]


class PublishTender(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to keep the private keys that bids are sealed to.

    `server`: the market, wrapped under its key-encryption key. `officers`: at least three openers,
    each with a registered key, of whom any two together open what is due and one alone nothing.
    """

    custody: Custody = Custody.SERVER

    example: ClassVar[dict[str, Any]] = {"custody": "server"}


class RegisterOfficerKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public half of a key made by `market officer new-key`: 1,216 bytes in base64."""

    public_key: Annotated[bytes, Meta(max_length=2000)]

    example: ClassVar[dict[str, Any]] = {"public_key": "MSwyMTYgYnl0ZXM="}


class OfficerKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """One of a person's officer keys; the latest counts for tenders published from now on."""

    id: UUID
    fingerprint: Fingerprint
    registered_at: datetime


class KeyOf(msgspec.Struct, frozen=True, kw_only=True):
    """What a private key is for; without lot and envelope, for the rehearsal."""

    lot: UUID | None
    lot_number: int | None
    envelope: EnvelopeKind | None
    public_key: bytes


class ShareToPass(msgspec.Struct, frozen=True, kw_only=True):
    """A share of one's own whose outer layer is to be taken off for the other officer."""

    share: UUID
    of: KeyOf
    outer: Fingerprint
    inner: Fingerprint
    inner_officer: str
    passed: bool
    sealed: bytes


class SharePassedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What another officer passed on to oneself: the inner layer, which oneself alone can read."""

    share: UUID
    of: KeyOf
    outer: Fingerprint
    inner: Fingerprint
    outer_officer: str
    sealed: bytes


class SharesView(msgspec.Struct, frozen=True, kw_only=True):
    """An officer's part in a tender's keys, now: those of the rehearsal, and those that are due."""

    tender: UUID
    canary: bytes
    to_pass: list[ShareToPass]
    passed_on: list[SharePassedOn]


class PassShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One share without its outer layer."""

    share: UUID
    sealed: Annotated[bytes, Meta(min_length=1, max_length=4096)]


class PassShares(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares to pass on, each for one other officer."""

    shares: Annotated[tuple[PassShare, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]

    example: ClassVar[dict[str, Any]] = {"shares": [{"share": _ID, "sealed": "c2VhbGVk"}]}


class SharesPassed(msgspec.Struct, frozen=True, kw_only=True):
    """How many shares were passed on."""

    passed: int


class HeadDue(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope that is due: what it is bound to, and the head that its content key is in."""

    envelope: UUID
    lot: UUID
    lot_number: int
    kind: EnvelopeKind
    supplier: UUID
    variant: int
    version: int
    head: bytes


class ReleasesDue(msgspec.Struct, frozen=True, kw_only=True):
    """The envelopes whose content keys officers may release now, at most 500 of them."""

    tender: UUID
    due: list[HeadDue]


class ReleaseKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content key of one envelope; none where the envelope does not open with the lot's key.

    That an envelope does not open counts once two officers said so of it.
    """

    envelope: UUID
    content_key: Annotated[bytes, Meta(max_length=100)] | None


class ReleaseKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content keys of envelopes that are due."""

    keys: Annotated[tuple[ReleaseKey, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]

    example: ClassVar[dict[str, Any]] = {"keys": [{"envelope": _ID, "content_key": None}]}


class KeysReleased(msgspec.Struct, frozen=True, kw_only=True):
    """How many content keys were released, and how many envelopes were found not to open."""

    released: int
    unopenable: int


class GiveCanary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two officers read in the canary of their tender."""

    canary: Annotated[bytes, Meta(max_length=1000)]

    example: ClassVar[dict[str, Any]] = {"canary": "Y2FuYXJ5"}


class KeyRehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal that succeeded: these two can release keys together."""

    passed_by: UUID
    opened_by: UUID
    rehearsed_at: datetime
