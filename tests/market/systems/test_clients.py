"""Clients: which public keys they may have, who changes them, who sees them."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.actor import Role
from tests.makers.systems import (
    answerable,
    client_body,
    client_of,
    clients_path,
    key_pair,
    token_error,
)
from tests.makers.world import World


def _weak() -> dict[str, dict[str, Any]]:
    good = key_pair().public
    rsa = key_pair("RS256").public
    private = key_pair().private.as_dict(private=True)
    return {
        "private": dict(private),
        "shared": {"kty": "oct", "kid": "a", "k": "c2VjcmV0"},
        "another curve": good | {"crv": "P-384"},
        "of no curve": {name: value for name, value in good.items() if name != "crv"},
        "no point": {name: value for name, value in good.items() if name != "y"},
        "off the curve": good | {"y": good["x"]},
        "not base64": good | {"x": "***"},
        "for encryption": good | {"use": "enc"},
        "to sign with": good | {"key_ops": ["sign"]},
        "of another algorithm": good | {"alg": "RS256"},
        "of no algorithm": good | {"alg": "none"},
        "of another kind": {"kty": "MAC", "kid": "a"},
        "short RSA": rsa | {"n": rsa["n"][:170]},
        "long RSA": rsa | {"n": rsa["n"] * 3},
        "RSA of a slow exponent": rsa | {"e": rsa["n"]},
        "RSA of exponent 1": rsa | {"e": "AQ"},
    }


async def test_a_key_that_is_not_good_enough_is_refused_at_its_place(world: World) -> None:
    owner = await answerable(world)
    for what, key in _weak().items():
        body = client_body(key_pair(), jwks={"keys": [key_pair().public | {"kid": "ok"}, key]})
        answer = await owner.post(clients_path(owner), body)
        assert answer.status_code == 400, (what, answer.text)
        problem = answer.json()
        assert problem["type"] == "/problems/key-set-faulty", what
        assert [fault["field"] for fault in problem["errors"]] == ["jwks.keys[1]"], what
        assert str(key.get("d", "no such part")) not in answer.text


@pytest.mark.parametrize(
    "keys",
    [[], [key_pair().public, key_pair().public], [key_pair(kid=str(n)).public for n in range(6)]],
    ids=["none", "two of one kid", "six"],
)
async def test_a_key_set_is_small_and_its_keys_are_named_apart(
    world: World, keys: list[Any]
) -> None:
    owner = await answerable(world)
    answer = await owner.post(clients_path(owner), client_body(key_pair(), jwks={"keys": keys}))
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == "jwks.keys"


async def test_changed_keys_prove_the_client_and_the_old_ones_no_longer(world: World) -> None:
    owner = await answerable(world)
    client = await client_of(world, owner)
    old = client.assertion()
    pair = key_pair("EdDSA", kid="second")
    path = f"/clients/{client.id}/keys"
    body = {"jwks": {"keys": [pair.public]}}
    assert (await owner.put(path, body)).status_code == 428
    assert (await owner.put(path, body, version=7)).status_code == 412
    answers = await asyncio.gather(*[owner.put(path, body, version=1) for _ in range(3)])
    # the same keys again are no change, so some of the three may have come second
    assert {answer.status_code for answer in answers} <= {200, 412}
    shown = await owner.get(f"/clients/{client.id}")
    assert (shown.json()["key_ids"], shown.headers["ETag"]) == (["second"], '"2"')
    assert token_error(await client.ask(old)) == (401, "invalid_client")
    changed = msgspec.structs.replace(client, keys=pair)
    assert (await changed.ask()).status_code == 200


async def test_only_whoever_registered_a_client_changes_its_keys(world: World) -> None:
    owner = await answerable(world, "Bea", Role.BID_MANAGER)
    boss = await answerable(world, "Boss")
    peer = await answerable(world, "Ben", Role.BID_MANAGER)
    client = await client_of(world, owner)
    body = {"jwks": {"keys": [key_pair().public]}}
    assert (await boss.put(f"/clients/{client.id}/keys", body, version=1)).status_code == 403
    assert (await peer.put(f"/clients/{client.id}/keys", body, version=1)).status_code == 404
    assert (await peer.get(f"/clients/{client.id}")).status_code == 404
    assert (await peer.get(f"/clients/{uuid4()}")).status_code == 404
    assert [item["id"] for item in (await boss.get(clients_path(boss))).json()["items"]] == [
        str(client.id)
    ]
    assert (await peer.get(clients_path(peer))).json()["items"] == []
