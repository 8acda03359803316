"""The whole way with a provider that somebody else has written, running beside the market."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from market.actor import Role
from market.settings import Settings
from tests.makers.identity_provider import begun, finish, invited, problem
from tests.makers.world import World

RUTH = {
    "sub": "ruth",
    "email": "ruth@group.example",
    "email_verified": True,
    "name": "Ruth Penhale",
}
MALLORY = {"sub": "mallory", "email": "ruth@group.example", "email_verified": False}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run the provider as a programme of its own, and give what it calls itself."""
    port = _free_port()
    arguments = ["--port", str(port), "--host", "127.0.0.1", "--require-nonce", "true"]
    for user in (RUTH, MALLORY):
        arguments += ["--user-claims", msgspec.json.encode(user).decode()]
    programme = Path(sys.executable).parent / "oidc-provider-mock"
    running = subprocess.Popen(  # noqa: S603  # a programme of the development environment
        [programme, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/jwks", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                assert running.poll() is None, "The provider ended."
                time.sleep(0.1)
        yield address
    finally:
        running.terminate()
        running.wait(timeout=10)


@pytest.fixture
def settings(issuer: str) -> Settings:
    """Settings that name it."""
    return Settings(
        pool_minimum=1,
        pool_maximum=4,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        oidc_issuer=issuer,
        oidc_client_id="market",
        oidc_client_secret="any will do there",  # noqa: S106  # it is no secret
        oidc_redirect_uri="http://localhost:3000/back",
    )


async def _through(world: World, subject: str, **wish: Any) -> dict[str, str]:
    """Sign in at the provider as a browser does: its form, then the redirect back."""
    asked = await begun(world, **wish)
    async with httpx.AsyncClient(trust_env=False) as browser:
        form = await browser.get(asked["authorization_url"])
        assert form.status_code == 200, form.text
        back = await browser.post(asked["authorization_url"], data={"sub": subject})
    assert back.status_code == 302, back.text
    query = parse_qs(urlsplit(back.headers["Location"]).query)
    return {
        "state": query["state"][0],
        "code": query["code"][0],
        "binding": asked["binding"],
    }


async def test_an_invited_person_comes_in_and_signs_in_again(world: World) -> None:
    group = await world.organisation("06F")
    ann = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    first = await finish(world, await _through(world, "ruth", invitation=await invited(ann)))
    assert first.status_code == 201, first.text
    assert first.json()["roles"] == ["commissioner"]
    again = await finish(world, await _through(world, "ruth"))
    assert again.json()["person"] == first.json()["person"]
    headers = {"Authorization": f"Bearer {again.json()['token']}"}
    myself = (await world.client.get("/api/v1/me", headers=headers)).json()
    assert (myself["name"], myself["email"]) == (RUTH["name"], RUTH["email"])


async def test_the_same_address_unverified_lets_nobody_in(world: World) -> None:
    group = await world.organisation("06F")
    ann = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    secret = await invited(ann)
    answer = await finish(world, await _through(world, "mallory", invitation=secret))
    assert problem(answer) == (403, "email-not-verified")
    assert problem(await finish(world, await _through(world, "mallory")))[0] == 401


async def test_a_code_works_once_and_the_person_may_be_asked_anew(world: World) -> None:
    group = await world.organisation("06F")
    ann = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    body = await _through(world, "ruth", invitation=await invited(ann))
    assert (await finish(world, body)).status_code == 201
    other = await begun(world)
    state = parse_qs(urlsplit(other["authorization_url"]).query)["state"][0]
    again = {**body, "state": state, "binding": other["binding"]}
    assert problem(await finish(world, again)) == (401, "code-refused")
    answer = await finish(world, await _through(world, "ruth", fresh=True))
    assert answer.status_code == 201, answer.text
