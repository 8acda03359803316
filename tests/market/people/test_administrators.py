"""Administrators: they revoke invitations, give roles, remove people; one always remains."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.world import PASSWORD, Person, World

WATCHMEN = ("conflicts_guardian", "lay_member", "auditor")


async def _administrators(world: World, count: int = 2) -> list[Person]:
    group = await world.organisation("06F")
    return [await world.person(f"Ann {n}", group, Role.ADMINISTRATOR) for n in range(count)]


async def _invite(by: Person, email: str, *roles: str) -> dict[str, Any]:
    offered = await by.post(
        f"/organisations/{by.organisation}/invitations",
        {"email": email, "roles": list(roles or ("commissioner",))},
    )
    assert offered.status_code == 201, offered.text
    given: dict[str, Any] = offered.json()
    return given


async def _accept(world: World, secret: str, name: str = "Ruth Penhale") -> httpx.Response:
    return await world.client.post(
        "/api/v1/invitation-acceptances",
        json={"secret": secret, "name": name, "password": PASSWORD},
    )


async def _memberships(by: Person, of: Person) -> dict[str, dict[str, Any]]:
    listed = await by.get(f"/organisations/{by.organisation}/memberships?limit=200")
    assert listed.status_code == 200, listed.text
    return {one["role"]: one for one in listed.json()["items"] if one["person"] == str(of.id)}


async def _end(by: Person, of: Person) -> httpx.Response:
    own = (await of.get("/me")).json()["memberships"]
    membership = next(one["id"] for one in own if one["role"] == "administrator")
    return await by.delete(f"/memberships/{membership}")


async def _remove(by: Person, of: Person) -> httpx.Response:
    return await by.delete(f"/organisations/{by.organisation}/members/{of.id}")


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


# ------------------------------------------------------------------------------------ invitations


async def test_administrators_see_their_invitations_the_latest_first_without_secrets(
    world: World,
) -> None:
    (ann,) = await _administrators(world, 1)
    made = [await _invite(ann, f"r{n}@group.example") for n in range(3)]
    accepted = await _accept(world, made[0]["secret"])
    assert (await ann.delete(f"/invitations/{made[1]['id']}")).status_code == 204
    path = f"/organisations/{ann.organisation}/invitations"
    first = await ann.get(f"{path}?limit=2")
    assert first.status_code == 200, first.text
    assert 'rel="next"' in first.headers["Link"]
    second = await ann.get(f"{path}?limit=2&cursor={first.json()['next']}")
    shown = first.json()["items"] + second.json()["items"]
    assert [one["id"] for one in shown] == [one["id"] for one in reversed(made)]
    assert [one["open"] for one in shown] == [True, False, False]
    assert [one["revoked_by"] for one in shown] == [None, str(ann.id), None]
    assert shown[2]["accepted_by"] == accepted.json()[0]["person"]
    assert {one["invited_by_name"] for one in shown} == {ann.name}
    assert all(one["secret"] not in first.text + second.text for one in made)


@pytest.mark.parametrize("cursor", ["x", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd"])
async def test_a_cursor_of_somebody_s_own_making_is_refused(world: World, cursor: str) -> None:
    (ann,) = await _administrators(world, 1)
    listed = await ann.get(f"/organisations/{ann.organisation}/invitations?cursor={cursor}")
    assert listed.status_code == 400


async def test_a_revoked_invitation_never_works_again(world: World, superuser: Any) -> None:
    ann, bea = await _administrators(world)
    made = await _invite(ann, "ruth@group.example")
    # by any administrator, not only by whoever made it
    assert (await bea.delete(f"/invitations/{made['id']}")).status_code == 204
    answer = await _accept(world, made["secret"])
    assert (answer.status_code, _problem(answer)) == (404, "invitation-over")
    again = await ann.delete(f"/invitations/{made['id']}")
    assert (again.status_code, _problem(again)) == (404, "invitation-over")
    row = await superuser.fetchrow("SELECT accepted_at, revoked_by FROM invitation")
    assert (row["accepted_at"], row["revoked_by"]) == (None, bea.id)
    people = await superuser.fetchval("SELECT count(*) FROM person WHERE email LIKE 'ruth@%'")
    assert people == 0
    events = await superuser.fetch("SELECT person FROM event WHERE action = 'invitation.revoked'")
    assert [event["person"] for event in events] == [bea.id]


async def test_an_accepted_invitation_is_not_revoked(world: World) -> None:
    (ann,) = await _administrators(world, 1)
    made = await _invite(ann, "ruth@group.example")
    assert (await _accept(world, made["secret"])).status_code == 201
    answer = await ann.delete(f"/invitations/{made['id']}")
    assert (answer.status_code, _problem(answer)) == (409, "invitation-accepted")


@pytest.mark.parametrize("attempt", range(4))
async def test_an_invitation_is_accepted_or_revoked_and_never_both(
    world: World, superuser: Any, attempt: int
) -> None:
    (ann,) = await _administrators(world, 1)
    keeper = await registrar(world)  # registered already, so that the acceptance comes in fast
    made = await _invite(ann, keeper.email if attempt % 2 else "ruth@group.example")

    async def revoke() -> httpx.Response:
        await asyncio.sleep(0.01 * attempt)
        return await ann.delete(f"/invitations/{made['id']}")

    accepted, revoked = await asyncio.gather(_accept(world, made["secret"]), revoke())
    assert (accepted.status_code, revoked.status_code) in {(201, 409), (404, 204)}
    row = await superuser.fetchrow(
        "SELECT accepted_at IS NULL AS free, revoked_at IS NULL AS standing FROM invitation"
        " WHERE organisation = $1",
        ann.organisation,
    )
    assert row["free"] is not row["standing"]
    members = await superuser.fetchval(
        "SELECT count(*) FROM membership WHERE organisation = $1 AND role = 'commissioner'",
        ann.organisation,
    )
    assert members == (1 if accepted.status_code == 201 else 0)


async def test_only_administrators_of_the_organisation_revoke_and_see(world: World) -> None:
    (ann,) = await _administrators(world, 1)
    colleague = await world.person("Cy Team", ann.organisation, Role.COMMISSIONER)
    stranger = await world.person("Sue", await world.organisation("06P"), Role.ADMINISTRATOR)
    made = await _invite(ann, "ruth@group.example")
    path = f"/organisations/{ann.organisation}/invitations"
    for person, status in ((colleague, 403), (stranger, 404)):
        assert (await person.get(path)).status_code == status
        assert (await person.delete(f"/invitations/{made['id']}")).status_code == status
    assert (await ann.delete(f"/invitations/{uuid4()}")).status_code == 404
    keeper = await registrar(world)
    assert (await keeper.get(f"/organisations/{uuid4()}/invitations")).status_code == 404
    assert (await keeper.delete(f"/invitations/{made['id']}")).status_code == 204


async def test_what_was_revoked_stays_so_in_the_database(world: World, app_role: Any) -> None:
    (ann,) = await _administrators(world, 1)
    colleague = await world.person("Cy Team", ann.organisation, Role.COMMISSIONER)
    made = await _invite(ann, "ruth@group.example")
    revoke = "UPDATE invitation SET revoked_at = now(), revoked_by = $1"
    async with refused("invited_by_administrator"), acting(app_role, colleague.id):
        await app_role.execute(revoke, colleague.id)
    both = "UPDATE invitation SET revoked_at = now(), accepted_at = now(), accepted_by = $1"
    async with refused("invitation_once"), acting(app_role, ann.id):
        await app_role.execute(both, ann.id)
    async with acting(app_role, ann.id):
        await app_role.execute(revoke, colleague.id)
    row = await app_role.fetchrow(
        "SELECT revoked_by FROM invitation WHERE id = $1", UUID(made["id"])
    )
    assert row["revoked_by"] == ann.id  # whoever did it, whatever was said
    for change in ("revoked_at = NULL", "accepted_at = now(), accepted_by = gen_random_uuid()"):
        async with refused("invitation_once"), acting(app_role, ann.id):
            await app_role.execute(f"UPDATE invitation SET {change}")  # noqa: S608  # two constants


# ----------------------------------------------------------------------------------------- people


async def test_a_removed_person_holds_no_role_and_acts_no_more(
    world: World, superuser: Any
) -> None:
    (ann,) = await _administrators(world, 1)
    leaver = await world.person(
        "Lee Ver", ann.organisation, Role.COMMISSIONER, Role.PROCUREMENT_LEAD
    )
    waiting = await _invite(ann, leaver.email, "administrator")
    assert (await leaver.get("/me")).json()["acting_for"] == str(ann.organisation)
    assert (await _remove(ann, leaver)).status_code == 204
    assert (await leaver.get("/me")).json()["acting_for"] is None
    held = await _memberships(ann, leaver)
    assert set(held) == {"commissioner", "procurement_lead"}
    assert all(one["ended_at"] is not None for one in held.values())
    # nor do they come back by what they had been invited to before
    assert (await _accept(world, waiting["secret"])).status_code == 404
    again = await _remove(ann, leaver)
    assert again.status_code == 404
    event = await superuser.fetchrow(
        "SELECT person, subject, details FROM event WHERE action = 'member.removed'"
    )
    assert (event["person"], event["subject"]) == (ann.id, leaver.id)
    assert '"procurement_lead"' in event["details"]


async def test_a_removed_person_keeps_what_they_are_elsewhere(world: World) -> None:
    (ann,) = await _administrators(world, 1)
    keeper = await registrar(world)
    made = await _invite(ann, keeper.email)
    assert (await _accept(world, made["secret"])).status_code == 201
    assert (await _remove(ann, keeper)).status_code == 204
    assert (await keeper.get(f"/organisations/{ann.organisation}/memberships")).status_code == 200


async def test_people_are_removed_and_given_roles_by_administrators_alone(world: World) -> None:
    (ann,) = await _administrators(world, 1)
    colleague = await world.person("Cy Team", ann.organisation, Role.COMMISSIONER)
    stranger = await world.person("Sue", await world.organisation("06P"), Role.ADMINISTRATOR)
    path = f"/organisations/{ann.organisation}/members/{ann.id}"
    for person, status in ((colleague, 403), (stranger, 404)):
        assert (await person.delete(path)).status_code == status
        answer = await person.post(f"{path}/roles", {"role": "commissioner"})
        assert answer.status_code == status
    for unknown in (stranger.id, uuid4()):
        path = f"/organisations/{ann.organisation}/members/{unknown}"
        assert (await ann.delete(path)).status_code == 404
        assert (await ann.post(f"{path}/roles", {"role": "commissioner"})).status_code == 404


async def test_a_member_is_given_a_further_role_once(world: World, superuser: Any) -> None:
    (ann,) = await _administrators(world, 1)
    member = await world.person("Mo Second", ann.organisation, Role.COMMISSIONER)
    path = f"/organisations/{ann.organisation}/members/{member.id}/roles"
    answers = await asyncio.gather(*(ann.post(path, {"role": "lay_member"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    given = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (given["person"], given["role"]) == (str(member.id), "lay_member")
    assert {_problem(one) for one in answers if one.status_code == 409} == {"already-member"}
    granted_by = await superuser.fetchval(
        "SELECT granted_by FROM membership WHERE id = $1", UUID(given["id"])
    )
    assert granted_by == ann.id
    key = {"Idempotency-Key": str(uuid4())}
    first = await ann.post(path, {"role": "auditor"}, headers=key)
    assert (await ann.post(path, {"role": "auditor"}, headers=key)).json() == first.json()


@pytest.mark.parametrize("role", ["registrar", "bid_manager", "emperor", None])
async def test_a_role_that_the_organisation_has_not_is_not_given(
    world: World, role: str | None
) -> None:
    (ann,) = await _administrators(world, 1)
    member = await world.person("Mo Second", ann.organisation, Role.COMMISSIONER)
    path = f"/organisations/{ann.organisation}/members/{member.id}/roles"
    answer = await ann.post(path, {"role": role})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "role"


# ----------------------------------------------------------------------------- last administrator


async def test_the_last_administrator_stays_unless_the_registrar_ends_them(world: World) -> None:
    ann, bea = await _administrators(world)
    assert (await _end(ann, bea)).status_code == 204
    for answer in (await _end(ann, ann), await _remove(ann, ann)):
        assert (answer.status_code, _problem(answer)) == (409, "last-administrator")
    assert (await ann.get("/me")).json()["acting_for"] == str(ann.organisation)
    keeper = await registrar(world)
    removed = await keeper.delete(f"/organisations/{ann.organisation}/members/{ann.id}")
    assert removed.status_code == 204


@pytest.mark.parametrize("act", [_end, _remove])
async def test_of_two_administrators_who_end_each_other_exactly_one_does(
    world: World, superuser: Any, act: Any
) -> None:
    for _ in range(4):
        ann, bea = await _administrators(world)
        answers = await asyncio.gather(act(ann, bea), act(bea, ann))
        assert answers[0].status_code != answers[1].status_code
        assert {answer.status_code for answer in answers} <= {204, 403, 404, 409}
        assert 204 in {answer.status_code for answer in answers}
        left = await superuser.fetchval(
            "SELECT count(*) FROM membership WHERE role = 'administrator' AND ended_at IS NULL"
            " AND person = ANY ($1)",
            [ann.id, bea.id],
        )
        assert left == 1
        keeper = await registrar(world)
        for one in (ann, bea):
            await keeper.delete(f"/organisations/{ann.organisation}/members/{one.id}")


async def test_whoever_was_removed_meanwhile_removes_nobody(world: World) -> None:
    # a third one remains, so that it is not the last administrator's protection that decides
    ann, bea, _ = await _administrators(world, 3)
    answers = await asyncio.gather(_remove(ann, bea), _remove(bea, ann))
    assert sorted(answer.status_code for answer in answers) in ([204, 403], [204, 404])


async def test_the_database_keeps_the_last_administrator(
    world: World, app_role: Any, databases: Any
) -> None:
    ann, bea = await _administrators(world)
    end = "UPDATE membership SET ended_at = market_now() WHERE person = $1"
    other = await asyncpg.connect(**databases.app)

    async def ends(connection: Any, by: Person, whom: Person) -> None:
        async with acting(connection, by.id):
            await connection.execute(end, whom.id)
            await asyncio.sleep(0.05)

    try:
        results = await asyncio.gather(
            ends(app_role, ann, bea), ends(other, bea, ann), return_exceptions=True
        )
    finally:
        await other.close()
    failed = [result for result in results if result is not None]
    assert len(failed) == 1
    assert getattr(failed[0], "constraint_name", None) == "last_administrator", failed
    left = bea if results[0] is not None else ann
    async with refused("last_administrator"), acting(app_role, left.id):
        await app_role.execute(end, left.id)
    async with refused("last_administrator"), acting(app_role):
        await app_role.execute(end, left.id)
    keeper = await registrar(world)
    async with acting(app_role, keeper.id):
        await app_role.execute(end, left.id)


# --------------------------------------------------------------------------------------- watchmen


@pytest.mark.parametrize("role", WATCHMEN)
async def test_nobody_makes_themselves_a_watchman(world: World, superuser: Any, role: str) -> None:
    ann, bea = await _administrators(world)
    path = f"/organisations/{ann.organisation}/members/{ann.id}/roles"
    given = await ann.post(path, {"role": role})
    assert (given.status_code, _problem(given)) == (403, "watchman-of-oneself")
    offered = await ann.post(
        f"/organisations/{ann.organisation}/invitations",
        {"email": ann.email.upper(), "roles": ["commissioner", role]},
    )
    assert (offered.status_code, _problem(offered)) == (403, "watchman-of-oneself")
    refusals = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'request.refused' AND person = $1", ann.id
    )
    assert refusals == 2
    assert (await bea.post(path, {"role": role})).status_code == 201
    assert role in await _memberships(bea, ann)


async def test_an_ordinary_role_one_may_give_oneself(world: World) -> None:
    (ann,) = await _administrators(world, 1)
    path = f"/organisations/{ann.organisation}/members/{ann.id}/roles"
    assert (await ann.post(path, {"role": "procurement_lead"})).status_code == 201


async def test_an_invitation_made_to_another_address_gives_its_maker_no_watch(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    group = await world.organisation("06F")
    path = f"/organisations/{group}/invitations"
    made = await keeper.post(path, {"email": "k@market.example", "roles": ["auditor"]})
    async with superuser.transaction():  # the address was changed to the maker's own, say
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.changed', 'invitation', $1, 'test', '{}')",
            uuid4(),
        )
        await superuser.execute(
            "UPDATE invitation SET email = $1 WHERE accepted_at IS NULL", keeper.email
        )
    answer = await _accept(world, made.json()["secret"])
    assert (answer.status_code, _problem(answer)) == (403, "watchman-of-oneself")
    unaccepted = await superuser.fetchval(
        "SELECT count(*) FROM invitation WHERE accepted_at IS NULL"
    )
    assert unaccepted == 1


@pytest.mark.parametrize("role", WATCHMEN)
async def test_the_database_lets_nobody_make_themselves_a_watchman(
    world: World, app_role: Any, role: str
) -> None:
    ann, bea = await _administrators(world)
    grant = (
        "INSERT INTO membership (id, person, organisation, role, started_at, granted_by)"
        " VALUES (gen_random_uuid(), $1, $2, $3, now(), $4)"
    )
    for granter in (ann.id, bea.id, None):  # whatever is said about who gave it
        async with refused("watchman_given_by_another"), acting(app_role, ann.id):
            await app_role.execute(grant, ann.id, ann.organisation, role, granter)
    async with refused("watchman_given_by_another"), acting(app_role, bea.id):
        await app_role.execute(grant, ann.id, ann.organisation, role, ann.id)
    async with acting(app_role, bea.id):
        await app_role.execute(grant, ann.id, ann.organisation, role, bea.id)


async def test_who_revoked_and_who_was_removed_is_not_rewritten(
    world: World, app_role: Any
) -> None:
    (ann,) = await _administrators(world, 1)
    await _invite(ann, "ruth@group.example")
    for change in ("email = 'x@y.example'", "roles = '{administrator}'", "invited_by = id"):
        async with not_granted(), acting(app_role, ann.id):
            await app_role.execute(f"UPDATE invitation SET {change}")  # noqa: S608  # constants
