import dataclasses
import hashlib
import hmac
import io
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from market.sealing import (
    HEAD_BYTES,
    PRIVATE_KEY_BYTES,
    PUBLIC_KEY_BYTES,
    Address,
    CannotOpen,
    EnvelopeKind,
    ServerCustodian,
    content_key_of,
    is_content_key,
    is_sealed,
    new_key_pair,
    open_with_content_key,
    seal,
    sealed_length,
    unseal,
)

PAIR = new_key_pair()
ADDRESS = Address(
    tender=UUID(int=1),
    lot=UUID(int=2),
    supplier=UUID(int=3),
    envelope=EnvelopeKind.PRICE,
    version=4,
    variant=5,
)
CONTENT = b'{"prices":[{"item":"1","unit_price":"12.50"}]}'
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
CONTENT_KEY = b"c" * 32

addresses = st.builds(
    Address,
    tender=st.uuids(),
    lot=st.uuids(),
    supplier=st.uuids(),
    envelope=st.sampled_from(EnvelopeKind),
    version=st.integers(1, 2**63 - 1),
    variant=st.integers(0, 255),
)


@given(content=st.binary(max_size=20_000), address=addresses)
@settings(max_examples=30, deadline=None)
def test_what_is_sealed_opens_at_its_address(content: bytes, address: Address) -> None:
    sealed = seal(PAIR.public, address, content)

    assert unseal(PAIR.private, address, sealed) == content
    assert len(sealed) == sealed_length(len(content))
    assert content not in sealed or len(content) < 8


def test_the_same_content_never_seals_alike_twice() -> None:
    assert seal(PAIR.public, ADDRESS, CONTENT) != seal(PAIR.public, ADDRESS, CONTENT)


@given(ours=addresses, theirs=addresses, data=st.data())
@settings(max_examples=50, deadline=None)
def test_an_envelope_opens_at_no_address_that_differs_in_one_field(
    ours: Address, theirs: Address, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(Address.__struct_fields__))
    moved = msgspec.structs.replace(ours, **{field: getattr(theirs, field)})
    sealed = seal(PAIR.public, ours, CONTENT)

    if moved == ours:
        assert moved.info() == ours.info()
        assert unseal(PAIR.private, moved, sealed) == CONTENT
    else:
        assert moved.info() != ours.info()
        with pytest.raises(CannotOpen):
            unseal(PAIR.private, moved, sealed)


@pytest.mark.parametrize(
    "change",
    [
        {"tender": ADDRESS.lot},
        {"lot": ADDRESS.supplier},
        {"supplier": ADDRESS.tender},
        {"envelope": EnvelopeKind.QUALITY},
        {"version": ADDRESS.version + 1},
        {"variant": 0},
        {"version": ADDRESS.variant, "variant": ADDRESS.version},
        {"tender": ADDRESS.lot, "lot": ADDRESS.tender},
    ],
    ids="-".join,
)
def test_each_field_of_the_address_is_bound(change: Mapping[str, Any]) -> None:
    sealed = seal(PAIR.public, ADDRESS, CONTENT)

    with pytest.raises(CannotOpen):
        unseal(PAIR.private, msgspec.structs.replace(ADDRESS, **change), sealed)


def test_an_address_is_encoded_in_fixed_widths() -> None:
    expected = (
        b"commissioning-support-market/seal/v1\x00"
        + bytes(15) + b"\x01" + bytes(15) + b"\x02" + bytes(15) + b"\x03"
        + b"\x02" + b"\x05" + bytes(7) + b"\x04"
    )  # fmt: skip

    assert ADDRESS.info() == expected


@pytest.mark.parametrize("version", [0, -1, 2**63])
def test_a_version_that_has_no_place_in_the_address_is_refused(version: int) -> None:
    with pytest.raises(ValueError, match="version"):
        msgspec.structs.replace(ADDRESS, version=version)


@pytest.mark.parametrize("variant", [-1, 256])
def test_a_variant_that_has_no_place_in_the_address_is_refused(variant: int) -> None:
    with pytest.raises(ValueError, match="variant"):
        msgspec.structs.replace(ADDRESS, variant=variant)


# ---------------------------------------------------------------------------- sizes


@given(content=st.binary(max_size=20_000))
@settings(max_examples=20, deadline=None)
def test_the_form_of_an_envelope_is_told_without_a_key(content: bytes) -> None:
    sealed = seal(PAIR.public, ADDRESS, content)

    assert is_sealed(sealed)
    for other in (sealed[:-1], sealed + b"\x00", b"\x02" + sealed[1:], b"", sealed[:40]):
        assert not is_sealed(other)


def test_all_short_contents_have_one_size() -> None:
    assert len({len(seal(PAIR.public, ADDRESS, bytes(n))) for n in (0, 1, 800, 4088)}) == 1
    assert sealed_length(4089) > sealed_length(4088)


def test_long_contents_of_nearby_size_have_one_size() -> None:
    first, second = (seal(PAIR.public, ADDRESS, bytes(n)) for n in (100_001, 100_300))

    assert len(first) == len(second)


@given(length=st.integers(0, 2**40))
def test_padding_costs_little_and_never_shrinks(length: int) -> None:
    fixed = sealed_length(0) - 4096
    padded = sealed_length(length) - fixed

    assert padded >= length + 8
    assert padded <= max(4096, (length + 8) * 1.0625)
    assert sealed_length(length + 1) >= sealed_length(length)


def test_there_are_few_size_classes() -> None:
    assert len({sealed_length(n) for n in range(0, 10_000_000, 97)}) < 300


# ---------------------------------------------------------------------------- what does not open


def test_a_change_of_any_part_of_an_envelope_keeps_it_shut() -> None:
    sealed = seal(PAIR.public, ADDRESS, CONTENT)
    positions = {0, 1, 2, 1088, 1089, 1120, 1121, 1168, 1169, 1200, 1201, len(sealed) - 17}
    content_key = content_key_of(PAIR.private, ADDRESS, sealed)

    for position in positions | set(range(0, len(sealed), 61)) | {len(sealed) - 1}:
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            unseal(PAIR.private, ADDRESS, bytes(changed))
        with pytest.raises(CannotOpen):
            open_with_content_key(content_key, ADDRESS, bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 2, 1120, 1121, 1168, 1200, 1201, 4000, -16, -1])
def test_a_truncated_envelope_does_not_open(length: int) -> None:
    with pytest.raises(CannotOpen):
        unseal(PAIR.private, ADDRESS, seal(PAIR.public, ADDRESS, CONTENT)[:length])


def test_an_envelope_with_something_added_does_not_open() -> None:
    with pytest.raises(CannotOpen):
        unseal(PAIR.private, ADDRESS, seal(PAIR.public, ADDRESS, CONTENT) + b"\x00")


@pytest.mark.parametrize(
    "private",
    [
        new_key_pair().private,
        PAIR.private[:64] + new_key_pair().private[64:],
        new_key_pair().private[:64] + PAIR.private[64:],
        PAIR.private[:-1],
        b"",
    ],
    ids=["another", "another X25519 half", "another ML-KEM half", "short", "empty"],
)
def test_another_key_does_not_open(private: bytes) -> None:
    with pytest.raises(CannotOpen):
        unseal(private, ADDRESS, seal(PAIR.public, ADDRESS, CONTENT))


def derived_by_hand(content_key: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA-256 by RFC 5869: the format is held against its words, not its code."""
    info = (
        b"commissioning-support-market/content-key/v1\x00" + hashlib.sha256(ADDRESS.info()).digest()
    )
    extracted = hmac.digest(bytes(32), content_key, "sha256")
    first = hmac.digest(extracted, info + b"\x01", "sha256")
    return first, hmac.digest(extracted, first + info + b"\x02", "sha256")


def envelope_by_hand(in_hpke: bytes, content_key: bytes, padded: bytes) -> bytes:
    """Seal with two content keys, one for the HPKE part and one for the rest, if they differ."""
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    recipient = hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(PAIR.public[:1184]),
        X25519PublicKey.from_public_bytes(PAIR.public[1184:]),
    )
    key, check = derived_by_hand(content_key)
    head = b"\x01" + suite.encrypt(in_hpke, recipient, info=ADDRESS.info()) + check
    return head + AESGCM(key).encrypt(bytes(12), padded, head)


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\x00" * 7,
        (5).to_bytes(8) + b"hello",
        (5).to_bytes(8) + b"hello" + b"\x00" * 4084,
        (5).to_bytes(8) + b"hello" + b"\x00" * (8192 - 13),
        ((5).to_bytes(8) + b"hello").ljust(4095, b"\x00") + b"\x01",
        (2**64 - 1).to_bytes(8).ljust(4096, b"\x00"),
    ],
    ids=["nothing", "no length", "unpadded", "over", "wrong class", "not zeros", "beyond the end"],
)
def test_a_badly_padded_envelope_does_not_open(padded: bytes) -> None:
    sealed = envelope_by_hand(CONTENT_KEY, CONTENT_KEY, padded)

    with pytest.raises(CannotOpen):
        unseal(PAIR.private, ADDRESS, sealed)


def test_whatever_is_wrong_the_answer_is_the_same() -> None:
    sealed = seal(PAIR.public, ADDRESS, CONTENT)
    answers = []
    for private, envelope in (
        (PAIR.private, b""),
        (PAIR.private, b"\x02" + sealed[1:]),
        (PAIR.private, sealed[:-1]),
        (new_key_pair().private, sealed),
        (b"", sealed),
    ):
        with pytest.raises(CannotOpen) as caught:
            unseal(private, ADDRESS, envelope)
        answers.append((str(caught.value), caught.value.__cause__))

    assert set(answers) == {("This envelope does not open with this key at this address.", None)}


@pytest.mark.parametrize(
    "public",
    [b"", PAIR.public[:-1], PAIR.public + b"x", b"\xff" * 1216, PAIR.public[:1184] + bytes(32)],
    ids=["empty", "short", "long", "no ML-KEM key", "X25519 point of low order"],
)
def test_nothing_is_sealed_to_a_malformed_key(public: bytes) -> None:
    with pytest.raises(ValueError, match="1,184 bytes"):
        seal(public, ADDRESS, CONTENT)


# ---------------------------------------------------------------------------- keys


def test_keys_have_the_documented_lengths_and_are_fresh() -> None:
    pair = new_key_pair()

    assert (len(pair.public), len(pair.private)) == (PUBLIC_KEY_BYTES, PRIVATE_KEY_BYTES)
    assert (PUBLIC_KEY_BYTES, PRIVATE_KEY_BYTES) == (1184 + 32, 64 + 32)
    assert pair != new_key_pair()


def test_the_public_key_belongs_to_the_private_key() -> None:
    mlkem = MLKEM768PrivateKey.from_seed_bytes(PAIR.private[:64]).public_key()
    x25519 = X25519PrivateKey.from_private_bytes(PAIR.private[64:]).public_key()

    assert PAIR.public == mlkem.public_bytes_raw() + x25519.public_bytes_raw()


def test_private_material_is_never_shown() -> None:
    custodian = ServerCustodian({"2024": OLD_KEY, "2025": NEW_KEY}, "2025")
    out = io.StringIO()
    Console(file=out, width=10_000).print(PAIR, custodian)
    shown = out.getvalue() + repr(PAIR) + str(PAIR) + repr(custodian)

    assert "hidden" in shown
    assert "ServerCustodian(key_ids=['2024', '2025'], current='2025')" in shown
    for secret in (PAIR.private, PAIR.private[:8], PAIR.private[64:72], OLD_KEY, NEW_KEY):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    assert not dataclasses.is_dataclass(custodian)
    assert not hasattr(custodian, "__dict__")


def test_an_opener_written_from_the_specifications_alone_opens_an_envelope() -> None:
    """Shows suppliers what to build, and us if a library changes what must open for years.

    RFC 9180, sections 4 and 5.1, with the KEM MLKEM768-X25519 (0x647a) of draft-ietf-hpke-pq,
    which is X-Wing (draft-connolly-cfrg-xwing-kem).
    """
    sealed = seal(PAIR.public, ADDRESS, CONTENT)
    mlkem_ciphertext, x25519_ciphertext = sealed[1:1089], sealed[1089:1121]
    mlkem_secret = MLKEM768PrivateKey.from_seed_bytes(PAIR.private[:64]).decapsulate(
        mlkem_ciphertext
    )
    x25519_secret = X25519PrivateKey.from_private_bytes(PAIR.private[64:]).exchange(
        X25519PublicKey.from_public_bytes(x25519_ciphertext)
    )
    shared = hashlib.sha3_256(
        mlkem_secret + x25519_secret + x25519_ciphertext + PAIR.public[1184:] + rb"\.//^" + b"\\"
    ).digest()
    suite = b"HPKE" + bytes.fromhex("647a00010002")

    def extract(label: bytes, key_material: bytes, salt: bytes = b"") -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key_material, "sha256")

    def expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
        info = length.to_bytes(2) + b"HPKE-v1" + suite + label + context
        return hmac.digest(secret, info + b"\x01", "sha256")[:length]

    context = b"\x00" + extract(b"psk_id_hash", b"") + extract(b"info_hash", ADDRESS.info())
    secret = extract(b"secret", b"", salt=shared)
    content_key = AESGCM(expand(secret, b"key", context, 32)).decrypt(
        expand(secret, b"base_nonce", context, 12), sealed[1121:1169], b""
    )
    key, check = derived_by_hand(content_key)
    opened = AESGCM(key).decrypt(bytes(12), sealed[1201:], sealed[:1201])

    assert check == sealed[1169:1201]
    assert opened == len(CONTENT).to_bytes(8) + CONTENT + bytes(4096 - 8 - len(CONTENT))


# ---------------------------------------------------------------------------- content keys


@given(content=st.binary(max_size=20_000), address=addresses)
@settings(max_examples=30, deadline=None)
def test_an_envelope_opens_by_its_content_key_alone(content: bytes, address: Address) -> None:
    sealed = seal(PAIR.public, address, content)
    content_key = content_key_of(PAIR.private, address, sealed[:HEAD_BYTES])

    assert content_key_of(PAIR.private, address, sealed) == content_key
    assert open_with_content_key(content_key, address, sealed) == content
    assert is_content_key(content_key, address, sealed[:HEAD_BYTES])


def test_a_content_key_opens_no_other_envelope() -> None:
    one, other = seal(PAIR.public, ADDRESS, CONTENT), seal(PAIR.public, ADDRESS, CONTENT)
    content_key = content_key_of(PAIR.private, ADDRESS, one)

    assert not is_content_key(content_key, ADDRESS, other)
    with pytest.raises(CannotOpen):
        open_with_content_key(content_key, ADDRESS, other)


@given(theirs=addresses)
@settings(max_examples=30, deadline=None)
def test_a_content_key_opens_its_envelope_at_no_other_address(theirs: Address) -> None:
    sealed = seal(PAIR.public, ADDRESS, CONTENT)
    content_key = content_key_of(PAIR.private, ADDRESS, sealed)

    assert is_content_key(content_key, theirs, sealed) == (theirs == ADDRESS)
    if theirs != ADDRESS:
        with pytest.raises(CannotOpen):
            open_with_content_key(content_key, theirs, sealed)


@pytest.mark.parametrize("content_key", [b"", bytes(32), CONTENT_KEY + b"x", CONTENT_KEY[:-1]])
def test_what_is_no_content_key_of_an_envelope_opens_nothing(content_key: bytes) -> None:
    sealed = envelope_by_hand(CONTENT_KEY, CONTENT_KEY, (0).to_bytes(8).ljust(4096, b"\x00"))

    assert open_with_content_key(CONTENT_KEY, ADDRESS, sealed) == b""
    assert not is_content_key(content_key, ADDRESS, sealed)
    with pytest.raises(CannotOpen):
        open_with_content_key(content_key, ADDRESS, sealed)


@pytest.mark.parametrize("in_hpke", [bytes(32), b"", CONTENT_KEY + b"x"])
def test_an_envelope_whose_head_says_two_content_keys_opens_by_neither_way(in_hpke: bytes) -> None:
    sealed = envelope_by_hand(in_hpke, CONTENT_KEY, (0).to_bytes(8).ljust(4096, b"\x00"))

    with pytest.raises(CannotOpen):
        content_key_of(PAIR.private, ADDRESS, sealed)
    with pytest.raises(CannotOpen):
        unseal(PAIR.private, ADDRESS, sealed)
