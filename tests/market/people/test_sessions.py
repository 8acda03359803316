"""Sessions: opaque, expiring, revocable, bound to one organisation."""

from market.actor import Role
from tests.makers.world import World


async def test_a_signed_in_person_sees_themselves(world: World) -> None:
    bedfordshire = await world.organisation("06F")
    lead = await world.person("Ann Lead", bedfordshire, Role.PROCUREMENT_LEAD)
    answer = await lead.get("/me")
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "Ann Lead"
    assert answer.json()["memberships"][0]["role"] == "procurement_lead"
    assert (await world.public("/me")).status_code == 401
