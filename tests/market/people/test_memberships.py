"""Memberships: seen and ended by administrators of the organisation; once ended, they stay so."""

import asyncio

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.world import Person, World


async def _membership_of(administrator: Person, person: Person) -> str:
    listed = await administrator.get(f"/organisations/{administrator.organisation}/memberships")
    assert listed.status_code == 200, listed.text
    found = [one["id"] for one in listed.json()["items"] if one["person"] == str(person.id)]
    assert len(found) == 1
    return str(found[0])


async def test_whoever_s_membership_was_ended_acts_no_more(world: World) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    leaver = await world.person("Lee Ver", group, Role.ADMINISTRATOR)
    membership = await _membership_of(administrator, leaver)
    invitation = {"email": "x@group.example", "roles": ["commissioner"]}
    path = f"/organisations/{group}/invitations"
    assert (await leaver.post(path, invitation)).status_code == 201
    assert (await administrator.delete(f"/memberships/{membership}")).status_code == 204
    # the token still says who they are, but they act for nobody
    myself = (await leaver.get("/me")).json()
    assert myself["acting_for"] is None
    assert myself["memberships"][0]["ended_at"] is not None
    assert (await leaver.post(path, invitation)).status_code == 404


async def test_of_two_who_end_a_membership_at_once_one_does(world: World) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    leaver = await world.person("Lee Ver", group, Role.COMMISSIONER)
    membership = await _membership_of(administrator, leaver)
    answers = await asyncio.gather(
        *(administrator.delete(f"/memberships/{membership}") for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


async def test_people_of_other_organisations_learn_nothing(world: World) -> None:
    group, other = await world.organisation("06F"), await world.organisation("06P")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    colleague = await world.person("Cy Team", group, Role.COMMISSIONER)
    stranger = await world.person("Sue Other", other, Role.ADMINISTRATOR)
    membership = await _membership_of(administrator, colleague)
    assert (await stranger.get(f"/organisations/{group}/memberships")).status_code == 404
    assert (await stranger.delete(f"/memberships/{membership}")).status_code == 404
    own = await colleague.delete(f"/memberships/{membership}")
    assert own.status_code == 403
    assert "administrator" in own.json()["detail"]
    assert (await colleague.get(f"/organisations/{group}/memberships")).status_code == 403


async def test_the_registrar_sees_the_people_of_any_organisation_that_there_is(
    world: World,
) -> None:
    group = await world.organisation("06F")
    lead = await world.person("Ann Lead", group, Role.PROCUREMENT_LEAD)
    keeper = await registrar(world)
    listed = (await keeper.get(f"/organisations/{group}/memberships")).json()["items"]
    assert [one["person"] for one in listed] == [str(lead.id)]
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert (await keeper.get(f"/organisations/{nowhere}/memberships")).status_code == 404


async def test_members_come_in_pages_by_name(world: World) -> None:
    group = await world.organisation("06F")
    names = ["Ann Lead", "Bo Second", "Bo Second", "Cy Third"]
    for name in reversed(names[1:]):
        await world.person(name, group, Role.COMMISSIONER)
    administrator = await world.person(names[0], group, Role.ADMINISTRATOR)
    seen: list[str] = []
    path = f"/organisations/{group}/memberships?limit=2"
    page = (await administrator.get(path)).json()
    seen += [one["name"] for one in page["items"]]
    assert page["next"] is not None
    page = (await administrator.get(f"{path}&cursor={page['next']}")).json()
    seen += [one["name"] for one in page["items"]]
    assert page["next"] is None
    assert seen == names
