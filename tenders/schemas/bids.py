"""What the API takes and gives about sealed bids."""

import base64
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from market.money import DecimalText
from market.sealing import EnvelopeKind, sealed_length
from market.signing import Digest, SignedStatement
from tenders.rules.bids import PriceEnvelope, QualityEnvelope, VariantNumber
from tenders.rules.documents import MOST_LISTED, GivenKey
from tenders.rules.participants import (
    MOST_PARTICIPANTS,
    ExclusionGrounds,
    Participant,
    ParticipantRole,
)
from tenders.rules.receipts import Salts

_EXAMPLE = base64.b64encode(b"\x01" + bytes(sealed_length(0) - 1)).decode("ascii")


class BidAct(StrEnum):
    """What one version of a bid did."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class BidState(StrEnum):
    """Whether a bid stands: what its last version did, and what was amended since.

    `to_confirm`: it was given before a material amendment, and is confirmed or replaced before the
    deadline; else it has `lapsed`, and is not opened.
    """

    STANDING = "standing"
    TO_CONFIRM = "to_confirm"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class GiveBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole bid for one lot: an answer to every question, a price for every price item.

    `participants` are the members of the consortium and the subcontractors. They are named outside
    the envelopes, and known with the bidders' names, so that conflicts of interest can be found.
    `document_keys` are those of documents that you sealed before you uploaded them; they are sealed
    into the envelopes that list these, and not kept.
    """

    variant: VariantNumber | None = None
    quality: QualityEnvelope
    price: PriceEnvelope
    participants: Annotated[tuple[Participant, ...], Meta(max_length=MOST_PARTICIPANTS)] = ()
    document_keys: Annotated[tuple[GivenKey, ...], Meta(max_length=2 * MOST_LISTED)] = ()

    example: ClassVar[dict[str, Any]] = {
        "quality": {
            "answers": [
                {"criterion": "Q1", "text": "Two analysts are on site from the first day."},
                {"criterion": "Q2", "text": "We hold ISO 27001 and the DSP Toolkit."},
            ]
        },
        "price": {"prices": [{"item": "A", "unit_price": "1250.50"}], "currency": "GBP"},
        "participants": [
            {
                "role": "subcontractor",
                "name": "Example Analytics Limited",
                "identifier": {"scheme": "GB-COH", "value": "01234567"},
                "share": "15",
                "declaration": {"exclusion_grounds": "no_grounds", "consents": True},
            }
        ],
    }


LARGEST_QUALITY: Final = sealed_length(2**20 - 8)
LARGEST_PRICE: Final = sealed_length(2**17 - 8)
"""The largest envelopes that are taken sealed: of 1 MiB and of 128 KiB of content."""


class SealedQuality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quality envelope that its supplier sealed, in base64, and the commitment to its content.

    Inside is canonical JSON (RFC 8785): `{"content": …, "salt": …}`, the content as in a bid that
    the market seals, the salt 32 random bytes in hexadecimal. Where the content lists documents,
    their keys are between the two: `"keys": {id: hexadecimal}`. The commitment is SHA-256 of
    `commissioning-support-market/commitment/v1`, a zero byte, the salt and the content.
    """

    sealed: Annotated[bytes, Meta(max_length=LARGEST_QUALITY)]
    commitment: Digest


class SealedPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price envelope that its supplier sealed, as a quality envelope is."""

    sealed: Annotated[bytes, Meta(max_length=LARGEST_PRICE)]
    commitment: Digest


class GiveSealedBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole bid for one lot that its supplier sealed before sending.

    `version` is the one both envelopes were sealed for: 1 for the first, then one more each time.
    The market cannot look inside. At the opening, an envelope that does not open with the key of
    its lot, is not what it commits to, or does not answer and price exactly what the lot asks is
    recorded as that, and its bid is excluded; nobody can mend it after the deadline.
    `documents` are the ids of all documents that the envelopes list: you sealed them too.
    """

    variant: VariantNumber | None = None
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    quality: SealedQuality
    price: SealedPrice
    participants: Annotated[tuple[Participant, ...], Meta(max_length=MOST_PARTICIPANTS)] = ()
    documents: Annotated[tuple[UUID, ...], Meta(max_length=2 * MOST_LISTED)] = ()

    example: ClassVar[dict[str, Any]] = {
        "version": 1,
        "quality": {"sealed": _EXAMPLE, "commitment": "0" * 64},
        "price": {"sealed": _EXAMPLE, "commitment": "0" * 64},
    }


class BidReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A bid as it was received. It is what a repetition of the request finds stored."""

    bid: UUID
    version: int
    received_at: datetime
    receipt: SignedStatement


class BidGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A bid was received: its signed receipt, and the salts that prove what was in it.

    A bidder that sealed the bid has the salts of its envelopes, and is given that of the
    participants alone. `salts` is null in the repetition of a request after the market has changed
    its signing key; the receipt holds all the same, and after the opening the bid proves itself.
    """

    bid: UUID
    version: int
    received_at: datetime
    receipt: SignedStatement
    salts: Salts | None
    sealing: Annotated[
        str, Meta(description="What it means who sealed the bid; the receipt says who did.")
    ]


class BidWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A bid was withdrawn: the signed receipt. Until the deadline it can be given again by PUT."""

    bid: UUID
    version: int
    withdrawn_at: datetime
    receipt: SignedStatement


class BidSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One of the organisation's bids. What is in it, the market itself cannot show."""

    id: UUID
    tender: UUID
    tender_reference: str
    tender_title: str
    deadline: datetime
    lot_number: int
    lot_title: str
    variant: Annotated[int, Meta(description="0 for the main bid, else the variant's number.")]
    lacks_main_bid: Annotated[
        bool, Meta(description="A variant that stands only beside a main bid, and there is none.")
    ]
    state: BidState
    amendment: Annotated[
        int | None, Meta(description="The material amendment it waits to be confirmed under.")
    ]
    form_changed: Annotated[
        bool, Meta(description="It cannot be confirmed as it is: the lot asks for other things.")
    ]
    version: int
    received_at: datetime


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part in a bid beside its lead, and what the lead declared for them."""

    role: ParticipantRole
    organisation: UUID | None
    name: str
    scheme: str | None
    identifier: str | None
    share: DecimalText | None
    exclusion_grounds: ExclusionGrounds
    details: str


class BidVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, replacement or withdrawal, with its receipt.

    `event` is what it is in the log, and `log_position` where, a moment later: its proof under a
    signed checkpoint is at `/log/events/{event}/proof` within a minute.
    """

    version: int
    act: BidAct
    received_at: datetime
    participants: list[ParticipantView]
    receipt: SignedStatement
    event: UUID | None
    log_position: int | None


class ConfirmationView(msgspec.Struct, frozen=True, kw_only=True):
    """That a version of a bid was confirmed under a material amendment, with its receipt."""

    version: int
    amendment: int
    confirmed_at: datetime
    receipt: SignedStatement


class BidView(BidSummary, frozen=True, kw_only=True):
    """One of the organisation's bids with every version; the last before the deadline counts."""

    versions: list[BidVersionView]
    confirmations: list[ConfirmationView]


class SealingKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The public key to which one kind of envelope of one lot is sealed.

    It is an ML-KEM-768 and an X25519 key, 1,216 bytes in base64; its digest is SHA-256. With it,
    `info_begins` (base64) and the id of the organisation a supplier can seal before sending.
    """

    lot: UUID
    lot_number: int
    envelope: EnvelopeKind
    custodian: str
    public_key: str
    public_key_digest: str
    info_begins: str
    info_layout: str
    if_it_does_not_open: str
