"""A provider that lies, lags or fails: a named refusal, recorded, and nothing half-written."""

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from market.actor import Role
from market.settings import Settings
from tests.makers.identity_provider import (
    Answer,
    Asked,
    Provider,
    answer_of,
    finish,
    invited,
    new_key,
    problem,
    public,
    said,
)
from tests.makers.world import World

NOT_PROVEN = (401, "identity-not-proven")
FAILED = (502, "provider-failed")
METADATA = "/.well-known/openid-configuration"


async def _refused(
    world: World, superuser: Any, body: dict[str, Any], refusal: tuple[int, str]
) -> str:
    """Expect a refusal that is recorded and leaves nothing, and give its reason."""
    counts = (
        "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM person),"
        " (SELECT count(*) FROM identity_link), (SELECT count(*) FROM membership),"
        " (SELECT count(*) FROM invitation WHERE accepted_at IS NOT NULL)"
    )
    before = await superuser.fetchrow(counts)
    answer = await finish(world, body)
    assert problem(answer) == refusal, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await superuser.fetchrow(counts) == before
    event = await superuser.fetchrow(
        "SELECT e.details->>'refusal' AS refusal, v.details->>'reason' AS reason"
        " FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'session.refused' ORDER BY e.recorded_at DESC LIMIT 1"
    )
    assert event["refusal"] == refusal[1]
    assert event["reason"] == answer.json()["detail"]
    # the answer was taken: it is not tried again
    assert problem(await finish(world, body)) == (404, "sign-in-over")
    return str(answer.json()["detail"])


async def _invitation(world: World) -> str:
    group = await world.organisation("06F")
    return await invited(await world.person("Ann Lead", group, Role.ADMINISTRATOR))


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "because"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "lacks iss"),
        ({"iss": ["x"]}, "another issuer"),
        ({"aud": "another-client"}, "somebody else"),
        ({"aud": ["another-client", "third"]}, "somebody else"),
        ({"aud": []}, "somebody else"),
        ({"aud": None}, "lacks aud"),
        ({"aud": ["market", "another-client"]}, "handed out to somebody else"),
        ({"aud": ["market", "another-client"], "azp": "another-client"}, "handed out"),
        ({"azp": "another-client"}, "handed out to somebody else"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "lacks nonce"),
        ({"nonce": ""}, "another sign-in"),
        ({"exp": NOW - 3600}, "expired"),
        ({"exp": None}, "lacks exp"),
        ({"exp": "tomorrow"}, "expired"),
        ({"iat": NOW + 3600}, "time of issue"),
        ({"iat": NOW - 3600}, "time of issue"),
        ({"iat": None}, "lacks iat"),
        ({"nbf": NOW + 3600}, "nbf"),
        ({"sub": None}, "lacks sub"),
        ({"sub": ""}, "who it is about"),
        ({"sub": 7}, "who it is about"),
        ({"sub": "x" * 256}, "who it is about"),
        ({"sub": "ru\u0000th"}, "who it is about"),
        ({"sub": "r\u00fcth"}, "who it is about"),
    ],
)
async def test_a_token_whose_claims_do_not_agree_proves_nothing(
    world: World, provider: Provider, superuser: Any, claims: dict[str, Any], because: str
) -> None:
    secret = await _invitation(world)
    provider.claims |= claims
    body = await answer_of(world, provider, invitation=secret)
    assert because in await _refused(world, superuser, body, NOT_PROVEN)


async def test_what_is_only_unusual_is_accepted(world: World, provider: Provider) -> None:
    secret = await _invitation(world)
    provider.claims |= {
        "aud": ["market", "another-client"],
        "azp": "market",
        "exp": int(time.time()) - 20,  # within the clocks' skew
        "iat": int(time.time()) - 20,
        "amr": ["pwd"],
        "groups": [{"deep": [1, None]}],
    }
    provider.header |= {"typ": "JWT", "x5t": "abc", "unheard": "of"}
    body = await answer_of(world, provider, invitation=secret)
    answer = await finish(world, body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (("RSA", 2048), "PS256"),
        (("RSA", 3072), "RS384"),
        (("EC", "P-256"), "ES256"),
        (("EC", "P-521"), "ES512"),
        (("OKP", "Ed25519"), "Ed25519"),
    ],
)
async def test_every_accepted_kind_of_signature_is_checked(
    world: World, provider: Provider, superuser: Any, key: tuple[str, Any], algorithm: str
) -> None:
    kind, size = key
    secret = await _invitation(world)
    right, wrong = new_key(kind, size, "other"), new_key(kind, size, "other")
    provider.published.append(public(right))
    provider.header = {"alg": algorithm, "kid": "other"}
    provider.key = wrong
    body = await answer_of(world, provider, invitation=secret)
    assert "signature is wrong" in await _refused(world, superuser, body, NOT_PROVEN)
    provider.key = right
    answer = await finish(world, await answer_of(world, provider, invitation=secret))
    assert answer.status_code == 201, answer.text


def _unsigned(provider: Provider, code: str) -> str:
    token = provider.token(code)
    return f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."


def _by_public_key(provider: Provider, code: str) -> str:
    """Make the confusion of RFC 8725, section 2.1: the public key taken as an HMAC's secret."""
    claims = jwt.decode(provider.token(code), provider.key, algorithms=["RS256"]).claims
    encoded = b"-----PUBLIC KEY-----" + public(provider.key)["n"].encode()
    secret = OctKey.import_key(encoded)
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, secret, algorithms=["HS256"])


def _tampered(provider: Provider, code: str) -> str:
    header, _, signature = provider.token(code).split(".")
    _, payload, _ = provider.token(code, sub="mallory").split(".")
    return f"{header}.{payload}.{signature}"


def _with_own_key(provider: Provider, code: str) -> str:
    """Sign with a key that the token itself brings along (RFC 8725, section 2.9)."""
    own = new_key("RSA", 2048, "first")
    claims = jwt.decode(provider.token(code), provider.key, algorithms=["RS256"]).claims
    return jwt.encode({"alg": "RS256", "kid": "first", "jwk": public(own)}, claims, own)


@pytest.mark.parametrize(
    ("forge", "because"),
    [
        (_unsigned, "does not accept"),
        (_by_public_key, "does not accept"),
        (_tampered, "signature is wrong"),
        (_with_own_key, "signature is wrong"),
        (lambda *_: "", "is none"),
        (lambda *_: "a.b", "is none"),
        (lambda *_: "....", "is none"),
        (lambda *_: "e30.e30.e30", "is none"),
        (lambda *_: "W10.e30.e30", "is none"),
        (lambda *_: "\u00e4.\u00f6.\u00fc", "is none"),
        (lambda *_: "x" * 40_000, "too long"),
    ],
)
async def test_a_forged_token_proves_nothing(
    world: World,
    provider: Provider,
    superuser: Any,
    forge: Callable[[Provider, str], str],
    because: str,
) -> None:
    secret = await _invitation(world)
    provider.answers["/token"] = lambda asked: said(
        {"id_token": forge(provider, asked.form["code"]), "access_token": "opaque"}
    )
    body = await answer_of(world, provider, invitation=secret)
    assert because in await _refused(world, superuser, body, NOT_PROVEN)


async def test_a_token_without_a_key_id_is_checked_where_only_one_key_can_be_meant(
    world: World, provider: Provider, superuser: Any
) -> None:
    secret = await _invitation(world)
    provider.header = {"alg": "RS256"}
    provider.published.append(public(new_key("EC", "P-256", "other")))
    body = await answer_of(world, provider, invitation=secret)
    assert (await finish(world, body)).status_code == 201
    provider.header = {"alg": "RS256", "kid": "second"}  # so that the keys are read again
    provider.published.append(public(new_key("RSA", 2048, "second")))
    await finish(world, await answer_of(world, provider))
    provider.header = {"alg": "RS256"}
    body = await answer_of(world, provider)
    assert "which of the provider's keys" in await _refused(world, superuser, body, NOT_PROVEN)


async def test_new_keys_are_found_and_forged_key_ids_cost_one_reading_a_minute(
    world: World, provider: Provider, superuser: Any
) -> None:
    body = await answer_of(world, provider, invitation=await _invitation(world))
    assert (await finish(world, body)).status_code == 201
    assert (await finish(world, await answer_of(world, provider))).status_code == 201
    assert (provider.counted(METADATA), provider.counted("/keys")) == (1, 1)
    provider.key = new_key("RSA", 2048, "second")
    provider.header = {"alg": "RS256", "kid": "second"}
    provider.published = [public(provider.key)]
    assert (await finish(world, await answer_of(world, provider))).status_code == 201
    assert provider.counted("/keys") == 2
    for number in range(5):
        provider.header = {"alg": "RS256", "kid": f"forged-{number}"}
        body = await answer_of(world, provider)
        assert "does not publish" in await _refused(world, superuser, body, NOT_PROVEN)
    assert provider.counted("/keys") == 2


async def test_keys_that_are_none_are_passed_over(world: World, provider: Provider) -> None:
    modulus = base64.urlsafe_b64encode(((1 << 1023) + 1).to_bytes(128, "big")).decode()
    weak = {**public(provider.key), "n": modulus.rstrip("=")}
    provider.published = [
        weak,
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {"kty": "RSA", "n": "!!", "e": "AQAB", "kid": "first"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "first"},
        {"kty": 7},
        {},
        {**public(provider.key), "use": "enc"},
        {**public(provider.key), "n": "A" * 5000},
        public(provider.key),
    ]
    body = await answer_of(world, provider, invitation=await _invitation(world))
    answer = await finish(world, body)
    assert answer.status_code == 201, answer.text


BAD_ANSWERS: list[tuple[Answer, str]] = [
    (Answer(b"<html>busy</html>"), "not the JSON"),
    (Answer(b"[]"), "not the JSON"),
    (Answer(b'{"id_token": 7}'), "not the JSON"),
    (Answer(b"\xff\xfe{}"), "not the JSON"),
    (Answer(b'{"id_token":' + b"[" * 100_000), "not the JSON"),
    (Answer(b" " * 300_000), "too large"),
    (Answer(b'{"x": "' + b"x" * 5_000_000 + b'"}'), "too large"),
    (Answer(whole=False), "cannot be asked"),
    (Answer(status=302, headers={"Location": "https://evil.example/"}), "redirect"),
    (Answer(status=307, headers={"Location": "/token"}), "redirect"),
    (Answer(status=500), "status 500"),
    (Answer(b'{"error": "invalid_client"}', status=401), "invalid_client"),
    (Answer(b'{"error": "<script>"}', status=400), "status 400"),
    (Answer(headers={"Content-Encoding": "gzip"}), "encoded"),
]


@pytest.mark.parametrize(("answer", "because"), BAD_ANSWERS)
async def test_a_token_endpoint_that_gives_no_usable_answer_is_said_to_fail(
    world: World, provider: Provider, superuser: Any, answer: Answer, because: str
) -> None:
    body = await answer_of(world, provider, invitation=await _invitation(world))
    provider.answers["/token"] = lambda _: answer
    assert because in await _refused(world, superuser, body, FAILED)


@pytest.mark.parametrize(("answer", "because"), [*BAD_ANSWERS[:2], *BAD_ANSWERS[5:9]])
async def test_keys_that_cannot_be_had_are_a_failure_of_the_provider(
    world: World, provider: Provider, superuser: Any, answer: Answer, because: str
) -> None:
    body = await answer_of(world, provider, invitation=await _invitation(world))
    provider.answers["/keys"] = lambda _: answer
    reason = await _refused(world, superuser, body, FAILED)
    assert because in reason or "not a JSON Web Key Set" in reason
    del provider.answers["/keys"]  # and are asked for again at the next sign-in
    assert problem(await finish(world, await answer_of(world, provider)))[1] == "identity-unknown"


class TestSlow:
    """A provider that answers later than the market waits."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Wait for three seconds at most."""
        return msgspec.structs.replace(settings, oidc_timeout=3.0)

    @pytest.mark.parametrize("path", ["/token", "/keys"])
    async def test_a_slow_answer_is_not_waited_for(
        self, world: World, provider: Provider, superuser: Any, path: str
    ) -> None:
        body = await answer_of(world, provider, invitation=await _invitation(world))
        provider.answers[path] = lambda _: Answer(after=60)
        started = time.monotonic()
        assert "did not answer within" in await _refused(world, superuser, body, FAILED)
        assert time.monotonic() - started < 30

    async def test_many_who_wait_for_slow_metadata_wait_no_longer_than_one(
        self, world: World, provider: Provider
    ) -> None:
        provider.answers[METADATA] = lambda _: Answer(after=60)
        started = time.monotonic()
        answers = await asyncio.gather(
            *(world.client.post("/api/v1/single-sign-on/requests", json={}) for _ in range(6))
        )
        assert {problem(answer) for answer in answers} == {FAILED}
        assert time.monotonic() - started < 15  # one after another it would be eighteen


async def test_a_code_that_the_provider_does_not_know_is_refused(
    world: World, provider: Provider, superuser: Any
) -> None:
    body = await answer_of(world, provider)
    await _refused(world, superuser, body | {"code": "invented"}, (401, "code-refused"))
    # one that belongs to another request: its verifier is another one
    mine, other = await answer_of(world, provider), await answer_of(world, provider)
    await _refused(world, superuser, mine | {"code": other["code"]}, (401, "code-refused"))


async def test_tokens_without_an_identity_prove_nothing(
    world: World, provider: Provider, superuser: Any
) -> None:
    provider.answers["/token"] = lambda _: said({"access_token": "opaque"})
    body = await answer_of(world, provider)
    assert "no identity token" in await _refused(world, superuser, body, NOT_PROVEN)


@pytest.mark.parametrize("token", ["o\npaque", "opaqu\u00e9"])
async def test_an_access_token_that_could_break_a_header_is_not_sent(
    world: World, provider: Provider, superuser: Any, token: str
) -> None:
    provider.claims.clear()
    provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
    body = await answer_of(world, provider, invitation=await _invitation(world))
    provider.answers["/token"] = lambda asked: said(
        {"id_token": provider.token(asked.form["code"]), "access_token": token}
    )
    await _refused(world, superuser, body, FAILED)
    assert provider.counted("/userinfo") == 0


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (Answer(b"<html>"), "not the JSON"),
        (said({"sub": 7}), "somebody else"),
        (said([]), "not the JSON"),
        (Answer(status=401), "status 401"),
        (Answer(status=302, headers={"Location": "/token"}), "redirect"),
    ],
)
async def test_userinfo_that_is_none_is_a_failure_of_the_provider(
    world: World, provider: Provider, superuser: Any, answer: Answer, because: str
) -> None:
    provider.claims.clear()
    provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
    provider.answers["/userinfo"] = lambda _: answer
    body = await answer_of(world, provider, invitation=await _invitation(world))
    assert because in await _refused(world, superuser, body, FAILED)


# ------------------------------------------------------------------------------------ RFC 9207


async def test_an_answer_that_names_another_provider_is_refused(
    world: World, provider: Provider, superuser: Any
) -> None:
    body = await answer_of(world, provider) | {"iss": "https://evil.example"}
    assert "another identity provider" in await _refused(world, superuser, body, NOT_PROVEN)
    assert provider.counted("/token") == 0  # the code is not shown to anybody


async def test_an_answer_names_its_provider_where_that_always_does(
    world: World, provider: Provider, superuser: Any
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    body = await answer_of(world, provider)
    assert "lacks `iss`" in await _refused(world, superuser, body, NOT_PROVEN)
    body = await answer_of(world, provider) | {"iss": provider.issuer}
    assert problem(await finish(world, body)) == (401, "identity-unknown")


# ------------------------------------------------------------------------------------ discovery


@pytest.mark.parametrize(
    ("metadata", "because"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "calls itself otherwise"),
        ({"issuer": "https://evil.example"}, "calls itself otherwise"),
        ({"token_endpoint": "http://idp.example/token"}, "token_endpoint is not an https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is not"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is not"),
        ({"jwks_uri": "https://user@idp.example/keys"}, "jwks_uri is not"),
        ({"userinfo_endpoint": "ftp://idp.example/"}, "userinfo_endpoint is not"),
        ({"token_endpoint": None}, "not the JSON"),
    ],
)
async def test_metadata_of_another_provider_or_with_unsafe_addresses_is_refused(
    world: World, provider: Provider, metadata: dict[str, Any], because: str
) -> None:
    provider.metadata |= metadata
    answer = await world.client.post("/api/v1/single-sign-on/requests", json={})
    assert problem(answer) == FAILED
    assert because in answer.json()["detail"]


@pytest.mark.parametrize(("answer", "because"), [*BAD_ANSWERS[:2], *BAD_ANSWERS[5:11]])
async def test_metadata_that_cannot_be_had_is_a_failure_of_the_provider(
    world: World, provider: Provider, superuser: Any, answer: Answer, because: str
) -> None:
    provider.answers[METADATA] = lambda _: answer
    refused = await world.client.post("/api/v1/single-sign-on/requests", json={})
    assert problem(refused) == FAILED
    assert because in refused.json()["detail"]
    assert await superuser.fetchval("SELECT count(*) FROM single_sign_on_request") == 0
    del provider.answers[METADATA]
    again = await world.client.post("/api/v1/single-sign-on/requests", json={})
    assert again.status_code == 201


def test_the_test_s_provider_answers_only_what_it_knows() -> None:
    assert Provider(1).answer(Asked("GET", "/nothing", {}, {})).status == 404
