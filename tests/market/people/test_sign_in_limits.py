"""Guessing passwords is slow: what costs much is limited by the address it comes from."""

import pytest

from market.settings import Settings
from tests.makers.suppliers import application, apply
from tests.makers.world import World

ALLOWED = 3


@pytest.fixture
def settings() -> Settings:
    """Settings under which a fourth attempt within a minute is one too many."""
    return Settings(pool_minimum=1, pool_maximum=4, sign_ins_per_minute=ALLOWED)


async def test_sign_ins_are_limited_and_say_when_to_come_back(world: World) -> None:
    body = {"email": "nobody@market.example", "password": "three quiet otters"}
    for _ in range(ALLOWED):
        assert (await world.client.post("/api/v1/sessions", json=body)).status_code == 401
    answer = await world.client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 429
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert int(answer.headers["Retry-After"]) > 0
    # what costs as much shares the limit; what costs little goes on
    assert (await apply(world, application("Fenland Data"))).status_code == 429
    assert (await world.public("/clock")).status_code == 200
