"""What an envelope holds proves its commitment and fits the lot, or says why not."""

from uuid import uuid4

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from market.documents.kinds import MediaType
from market.sealing import EnvelopeKind, commitment
from tenders.rules.bids import Answer, PriceEnvelope, QualityEnvelope
from tenders.rules.documents import ListedDocument
from tenders.rules.envelopes import (
    DOES_NOT_OPEN,
    LONGEST_FAILURE,
    NOT_AS_COMMITTED,
    canonical,
    pack,
    proves_commitment,
    unpack,
)
from tenders.rules.requirement import Lot, leaves
from tests.makers.bids import bid_body
from tests.tenders.rules.documents import lot_document

LOT = msgspec.convert(lot_document(), Lot)
BODY = bid_body(LOT, quality_text='Größe, \u2028 and "quotes".')
QUALITY = msgspec.convert(BODY["quality"], QualityEnvelope)
PRICE = msgspec.convert(BODY["price"], PriceEnvelope)
SALT = bytes(range(32))
PARTS = ((EnvelopeKind.QUALITY, QUALITY), (EnvelopeKind.PRICE, PRICE))


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    size=st.integers(0, 2**53 - 1),
)
def test_a_part_is_written_as_the_standard_says(texts: list[str], name: str, size: int) -> None:
    listed = ListedDocument(
        id=uuid4(), name=name, media_type=MediaType.PDF, size=size, sha256="0" * 64
    )
    answers = tuple(Answer(criterion=f"Q{place}", text=text) for place, text in enumerate(texts))
    quality = QualityEnvelope(answers=answers)
    for part in (quality, msgspec.structs.replace(quality, documents=(listed,)), PRICE):
        plain = msgspec.to_builtins(part)
        if not part.documents:
            del plain["documents"]
        assert canonical(part) == rfc8785.dumps(plain)


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_what_was_packed_is_found_again(
    kind: EnvelopeKind, part: QualityEnvelope | PriceEnvelope
) -> None:
    packed = pack(part, SALT)
    found = unpack(packed.plain, kind, packed.commitment, LOT)
    assert found.failure is None
    assert found.content is not None
    assert msgspec.json.decode(found.content, type=type(part)) == part
    assert packed.commitment == commitment(SALT, canonical(part))
    assert proves_commitment(found.failure)


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_no_changed_byte_passes_for_what_was_committed_to(
    kind: EnvelopeKind, part: QualityEnvelope | PriceEnvelope
) -> None:
    packed = pack(part, SALT)
    for place in range(len(packed.plain)):
        changed = bytearray(packed.plain)
        changed[place] ^= 1
        found = unpack(bytes(changed), kind, packed.commitment, LOT)
        assert found.failure == NOT_AS_COMMITTED, place
    assert not proves_commitment(NOT_AS_COMMITTED)
    assert not proves_commitment(DOES_NOT_OPEN)


def test_a_bid_without_documents_is_committed_to_as_its_bidder_wrote_it() -> None:
    assert canonical(QUALITY) == rfc8785.dumps(BODY["quality"])
    assert canonical(PRICE) == rfc8785.dumps(BODY["price"] | {"currency": "GBP"})


def test_keys_of_documents_travel_beside_the_content_and_leave_its_commitment_as_it_is() -> None:
    keys = {uuid4(): bytes([number]) * 32 for number in range(3)}
    packed = pack(QUALITY, SALT, keys)
    assert packed.commitment == pack(QUALITY, SALT).commitment
    assert rfc8785.dumps(msgspec.json.decode(packed.plain)) == packed.plain
    found = unpack(packed.plain, EnvelopeKind.QUALITY, packed.commitment, LOT)
    assert found.keys == keys
    assert found.content == canonical(QUALITY).decode()
    assert not unpack(pack(QUALITY, SALT).plain, EnvelopeKind.QUALITY, packed.commitment, LOT).keys


def test_keys_that_can_be_none_are_passed_over_and_the_content_stands() -> None:
    good = uuid4()
    written = {str(good): "ab" * 32, str(uuid4()): "ab", str(uuid4()): "no", "none": "ab" * 32}
    content, keys = canonical(QUALITY).decode(), msgspec.json.encode(written).decode()
    plain = f'{{"content":{content},"keys":{keys},"salt":"{SALT.hex()}"}}'.encode()
    found = unpack(plain, EnvelopeKind.QUALITY, pack(QUALITY, SALT).commitment, LOT)
    assert (found.failure, found.keys) == (None, {good: b"\xab" * 32})


@pytest.mark.parametrize("plain", [b"", b"[]", b"{}", b'{"content":{},"salt":"00"}', b"\xff"])
def test_what_is_no_packed_part_is_not_as_committed(plain: bytes) -> None:
    assert unpack(plain, EnvelopeKind.PRICE, b"c" * 32, LOT).failure == NOT_AS_COMMITTED


def test_content_that_proves_its_commitment_must_fit_the_lot_too() -> None:
    foreign = pack(PRICE, SALT)
    found = unpack(foreign.plain, EnvelopeKind.QUALITY, foreign.commitment, LOT)
    assert (found.failure or "").startswith("The content does not fit the lot: ")
    unanswered = pack(QualityEnvelope(answers=QUALITY.answers[1:]), SALT)
    found = unpack(unanswered.plain, EnvelopeKind.QUALITY, unanswered.commitment, LOT)
    assert leaves(LOT)[0].code in (found.failure or "")
    unpriced = pack(PriceEnvelope(prices=()), SALT)
    found = unpack(unpriced.plain, EnvelopeKind.PRICE, unpriced.commitment, LOT)
    assert found.content is None
    assert len(found.failure or "") <= LONGEST_FAILURE
    assert proves_commitment(found.failure)
