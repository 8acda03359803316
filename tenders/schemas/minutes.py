"""What the API gives as the minutes of an opening, and what the market signs of them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from market.sealing import EnvelopeKind
from market.signing import SignedStatement
from tenders.rules.stages import TenderStatus
from tenders.schemas.opening import BidderView


class ConfirmationView(msgspec.Struct, frozen=True, kw_only=True):
    """Who confirmed the opening, and when."""

    person: UUID
    name: str
    confirmed_at: datetime


class EnvelopeMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope in the minutes: what stood at the deadline, and what became of it.

    `sealed_digest` is the SHA-256 of the sealed envelope as it was fixed at the deadline and
    `commitment` the salted one, both as in the bidder's receipt. `as_fixed` is false where another
    envelope, or none, is stored now: it stays sealed. `released_by` are the officers who released
    its key together, none where the market keeps it. `commitment_matches` is absent while it is
    sealed.
    """

    kind: EnvelopeKind
    sealed_digest: str
    as_fixed: bool
    commitment: str
    released_by: list[str]
    opened_at: datetime | None
    opened_by: str | None
    commitment_matches: bool | None
    failure: str | None


class BidMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """A bid that stood at the deadline. Supplier and time are absent for those who score blind.

    `variant` is 0 for a main bid.
    """

    pseudonym: str
    variant: int
    supplier: BidderView | None
    received_at: datetime | None
    envelopes: list[EnvelopeMinutes]


class LotMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """The bids of one lot, in the order of their pseudonyms, which were drawn by lot."""

    number: int
    title: str
    lot: UUID
    bids: list[BidMinutes]


class LateAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody tried to give, replace, withdraw or confirm a bid after the deadline, in vain."""

    organisation: UUID
    name: str
    attempted: str
    attempted_at: datetime


class InterruptionMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """An outage of the market in the last hour before a deadline, and what was decided upon it."""

    began_at: datetime
    ended_at: datetime
    outcome: str | None
    decided_at: datetime | None


class Difference(StrEnum):
    """How what is stored differs from what was fixed at the deadline."""

    MANIFEST_ALTERED = "manifest_altered"
    QUALITY_ALTERED = "quality_altered"
    QUALITY_MISSING = "quality_missing"
    PRICE_ALTERED = "price_altered"
    PRICE_MISSING = "price_missing"
    BID_SUPERSEDED = "bid_superseded"
    BID_ADDED = "bid_added"


class ManifestFault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was changed, removed or added after what stood was fixed.

    The market itself never does that; somebody went past it. A fault of the manifest as a whole
    has no lot, and a bid that was added no pseudonym.
    """

    lot_number: int | None
    pseudonym: str | None
    fault: Difference


class ManifestMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """When what stood was fixed, and the digest over it.

    The digest is SHA-256 over the salt in hexadecimal and then a line for each bid, in the order of
    their bytes, each line ended by a line feed: the id of the lot and the digests of the sealed
    quality and price, with one space between. All of that is in the bidder's receipt.
    The digest was recorded in the event log when it was fixed.
    """

    fixed_at: datetime
    salt: str
    digest: str
    faults: list[ManifestFault]


class MinutesView(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes of the opening, as far as it has come.

    The manifest, late attempts, and how many bids were withdrawn or had lapsed, are told once the
    bids are opened; the market's signed statement of all that names nobody (an `OpeningStatement`)
    comes with them.
    """

    tender: UUID
    status: TenderStatus
    deadline: datetime
    manifest: ManifestMinutes | None
    confirmations: list[ConfirmationView]
    opened_at: datetime | None
    late_attempts: list[LateAttempt]
    interruptions: list[InterruptionMinutes]
    withdrawn: int | None
    lapsed: int | None
    lots: list[LotMinutes]
    statement: SignedStatement | None


class StatedEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope in the signed statement: sealed, or opened, with or without success."""

    kind: EnvelopeKind
    sealed_digest: str
    as_fixed: bool
    commitment: str
    opened_at: datetime | None
    commitment_matches: bool | None


class StatedBid(msgspec.Struct, frozen=True, kw_only=True):
    """One bid in the signed statement; its bidder knows it by the digests in its receipt."""

    lot: UUID
    pseudonym: str
    variant: int
    envelopes: list[StatedEnvelope]


class StatedInterruption(msgspec.Struct, frozen=True, kw_only=True):
    """An outage in the signed statement."""

    began_at: datetime
    ended_at: datetime
    outcome: str | None


class OpeningStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What the market signs of the minutes: everything in them that names no person or bidder.

    Each who may read the minutes is given the same one for the same state of the opening.
    """

    kind: Literal["opening_minutes"] = "opening_minutes"
    tender: UUID
    deadline: datetime
    manifest_fixed_at: datetime
    manifest_salt: str
    manifest_digest: str
    manifest_faults: list[ManifestFault]
    confirmed_at: list[datetime]
    opened_at: datetime
    late_attempts: list[datetime]
    interruptions: list[StatedInterruption]
    withdrawn: int
    lapsed: int
    bids: list[StatedBid]


def stated(minutes: MinutesView) -> OpeningStatement | None:
    """What there is to sign of the minutes; nothing before the bids are opened."""
    manifest, withdrawn, lapsed = minutes.manifest, minutes.withdrawn, minutes.lapsed
    if manifest is None or minutes.opened_at is None or withdrawn is None or lapsed is None:
        return None
    return OpeningStatement(
        tender=minutes.tender,
        deadline=minutes.deadline,
        manifest_fixed_at=manifest.fixed_at,
        manifest_salt=manifest.salt,
        manifest_digest=manifest.digest,
        manifest_faults=manifest.faults,
        confirmed_at=[one.confirmed_at for one in minutes.confirmations],
        opened_at=minutes.opened_at,
        late_attempts=[one.attempted_at for one in minutes.late_attempts],
        interruptions=[
            StatedInterruption(began_at=one.began_at, ended_at=one.ended_at, outcome=one.outcome)
            for one in minutes.interruptions
        ],
        withdrawn=withdrawn,
        lapsed=lapsed,
        bids=[
            StatedBid(
                lot=lot.lot,
                pseudonym=bid.pseudonym,
                variant=bid.variant,
                envelopes=[
                    StatedEnvelope(
                        kind=one.kind,
                        sealed_digest=one.sealed_digest,
                        as_fixed=one.as_fixed,
                        commitment=one.commitment,
                        opened_at=one.opened_at,
                        commitment_matches=one.commitment_matches,
                    )
                    for one in bid.envelopes
                ],
            )
            for lot in minutes.lots
            for bid in lot.bids
        ],
    )
