import hashlib
from collections.abc import Mapping
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.sealing import (
    COMMITMENT_BYTES,
    Address,
    CannotOpen,
    CannotUnwrap,
    Custodian,
    EnvelopeKind,
    ServerCustodian,
    commitment,
    key_context,
    matches_commitment,
    new_key_pair,
    new_salt,
    seal,
    wrapped_under,
)

PAIR = new_key_pair()
ADDRESS = Address(
    tender=UUID(int=1),
    lot=UUID(int=2),
    supplier=UUID(int=3),
    envelope=EnvelopeKind.PRICE,
    version=4,
)
CONTENT = b'{"prices":[{"item":"1","unit_price":"12.50"}]}'
CONTEXT = key_context(ADDRESS.tender, ADDRESS.lot, ADDRESS.envelope)
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32


def test_a_custodian_opens_an_envelope_without_giving_away_the_key() -> None:
    custodian: Custodian = ServerCustodian({"2025": NEW_KEY}, "2025")
    public, wrapped = custodian.new_wrapped_key(CONTEXT)
    sealed = seal(public, ADDRESS, CONTENT)

    assert custodian.open_envelope(wrapped, CONTEXT, ADDRESS, sealed) == CONTENT
    assert wrapped_under(wrapped) == "2025"
    with pytest.raises(CannotOpen):
        custodian.open_envelope(wrapped, CONTEXT, ADDRESS, sealed[:-1])


def test_a_kept_secret_is_recalled_for_its_purpose_alone() -> None:
    custodian: Custodian = ServerCustodian({"2024": OLD_KEY, "2025": NEW_KEY}, "2025")
    kept = custodian.keep(b"a secret of the market's own", b"a purpose")

    assert b"secret" not in kept
    assert custodian.recall(kept, b"a purpose") == b"a secret of the market's own"
    for other in (b"another purpose", b"", b"a purpose\x00"):
        with pytest.raises(CannotUnwrap):
            custodian.recall(kept, other)


def test_a_kept_secret_never_passes_for_a_sealing_key_nor_a_key_for_a_secret() -> None:
    custodian = ServerCustodian({"2025": NEW_KEY}, "2025")
    sealed = seal(PAIR.public, ADDRESS, CONTENT)

    with pytest.raises(CannotUnwrap):
        custodian.recall(custodian.wrap(PAIR.private, CONTEXT), CONTEXT)
    with pytest.raises(CannotUnwrap):
        custodian.open_envelope(custodian.keep(PAIR.private, CONTEXT), CONTEXT, ADDRESS, sealed)


def test_a_wrapped_key_is_encrypted_and_never_wrapped_alike_twice() -> None:
    custodian = ServerCustodian({"2025": NEW_KEY}, "2025")
    wrapped = custodian.wrap(PAIR.private, CONTEXT)

    assert wrapped != custodian.wrap(PAIR.private, CONTEXT)
    assert all(PAIR.private[n : n + 8] not in wrapped for n in range(0, 96, 8))


def test_another_key_encryption_key_of_the_same_id_does_not_unwrap() -> None:
    wrapped = ServerCustodian({"2025": NEW_KEY}, "2025").wrap(PAIR.private, CONTEXT)
    sealed = seal(PAIR.public, ADDRESS, CONTENT)

    with pytest.raises(CannotUnwrap, match="does not open"):
        ServerCustodian({"2025": OLD_KEY}, "2025").open_envelope(wrapped, CONTEXT, ADDRESS, sealed)


def test_a_missing_key_encryption_key_is_named_and_never_blamed_on_the_envelope() -> None:
    wrapped = ServerCustodian({"2024": OLD_KEY}, "2024").wrap(PAIR.private, CONTEXT)

    with pytest.raises(CannotUnwrap, match="'2024' is not among"):
        ServerCustodian({"2025": NEW_KEY}, "2025").open_envelope(wrapped, CONTEXT, ADDRESS, b"")
    assert not issubclass(CannotUnwrap, CannotOpen)


@pytest.mark.parametrize(
    "other",
    [
        key_context(ADDRESS.lot, ADDRESS.lot, ADDRESS.envelope),
        key_context(ADDRESS.tender, ADDRESS.tender, ADDRESS.envelope),
        key_context(ADDRESS.tender, ADDRESS.lot, EnvelopeKind.QUALITY),
        CONTEXT + b"x",
        b"",
    ],
    ids=["tender", "lot", "envelope", "longer", "none"],
)
def test_a_wrapped_key_works_only_in_its_context(other: bytes) -> None:
    custodian = ServerCustodian({"2025": NEW_KEY}, "2025")
    wrapped = custodian.wrap(PAIR.private, CONTEXT)
    sealed = seal(PAIR.public, ADDRESS, CONTENT)

    with pytest.raises(CannotUnwrap):
        custodian.open_envelope(wrapped, other, ADDRESS, sealed)


def test_a_change_of_any_byte_of_a_wrapped_key_is_noticed() -> None:
    custodian = ServerCustodian({"2025": NEW_KEY, "2024": NEW_KEY}, "2025")
    wrapped = custodian.wrap(PAIR.private, CONTEXT)
    sealed = seal(PAIR.public, ADDRESS, CONTENT)

    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(CannotUnwrap):
            custodian.open_envelope(bytes(changed), CONTEXT, ADDRESS, sealed)


@pytest.mark.parametrize("length", [0, 1, 2, 5, 6, 7, 17, 18, 34, -1])
def test_a_truncated_wrapped_key_is_noticed(length: int) -> None:
    custodian = ServerCustodian({"2025": NEW_KEY}, "2025")
    wrapped = custodian.wrap(PAIR.private, CONTEXT)[:length]

    with pytest.raises(CannotUnwrap):
        custodian.rewrap(wrapped, CONTEXT)


def test_bytes_that_are_no_wrapped_key_are_refused() -> None:
    for wrapped in (b"\x02\x01a", b"\x01\x00", b"\x01\x01\xff" + bytes(60), PAIR.private):
        with pytest.raises(CannotUnwrap, match="not a wrapped key"):
            wrapped_under(wrapped)


def test_a_key_rotation_leaves_every_envelope_readable() -> None:
    before = ServerCustodian({"2024": OLD_KEY}, "2024")
    during = ServerCustodian({"2024": OLD_KEY, "2025": NEW_KEY}, "2025")
    after = ServerCustodian({"2025": NEW_KEY}, "2025")
    public, wrapped = before.new_wrapped_key(CONTEXT)
    sealed = seal(public, ADDRESS, CONTENT)

    rewrapped = during.rewrap(wrapped, CONTEXT)

    assert (wrapped_under(wrapped), wrapped_under(rewrapped)) == ("2024", "2025")
    assert during.open_envelope(wrapped, CONTEXT, ADDRESS, sealed) == CONTENT
    assert during.open_envelope(rewrapped, CONTEXT, ADDRESS, sealed) == CONTENT
    assert after.open_envelope(rewrapped, CONTEXT, ADDRESS, sealed) == CONTENT
    with pytest.raises(CannotUnwrap):
        after.open_envelope(wrapped, CONTEXT, ADDRESS, sealed)
    with pytest.raises(CannotUnwrap):
        during.rewrap(wrapped, b"another context")


@pytest.mark.parametrize(
    ("keys", "current", "reason"),
    [
        ({"2024": OLD_KEY}, "2025", "not among"),
        ({}, "2025", "not among"),
        ({"2025": b"short"}, "2025", "'2025' must be exactly 32 bytes"),
        ({"2025": NEW_KEY + b"x"}, "2025", "'2025' must be exactly 32 bytes"),
        ({"": NEW_KEY}, "", "1 to 255 ASCII"),
        ({"é": NEW_KEY}, "é", "1 to 255 ASCII"),
        ({"k" * 256: NEW_KEY}, "k" * 256, "1 to 255 ASCII"),
    ],
)
def test_key_encryption_keys_that_cannot_work_are_refused_at_once(
    keys: Mapping[str, bytes], current: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        ServerCustodian(keys, current)


# ---------------------------------------------------------------------------- commitments


def test_a_commitment_is_the_documented_digest() -> None:
    salt = bytes(range(32))
    expected = hashlib.sha256(
        b"commissioning-support-market/commitment/v1\x00" + salt + CONTENT
    ).digest()

    assert commitment(salt, CONTENT) == expected
    assert len(expected) == COMMITMENT_BYTES


@given(content=st.binary(), other=st.binary())
def test_a_commitment_matches_its_salt_and_content_alone(content: bytes, other: bytes) -> None:
    salt = new_salt()
    committed = commitment(salt, content)

    assert matches_commitment(committed, salt, content)
    assert matches_commitment(committed, salt, other) == (other == content)
    assert not matches_commitment(committed, new_salt(), content)
    assert not matches_commitment(committed[:-1], salt, content)
    assert not matches_commitment(b"", salt, content)


def test_salts_are_fresh() -> None:
    assert len({new_salt() for _ in range(100)}) == 100


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="exactly 32 bytes"):
        commitment(bytes(length), CONTENT)
    with pytest.raises(ValueError, match="exactly 32 bytes"):
        matches_commitment(bytes(32), bytes(length), CONTENT)
