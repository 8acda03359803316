"""Drafts of bids: what they may lack, what is missing of them, and how they are encrypted."""

import secrets
from collections.abc import Iterator
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta, Struct, field

from market.errors import Fault
from market.money import DecimalText, decimal_of
from market.sealing import KeptColumn, sealed_length
from tenders.rules.bids import (
    Answer,
    PriceEnvelope,
    PriceLine,
    QualityEnvelope,
    VariantNumber,
    price_faults,
    quality_faults,
)
from tenders.rules.criteria import MAXIMUM_CRITERIA, Code
from tenders.rules.documents import MOST_LISTED, GivenKey, ListedDocument
from tenders.rules.participants import MOST_PARTICIPANTS, Participant
from tenders.rules.requirement import MAXIMUM_PRICE_ITEMS, Lot

_DOMAIN: Final = b"commissioning-support-market/draft/v1\x00"
_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
"""A key of AES-256, one for each organisation."""


class DraftLost(Exception):
    """A draft does not decrypt with its organisation's key: it was changed, or is another's."""


class DraftPlace(Struct, frozen=True, kw_only=True):
    """Which bid a draft is for: of which lot, the main one or a variant.

    Passed whole: a command that takes a `tender_id` has its refusals recorded with the tender,
    where its buyers would learn in the end who prepared a bid.
    """

    tender: UUID
    lot_number: int
    variant: int = 0


class DraftPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as far as it is written: any text, empty too."""

    item: Code
    unit_price: Annotated[str, Meta(max_length=40, pattern=r"^[^\u0000]*$")] = ""


class DraftQuality(QualityEnvelope, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The quality part of a bid as far as it is written."""

    answers: Annotated[tuple[Answer, ...], Meta(max_length=MAXIMUM_CRITERIA)] = ()


class DraftPricing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price part of a bid as far as it is written."""

    prices: Annotated[tuple[DraftPrice, ...], Meta(max_length=MAXIMUM_PRICE_ITEMS)] = ()
    currency: Literal["GBP"] = "GBP"
    documents: Annotated[tuple[ListedDocument, ...], Meta(max_length=MOST_LISTED)] = ()


class BidDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bid as far as it is written: of the form of a bid, so that every bid is a draft as well.

    Anything may be missing; what is there keeps to its limits.
    """

    variant: VariantNumber | None = None
    quality: DraftQuality = field(default_factory=DraftQuality)
    price: DraftPricing = field(default_factory=DraftPricing)
    participants: Annotated[tuple[Participant, ...], Meta(max_length=MOST_PARTICIPANTS)] = ()
    document_keys: Annotated[tuple[GivenKey, ...], Meta(max_length=2 * MOST_LISTED)] = ()


def draft_faults(draft: BidDraft, lot: Lot, fixed_price: str | None = None) -> list[Fault]:
    """Say everything that both envelopes of a draft lack, or that is wrong with them."""
    return [*quality_faults(draft.quality, lot), *_price_faults(draft.price, lot, fixed_price)]


def _price_faults(draft: DraftPricing, lot: Lot, fixed_price: str | None) -> Iterator[Fault]:
    written = []
    whole = True
    for index, price in enumerate(draft.prices):
        if _is_decimal(price.unit_price):
            written.append(price.unit_price)
        else:
            # stands in for what is not written, so that the item counts as priced
            written.append("1")
            whole = False
            reason = (
                f"The price of {price.item} is not written; give pounds and pence, such as 1250.50."
                if not price.unit_price.strip()
                else f"The price of {price.item} is no number of the form 1250.50; correct it."
            )
            yield Fault(field=f"price.prices[{index}].unit_price", reason=reason)
    lines = tuple(
        PriceLine(item=price.item, unit_price=text)
        for price, text in zip(draft.prices, written, strict=True)
    )
    yield from price_faults(PriceEnvelope(prices=lines), lot, fixed_price if whole else None)


def whole_price(draft: DraftPricing) -> PriceEnvelope:
    """Turn the price part of a draft without faults into that of a bid.

    Raises:
        ValueError: a price is no decimal number.
    """
    lines = tuple(
        PriceLine(item=price.item, unit_price=msgspec.convert(price.unit_price, DecimalText))
        for price in draft.prices
    )
    return PriceEnvelope(prices=lines, currency=draft.currency, documents=draft.documents)


def _is_decimal(text: str) -> bool:
    try:
        decimal_of(text)
    except ValueError:
        return False
    return True


# -- encryption --------------------------------------------------------------------------------


def draft_address(organisation: UUID, lot: UUID, variant: int, version: int) -> bytes:
    """Where a draft belongs: the version of one organisation's draft of one bid for one lot."""
    return _DOMAIN + organisation.bytes + lot.bytes + bytes([variant]) + version.to_bytes(8)


def sealed_draft(key: bytes, draft: BidDraft, address: bytes) -> bytes:
    """Encrypt a draft for its address.

    It is filled up with spaces, which JSON does not mind, to the size that an envelope with as much
    in it would have: in size classes, so that how long a draft is tells as little of it.
    A random 96-bit nonce (12 bytes), then AES-256-GCM; the address is authenticated with it. An
    organisation saves far fewer than the 2^32 drafts that NIST SP 800-38D allows one key.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = msgspec.json.encode(draft)
    return nonce + AESGCM(key).encrypt(nonce, plain.ljust(sealed_length(len(plain))), address)


def opened_draft(key: bytes, sealed: bytes, address: bytes) -> BidDraft:
    """Decrypt a draft.

    Raises:
        DraftLost: the bytes are not those of the draft of this address.
    """
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, ciphertext, address)
        return msgspec.json.decode(plain, type=BidDraft)
    except (InvalidTag, ValueError) as error:
        raise DraftLost from error


def draft_key_purpose(organisation: UUID) -> bytes:
    """What a draft key is kept for: the drafts of one organisation."""
    return b"draft-key\x00" + organisation.bytes


DRAFT_KEYS: Final = KeptColumn(
    table="draft_key", column="wrapped", of=("t.organisation",), purpose=draft_key_purpose
)
