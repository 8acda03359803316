"""The pure rules: derived proofs, addresses, client authentication, keys, metadata."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.single_sign_on.errors import (
    EmailNotVerified,
    IdentityNotProven,
    InvitedSomebodyElse,
    LastWayIn,
    ProviderFailed,
)
from market.single_sign_on.permissions import ensure_way_in_remains
from market.single_sign_on.rules import (
    Expected,
    Identity,
    Metadata,
    UnknownKey,
    authorization_address,
    client_authentication,
    ensure_invited,
    ensure_own_answer,
    ensure_usable,
    identity_in,
    proof_of,
    signing_keys,
)
from tests.makers.identity_provider import new_key, public

ISSUER = "https://idp.example/realm"
METADATA = Metadata(
    issuer=ISSUER,
    authorization_endpoint="https://idp.example/authorize",
    token_endpoint="https://idp.example/token",  # noqa: S106  # an address
    jwks_uri="https://keys.example/keys",
)
EXPECTED = Expected(
    issuer=ISSUER, client_id="market", nonce="n", asked_at=1000, now=1010, skew=60, fresh=False
)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=0, max_size=60)


@given(secret=st.binary(min_size=32, max_size=32), state=TEXTS, binding=TEXTS, other=TEXTS)
def test_a_proof_hangs_on_the_secret_and_both_texts(
    secret: bytes, state: str, binding: str, other: str
) -> None:
    proof = proof_of(secret, state, binding)
    assert proof == proof_of(secret, state, binding)
    assert proof.verifier != proof.nonce
    assert 43 <= len(proof.verifier) <= 128  # RFC 7636, section 4.1
    assert proof != proof_of(bytes(32) if secret != bytes(32) else b"1" * 32, state, binding)
    if other != state:
        assert proof != proof_of(secret, other, binding)
    if other != binding:
        assert proof != proof_of(secret, state, other)


def test_no_text_moves_from_one_part_of_a_proof_to_the_other() -> None:
    assert proof_of(bytes(32), "ab", "c") != proof_of(bytes(32), "a", "bc")


@pytest.mark.parametrize("endpoint", ["https://idp.example/a", "https://idp.example/a?tenant=x"])
def test_the_address_asks_for_a_code_with_pkce_and_a_nonce(endpoint: str) -> None:
    proof = proof_of(bytes(32), "s", "b")
    address = authorization_address(
        endpoint,
        client_id="a client&",
        redirect_uri="https://pages.example/back?x=1",
        scopes="openid email",
        state="s",
        proof=proof,
        fresh=False,
    )
    query = parse_qs(urlsplit(address).query)
    digest = hashlib.sha256(proof.verifier.encode()).digest()
    assert query["code_challenge"] == [urlsafe_b64encode(digest).decode().rstrip("=")]
    assert query["client_id"] == ["a client&"]
    assert query["redirect_uri"] == ["https://pages.example/back?x=1"]
    assert query["nonce"] == [proof.nonce]
    assert ("tenant" in query) == ("?" in endpoint)
    assert "max_age" not in query
    assert proof.verifier not in address


@pytest.mark.parametrize(
    ("secret", "supported", "way"),
    [
        (None, ["client_secret_basic"], "none"),
        ("x", ["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        ("x", ["private_key_jwt", "client_secret_post"], "client_secret_post"),
    ],
)
def test_the_client_s_secret_goes_the_best_way_there_is(
    secret: str | None, supported: list[str], way: str
) -> None:
    assert client_authentication(secret, supported) == way


def test_a_secret_that_the_provider_takes_in_no_known_way_is_not_sent() -> None:
    with pytest.raises(ProviderFailed):
        client_authentication("x", ["private_key_jwt"])


def test_metadata_is_usable_only_from_the_named_issuer_and_over_tls() -> None:
    ensure_usable(METADATA, ISSUER)
    for issuer in (f"{ISSUER}/", ISSUER.upper(), "https://idp.example"):
        with pytest.raises(ProviderFailed):
            ensure_usable(METADATA, issuer)
    # an issuer that is elsewhere names no address of this machine: it would be asked in its stead
    here = msgspec.structs.replace(METADATA, jwks_uri="http://127.0.0.1:5432/")
    with pytest.raises(ProviderFailed):
        ensure_usable(here, ISSUER)
    local = msgspec.structs.replace(here, issuer="http://127.0.0.1:9")
    ensure_usable(local, "http://127.0.0.1:9")


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ProviderFailed):
        signing_keys(document)


def test_a_key_set_may_be_empty_but_not_endless() -> None:
    assert signing_keys(b'{"keys": []}') == ()
    with pytest.raises(ProviderFailed):
        signing_keys(b'{"keys": [' + b"{}," * 100 + b"{}]}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "crv", "x", "y"]), inner)
        ),
    )
)
def test_whatever_a_key_set_lists_is_passed_over_or_a_key(value: Any) -> None:
    assert signing_keys(msgspec.json.encode({"keys": [value]})) == ()


def test_private_halves_of_published_keys_are_not_even_read() -> None:
    key = new_key("RSA", 2048, "first")
    (read,) = signing_keys(msgspec.json.encode({"keys": [key.as_dict(private=True)]}))
    assert not read.is_private
    assert read.as_dict() == public(key)


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_no_text_is_a_token_by_accident(text: str) -> None:
    with pytest.raises((IdentityNotProven, UnknownKey)):
        identity_in(text, (), EXPECTED)


def test_an_answer_may_leave_its_issuer_out_unless_that_is_always_said() -> None:
    ensure_own_answer(ISSUER, None, always_said=False)
    ensure_own_answer(ISSUER, ISSUER, always_said=True)
    for said, always in ((None, True), ("https://evil.example", False), (f"{ISSUER}/", False)):
        with pytest.raises(IdentityNotProven):
            ensure_own_answer(ISSUER, said, always_said=always)


def test_who_is_invited_is_whoever_the_provider_vouches_for() -> None:
    identity = Identity(issuer=ISSUER, subject="x", email="a@b.example", email_verified=True)
    ensure_invited(identity, "a@b.example")
    with pytest.raises(InvitedSomebodyElse):
        ensure_invited(identity, "b@b.example")
    with pytest.raises(EmailNotVerified):
        ensure_invited(msgspec.structs.replace(identity, email_verified=False), "a@b.example")


def test_the_last_way_in_stays() -> None:
    ensure_way_in_remains(password=True, other_links=0)
    ensure_way_in_remains(password=False, other_links=1)
    with pytest.raises(LastWayIn):
        ensure_way_in_remains(password=False, other_links=0)
