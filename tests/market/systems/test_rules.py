"""The pure rules about keys, networks and assertions."""

import ipaddress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.systems.rules.assertions import BadAssertion, checked, claimed_client
from market.systems.rules.key_sets import PublicJWK, algorithms_of, key_set_faults
from market.systems.rules.keys import (
    LENGTH,
    comes_from,
    network_faults,
    normal_networks,
    read_key,
    write_key,
)

_SECRET = st.binary(min_size=32, max_size=32)


@given(st.uuids(), _SECRET)
def test_a_key_that_was_written_is_read_back(key_id: UUID, secret: bytes) -> None:
    text = write_key(key_id, secret)
    assert len(text) == LENGTH
    assert text.replace("_", "").isalnum()
    written = read_key(text)
    assert written is not None
    assert written.id == key_id
    assert written.secret not in repr(written)


@given(st.uuids(), _SECRET, _SECRET)
def test_two_secrets_are_two_keys(key_id: UUID, one: bytes, other: bytes) -> None:
    assert (write_key(key_id, one) == write_key(key_id, other)) == (one == other)


@given(st.uuids(), _SECRET, st.integers(0, LENGTH - 1), st.characters())
def test_a_key_in_which_one_letter_is_wrong_is_noticed(
    key_id: UUID, secret: bytes, place: int, letter: str
) -> None:
    text = write_key(key_id, secret)
    changed = text[:place] + letter + text[place + 1 :]
    assert changed == text or read_key(changed) is None


@given(st.text(max_size=120))
def test_what_the_market_never_wrote_is_no_key(text: str) -> None:
    assert read_key(text) is None
    assert read_key("mka_" + text) is None


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_address_lies_in_its_own_network_also_in_its_other_form(
    address: ipaddress.IPv4Address, length: int
) -> None:
    network = str(ipaddress.ip_network((address, length), strict=False))
    assert network_faults([network]) == []
    assert comes_from(str(address), normal_networks([network]))
    assert comes_from(f"::ffff:{address}", [network])


def test_without_networks_a_key_works_from_anywhere_and_with_them_from_nowhere_unknown() -> None:
    assert comes_from("unknown", [])
    assert not comes_from("unknown", ["0.0.0.0/0"])
    assert not comes_from("2001:db8::1", ["0.0.0.0/0"])
    assert normal_networks(["10.0.0.0/8", "2001:DB8::/32", "10.0.0.0/8"]) == [
        "10.0.0.0/8",
        "2001:db8::/32",
    ]


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_whatever_is_sent_as_an_assertion_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(BadAssertion):
        claimed_client(text)
    with pytest.raises(BadAssertion):
        checked(text, [], client=uuid4(), audiences={"x"}, now=datetime.now(UTC))


_TEXT = st.text(max_size=20)


@given(
    st.builds(
        PublicJWK,
        kty=st.sampled_from(["EC", "OKP", "RSA", "oct", "x"]),
        kid=_TEXT,
        crv=st.just(msgspec.UNSET) | st.sampled_from(["P-256", "Ed25519", "x"]),
        x=st.just(msgspec.UNSET) | _TEXT,
        y=st.just(msgspec.UNSET) | _TEXT,
        n=st.just(msgspec.UNSET) | _TEXT,
        e=st.just(msgspec.UNSET) | st.just("AQAB") | _TEXT,
    )
)
def test_whatever_is_sent_as_a_key_is_refused_in_words(jwk: PublicJWK) -> None:
    # nothing of twenty letters is a key of any kind that is taken
    assert [fault.field for fault in key_set_faults([jwk])] == ["jwks.keys[0]"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ({"kty": "EC", "crv": "P-256"}, ("ES256",)),
        ({"kty": "OKP", "crv": "Ed25519"}, ("EdDSA", "Ed25519")),
        ({"kty": "RSA"}, ("PS256", "RS256")),
        ({"kty": "RSA", "alg": "RS256"}, ("RS256",)),
        ({"kty": "RSA", "alg": "HS256"}, ()),
        ({"kty": "RSA", "crv": "P-256"}, ()),
        ({"kty": "oct"}, ()),
    ],
)
def test_each_key_has_its_own_list_of_algorithms(
    kind: dict[str, str], names: tuple[str, ...]
) -> None:
    assert algorithms_of(msgspec.convert(kind | {"kid": "a"}, PublicJWK)) == names
