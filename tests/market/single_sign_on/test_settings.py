"""Single sign-on by settings: off by default, all of it or none, over TLS, and on the status."""

from typing import Any

import pytest

from market.settings import BadSettings, Settings, from_environment
from market.single_sign_on.provider import identity_provider
from tests.makers.world import World

GIVEN = {
    "MARKET_OIDC_ISSUER": "https://idp.example/realm",
    "MARKET_OIDC_CLIENT_ID": "market",
    "MARKET_OIDC_REDIRECT_URI": "https://pages.example/back",
}


class TestOff:
    """A market whose settings name no provider."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(pool_minimum=1, pool_maximum=4)

    @pytest.mark.parametrize("path", ["requests", "sessions"])
    async def test_it_is_off_by_default_and_says_so(self, world: World, path: str) -> None:
        body: dict[str, Any] = {}
        if path == "sessions":
            body = {"state": "x" * 43, "binding": "x" * 43, "code": "c"}
        answer = await world.client.post(f"/api/v1/single-sign-on/{path}", json=body)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/single-sign-on-off"

    async def test_the_status_page_says_that_it_is_off(self, world: World) -> None:
        lines = (await world.client.get("/status")).json()["lines"]
        assert [one["found"] for one in lines if one["name"] == "Single sign-on"] == ["off"]


async def test_the_status_page_says_which_provider_it_is(world: World, settings: Settings) -> None:
    answer = await world.client.get("/status")
    found = [one["found"] for one in answer.json()["lines"] if one["name"] == "Single sign-on"]
    assert found == [settings.oidc_issuer]
    assert str(settings.oidc_client_secret) not in answer.text


def test_it_is_on_where_the_provider_is_named() -> None:
    assert identity_provider(from_environment({})) is None
    settings = from_environment(GIVEN | {"MARKET_OIDC_CLIENT_SECRET": "hidden"})
    provider = identity_provider(settings)
    assert provider is not None
    assert "idp.example" in repr(provider)
    assert "hidden" not in repr(provider) + repr(settings)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"MARKET_OIDC_ISSUER": ""}, "Single sign-on needs MARKET_OIDC_ISSUER,"),
        ({"MARKET_OIDC_CLIENT_ID": ""}, "Single sign-on needs"),
        ({"MARKET_OIDC_REDIRECT_URI": ""}, "Single sign-on needs"),
        ({"MARKET_OIDC_ISSUER": "http://idp.example"}, "MARKET_OIDC_ISSUER must be an https"),
        ({"MARKET_OIDC_ISSUER": "https://idp.example?x=1"}, "MARKET_OIDC_ISSUER has no query"),
        ({"MARKET_OIDC_REDIRECT_URI": "back"}, "MARKET_OIDC_REDIRECT_URI must be an https"),
        ({"MARKET_OIDC_SCOPES": "email"}, "MARKET_OIDC_SCOPES must hold openid"),
        ({"MARKET_OIDC_CLOCK_SKEW": "301"}, "MARKET_OIDC_CLOCK_SKEW must be from 0 to 300"),
        ({"MARKET_OIDC_CLOCK_SKEW": "-1"}, "MARKET_OIDC_CLOCK_SKEW must be from 0 to 300"),
        ({"MARKET_OIDC_TIMEOUT": "0"}, "MARKET_OIDC_TIMEOUT must be above 0"),
        ({"MARKET_OIDC_TIMEOUT": "31"}, "MARKET_OIDC_TIMEOUT must be above 0"),
    ],
)
def test_settings_that_could_not_work_are_refused(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSettings) as refused:
        from_environment(GIVEN | changes)
    assert str(refused.value).startswith(sentence)


def test_a_secret_alone_is_no_provider() -> None:
    with pytest.raises(BadSettings):
        from_environment({"MARKET_OIDC_CLIENT_SECRET": "hidden"})
