"""Clients and their tokens: right assertions, and every kind of forged one."""

import asyncio
import base64
import hmac
import time
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from joserfc.jwk import RSAKey

from market.actor import Role
from market.systems.credentials import new_token, token_digest
from tests.makers.bids import give_bid
from tests.makers.direct import acting
from tests.makers.suppliers import admitted_supplier
from tests.makers.systems import (
    EVERY_SCOPE,
    System,
    answerable,
    by_credential,
    client_body,
    client_of,
    clients_path,
    key_pair,
    token_error,
)
from tests.makers.tenders import published_tender
from tests.makers.world import World


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "Ed25519", "PS256", "RS256"])
async def test_a_client_gets_a_short_token_for_its_signed_assertion(
    world: World, algorithm: str, superuser: Any
) -> None:
    client = await client_of(world, await answerable(world), algorithm)
    answer = await client.ask(scope="tenders:read bids:read")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 600)
    assert given["scope"].split() == ["bids:read", "tenders:read"]
    system = by_credential(client.owner, given["access_token"])
    assert (await system.get("/tenders/mine")).status_code == 200
    assert (await system.get("/organisations")).status_code == 403
    event = await superuser.fetchrow(
        "SELECT person, subject, details ->> 'credential' AS by FROM event"
        " WHERE action = 'token.issued'"
    )
    assert (event["person"], event["subject"], event["by"]) == (
        client.owner.id,
        client.id,
        str(client.id),
    )


async def test_a_client_bids_in_the_name_of_whoever_registered_it(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    supplier = await admitted_supplier(world, "Fenland Data")
    client = await client_of(world, supplier, scopes=["bids:write"])
    answer = await give_bid(await client.acting(), tender, 1)
    assert answer.status_code == 201, answer.text
    assert await superuser.fetchval("SELECT made_by FROM bid_version") == supplier.id


async def test_libraries_find_out_where_tokens_are(world: World) -> None:
    answer = await world.client.get("/.well-known/oauth-authorization-server")
    told = answer.json()
    assert told["token_endpoint"] == told["issuer"] + "/oauth/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert sorted(told["scopes_supported"]) == sorted(EVERY_SCOPE)
    client = await client_of(world, await answerable(world))
    for audience in (told["issuer"], told["token_endpoint"], ["market.example"]):
        assert (await client.ask(client.assertion(aud=audience))).status_code == 200


async def test_scopes_are_what_was_asked_for_and_allowed(world: World) -> None:
    client = await client_of(world, await answerable(world), scopes=["tenders:read", "bids:read"])
    assert (await client.ask()).json()["scope"] == "bids:read tenders:read"
    narrowed = await client.ask(scope="bids:read bids:write")
    assert narrowed.json()["scope"] == "bids:read"
    for asked in ("bids:write", "award:write", "tenders:read award:write", ""):
        answer = await client.ask(scope=asked) if asked else await client.ask(scope=" ")
        assert token_error(answer) == (400, "invalid_scope"), asked


# ------------------------------------------------------------------------------- forged assertions


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _unsigned(client: System) -> str:
    head, body = msgspec.json.encode({"alg": "none"}), msgspec.json.encode(client.claims())
    return f"{_encoded(head)}.{_encoded(body)}."


def _shared(client: System, secret: bytes) -> str:
    """Signed by a secret that everybody knows: the public key, which a library might take."""
    head = {"alg": "HS256", "kid": client.keys.public["kid"]}
    said = f"{_encoded(msgspec.json.encode(head))}.{_encoded(msgspec.json.encode(client.claims()))}"
    return f"{said}.{_encoded(hmac.digest(secret, said.encode(), 'sha256'))}"


def _forged(client: System) -> dict[str, str]:
    now = int(time.time())
    public = msgspec.json.encode(client.keys.public)
    assert isinstance(client.keys.private, RSAKey)
    pem = client.keys.private.as_pem(private=False)
    other = key_pair("RS256").private
    good = client.assertion()
    head, body, signature = good.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    return {
        "alg none": _unsigned(client),
        "alg none with a signature": client.assertion(header={"alg": "none"}, key=other),
        "HS256 with the public key": _shared(client, public),
        "HS256 with the public key as PEM": _shared(client, pem),
        "another key": client.assertion(key=other),
        "another key under its own kid": client.assertion(key=other, header={"kid": "mine"}),
        "a key that comes along": client.assertion(
            key=other, header={"jwk": dict(other.as_dict(private=False))}
        ),
        "a key from elsewhere": client.assertion(header={"jku": "https://evil.example/keys"}),
        "a critical header": client.assertion(header={"crit": ["b64"], "b64": True}),
        "another type": client.assertion(header={"typ": "at+jwt"}),
        "a changed signature": f"{head}.{body}.{flipped}",
        "no signature": f"{head}.{body}.",
        "expired": client.assertion(exp=now - 1),
        "of no end": client.assertion(exp=None),
        "of too late an end": client.assertion(exp=now + 3600),
        "of an end that is no number": client.assertion(exp="soon"),
        "from the future": client.assertion(iat=now + 120, exp=now + 200),
        "not yet": client.assertion(nbf=now + 120),
        "too old": client.assertion(iat=now - 3600),
        "of no time": client.assertion(iat=None),
        "for another server": client.assertion(aud="https://other.example"),
        "for two servers": client.assertion(aud=["market.example", "https://other.example"]),
        "for nobody": client.assertion(aud=[]),
        "by somebody else": client.assertion(sub=str(uuid4())),
        "by an unknown client": client.assertion(iss=(nobody := str(uuid4())), sub=nobody),
        "by no client": client.assertion(iss="me", sub="me"),
        "by a client spelt otherwise": client.assertion(
            iss=str(client.id).upper(), sub=str(client.id).upper()
        ),
        "of no id": client.assertion(jti=None),
        "of too short an id": client.assertion(jti="1"),
        "huge": client.assertion(note="x" * 9000),
        "of a broken letter": good.replace(body, _encoded(rb'{"iss": "\ud800"}')),
        "nested too deeply": f"{head}.{_encoded(b'[' * 5000)}.{signature}",
        "of a header nested too deeply": f"{_encoded(b'[' * 3000)}.{body}.{signature}",
        "not a token": "not.a.token",
        "of four parts": good + ".x",
        "not letters": "é.é.é",
        "empty": "..",
    }


async def test_a_forged_assertion_gets_no_token_and_is_told_why_in_the_words_of_oauth(
    world: World, superuser: Any
) -> None:
    client = await client_of(world, await answerable(world), "RS256")
    for what, assertion in _forged(client).items():
        answer = await client.ask(assertion)
        assert token_error(answer) == (401, "invalid_client"), (what, answer.text)
    assert await superuser.fetchval("SELECT count(*) FROM client_token") == 0


async def test_another_client_s_key_proves_nothing(world: World) -> None:
    owner = await answerable(world)
    one, two = await client_of(world, owner), await client_of(world, owner, name="Two")
    answer = await one.ask(one.assertion(key=two.keys.private))
    assert token_error(answer) == (401, "invalid_client")
    answer = await one.ask(client_id=str(two.id))
    assert token_error(answer) == (401, "invalid_client")


async def test_an_rsa_key_that_names_its_algorithm_signs_by_no_other(world: World) -> None:
    owner = await answerable(world)
    pair = key_pair("PS256")
    body = client_body(pair, jwks={"keys": [pair.public | {"alg": "PS256", "use": "sig"}]})
    made = await owner.post(clients_path(owner), body)
    assert made.status_code == 201, made.text
    client = System(id=made.json()["id"], keys=pair, owner=owner, world=world)
    assert token_error(await client.ask(client.assertion(algorithm="RS256")))[0] == 401
    assert (await client.ask()).status_code == 200


async def test_an_assertion_is_good_for_one_token_also_when_it_comes_twice_at_once(
    world: World, superuser: Any
) -> None:
    client = await client_of(world, await answerable(world))
    for _ in range(5):
        assertion = client.assertion()
        answers = await asyncio.gather(*[client.ask(assertion) for _ in range(4)])
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        assert token_error(await client.ask(assertion)) == (401, "invalid_client")
    assert await superuser.fetchval("SELECT count(*) FROM client_token") == 5


# ---------------------------------------------------------------------------------- bad requests


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_assertion": None, "client_secret": "x"}, "invalid_request"),
        ({f"field{number}": "x" for number in range(30)}, "invalid_request"),
        ({"note": "x" * 20_000}, "invalid_request"),
    ],
)
async def test_a_request_that_is_not_understood_is_refused_in_the_words_of_oauth(
    world: World, changes: dict[str, Any], error: str
) -> None:
    client = await client_of(world, await answerable(world))
    assert token_error(await client.ask(**changes)) == (400, error)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"grant_type", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"\xff=\xff", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"", None),
    ],
)
async def test_what_is_no_form_is_refused(world: World, content: bytes, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await world.client.post("/oauth/token", content=content, headers=headers)
    assert token_error(answer) == (400, "invalid_request")


async def test_an_old_token_in_the_header_does_not_keep_a_client_from_a_new_one(
    world: World,
) -> None:
    client = await client_of(world, await answerable(world))
    answer = await world.client.post(
        "/oauth/token",
        headers={"Authorization": "Bearer mks_long-gone"},
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": client.assertion(),
        },
    )
    assert answer.status_code == 200, answer.text


# ------------------------------------------------------------------------------------ their end


async def test_a_revoked_client_s_tokens_stop_at_once(world: World) -> None:
    owner = await answerable(world, "Bea", Role.BID_MANAGER)
    boss = await answerable(world, "Boss")
    client = await client_of(world, owner)
    system = await client.acting()
    assert (await system.get("/tenders/mine")).status_code == 200
    assert (await boss.delete(f"/clients/{client.id}")).status_code == 204
    answer = await system.get("/tenders/mine")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/credential-revoked")
    assert token_error(await client.ask()) == (401, "invalid_client")
    body = {"jwks": {"keys": [key_pair().public]}}
    answer = await owner.put(f"/clients/{client.id}/keys", body, version=1)
    assert answer.status_code == 409


async def test_a_revocation_that_races_a_token_leaves_none_that_works(world: World) -> None:
    owner = await answerable(world)
    for number in range(6):
        client = await client_of(world, owner, name=f"Race {number}")
        asked, revoked = await asyncio.gather(client.ask(), owner.delete(f"/clients/{client.id}"))
        assert revoked.status_code == 204
        assert asked.status_code in {200, 401}
        if asked.status_code == 200:
            system = by_credential(owner, asked.json()["access_token"])
            assert (await system.get("/tenders/mine")).status_code == 401


async def test_a_client_stops_with_the_role_of_whoever_registered_it(
    world: World, app_role: Any
) -> None:
    owner = await answerable(world)
    await world.person("Andy Administrator", owner.organisation, Role.ADMINISTRATOR)
    client = await client_of(world, owner)
    system = await client.acting()
    async with acting(app_role, owner.id, owner.organisation):
        await app_role.execute("UPDATE membership SET ended_at = now() WHERE person = $1", owner.id)
    answer = await system.get("/tenders/mine")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/maker-gone")
    assert token_error(await client.ask()) == (401, "invalid_client")


async def test_an_expired_token_says_so(world: World, app_role: Any) -> None:
    client = await client_of(world, await answerable(world))
    token = new_token()
    async with acting(app_role, client.owner.id, client.owner.organisation):
        await app_role.execute("SELECT set_config('market.credential', $1, true)", str(client.id))
        await app_role.execute(
            "INSERT INTO client_token (id, client, token_digest, assertion_digest, scopes,"
            " expires_at) VALUES ($1, $2, $3, '\\x00', '{tenders:read}', clock_timestamp())",
            uuid4(),
            client.id,
            token_digest(token),
        )
    answer = await by_credential(client.owner, token).get("/tenders/mine")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/credential-expired")
