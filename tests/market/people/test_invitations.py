"""Invitations: by administrators alone, to roles that fit, accepted once, secrets unkept."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from market.actor import Actor, Role
from market.people.commands import create_operator
from market.people.rules import OPERATOR
from tests.makers.clock import registrar, signed_in
from tests.makers.suppliers import admitted_supplier
from tests.makers.world import PASSWORD, Person, World


async def _invite(
    by: Person, organisation: UUID, email: str, *roles: str, **options: Any
) -> httpx.Response:
    return await by.post(
        f"/organisations/{organisation}/invitations",
        {"email": email, "roles": list(roles)},
        **options,
    )


async def _accept(
    world: World, secret: str, name: str = "Ruth Penhale", password: str = PASSWORD
) -> httpx.Response:
    body = {"secret": secret, "name": name, "password": password}
    return await world.client.post("/api/v1/invitation-acceptances", json=body)


async def test_an_invited_person_gets_the_roles_they_were_invited_to(world: World) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(
        administrator, group, "Ruth@Group.Example", "lay_member", "commissioner", "lay_member"
    )
    assert offered.status_code == 201, offered.text
    assert offered.json()["roles"] == ["commissioner", "lay_member"]
    assert offered.json()["email"] == "ruth@group.example"
    accepted = await _accept(world, offered.json()["secret"])
    assert accepted.status_code == 201, accepted.text
    assert [one["role"] for one in accepted.json()] == ["commissioner", "lay_member"]
    person = await signed_in(world, "Ruth Penhale", "ruth@group.example")
    assert person.organisation == group


async def test_a_membership_is_granted_by_whoever_invited(world: World, superuser: Any) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "ruth@group.example", "commissioner")
    accepted = await _accept(world, offered.json()["secret"])
    granted_by = await superuser.fetchval(
        "SELECT granted_by FROM membership WHERE id = $1", UUID(accepted.json()[0]["id"])
    )
    assert granted_by == administrator.id


async def test_an_invitation_is_accepted_once_however_many_try_at_once(
    world: World, superuser: Any
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "ruth@group.example", "commissioner")
    secret = offered.json()["secret"]
    answers = await asyncio.gather(*(_accept(world, secret) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
    people = await superuser.fetchval(
        "SELECT count(*) FROM person WHERE email = 'ruth@group.example'"
    )
    assert people == 1
    events = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'invitation.accepted'"
    )
    assert events == 1
    assert (await _accept(world, secret)).json()["type"] == "/problems/invitation-over"


async def test_two_invitations_of_one_new_address_register_one_person(
    world: World, superuser: Any
) -> None:
    secrets = []
    for code in ("06F", "06P"):
        group = await world.organisation(code)
        administrator = await world.person(f"Ann {code}", group, Role.ADMINISTRATOR)
        offered = await _invite(administrator, group, "ruth@group.example", "commissioner")
        secrets.append(offered.json()["secret"])
    answers = await asyncio.gather(*(_accept(world, secret) for secret in secrets))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([201, 201], [201, 409])
    late = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["type"] for answer in late} <= {"/problems/already-registered"}
    for answer, secret in zip(answers, secrets, strict=True):
        if answer.status_code == 409:
            assert (await _accept(world, secret)).status_code == 201
    people = await superuser.fetchval(
        "SELECT count(*) FROM person WHERE email = 'ruth@group.example'"
    )
    assert people == 1


async def test_a_registered_address_is_invited_again_with_its_own_password(world: World) -> None:
    keeper = await registrar(world)
    group = await world.organisation("06F")
    offered = await _invite(keeper, group, keeper.email, "commissioner")
    secret = offered.json()["secret"]
    wrong = await _accept(world, secret, password="another good passphrase")  # noqa: S106  # a wrong one
    assert wrong.status_code == 401
    assert wrong.json()["type"] == "/problems/wrong-credentials"
    right = await _accept(world, secret, name="Somebody Else")
    assert right.status_code == 201
    assert {one["name"] for one in right.json()} == {keeper.name}


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("short", "at least 12 characters"),
        ("aaaaaaaaaaaaaaaaaaaa", "repeated"),
        ("penhale drives a red car", "name or e-mail"),
        ("my address is ruth.p of course", "name or e-mail"),
    ],
)
async def test_a_weak_password_is_refused_with_the_reason_and_can_be_corrected(
    world: World, password: str, because: str
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "ruth.p@group.example", "commissioner")
    secret = offered.json()["secret"]
    weak = await _accept(world, secret, password=password)
    assert weak.status_code == 400
    assert {fault["field"] for fault in weak.json()["errors"]} == {"password"}
    assert because in weak.text
    assert password not in weak.text
    assert (await _accept(world, secret)).status_code == 201


async def test_an_expired_invitation_is_over(world: World, superuser: Any) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "ruth@group.example", "commissioner")
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.aged', 'invitation', $1, 'test', '{}')",
            uuid4(),
        )
        await superuser.execute(
            "UPDATE invitation SET expires_at = clock_timestamp() - interval '1 second'"
        )
    answer = await _accept(world, offered.json()["secret"])
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/invitation-over"


@pytest.mark.parametrize(
    ("code", "role"),
    [("06F", "bid_manager"), ("06F", "registrar"), ("0AD", "lay_member"), ("0AD", "registrar")],
)
async def test_a_role_that_the_kind_of_organisation_has_not_is_refused(
    world: World, code: str, role: str
) -> None:
    organisation = await world.organisation(code)
    administrator = await world.person("Ann Lead", organisation, Role.ADMINISTRATOR)
    answer = await _invite(administrator, organisation, "x@group.example", "administrator", role)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "roles[1]", "reason": f"An organisation of this kind has no {role}."}
    ]


async def test_not_even_the_operator_s_people_make_registrars_over_http(world: World) -> None:
    keeper = await registrar(world)
    answer = await _invite(keeper, OPERATOR, "x@market.example", "registrar")
    assert answer.status_code == 400


async def test_only_an_administrator_of_the_organisation_invites(world: World) -> None:
    group, other = await world.organisation("06F"), await world.organisation("06P")
    lead = await world.person("Ann Lead", group, Role.PROCUREMENT_LEAD)
    stranger = await world.person("Sue Other", other, Role.ADMINISTRATOR)
    own = await _invite(lead, group, "x@group.example", "commissioner")
    assert own.status_code == 403
    assert "administrator" in own.json()["detail"]
    assert (await _invite(stranger, group, "x@group.example", "commissioner")).status_code == 404
    assert (await _invite(stranger, uuid4(), "x@group.example", "commissioner")).status_code == 404


async def test_a_supplier_s_administrator_brings_in_colleagues(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    offered = await _invite(supplier, supplier.organisation, "c@supplier.example", "bid_manager")
    assert offered.status_code == 201, offered.text
    assert (await _accept(world, offered.json()["secret"])).status_code == 201


@pytest.mark.parametrize(
    "email", ["nobody", "a@b@c.example", "a\u0000b@group.example", "a@localhost"]
)
async def test_an_address_that_is_none_is_refused(world: World, email: str) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    answer = await _invite(administrator, group, email, "commissioner")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "email"


async def test_a_repeated_request_gives_the_same_secret_which_is_stored_nowhere(
    world: World, superuser: Any
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    key = {"Idempotency-Key": str(uuid4())}
    first = await _invite(administrator, group, "r@group.example", "commissioner", headers=key)
    again = await _invite(administrator, group, "r@group.example", "commissioner", headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert await superuser.fetchval("SELECT count(*) FROM invitation") == 1
    stored = await superuser.fetchval("SELECT answer FROM idempotency_key")
    assert first.json()["id"].encode() in stored
    assert first.json()["secret"].encode() not in stored
    assert (await _accept(world, again.json()["secret"])).status_code == 201


async def test_every_invitation_has_a_secret_of_its_own(world: World) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    given = [
        (await _invite(administrator, group, "r@group.example", "commissioner")).json()["secret"]
        for _ in range(3)
    ]
    assert len(set(given)) == 3
    assert {len(secret) for secret in given} == {43}


async def test_the_operator_is_made_once_and_its_registrar_invited_again_until_there(
    world: World, superuser: Any
) -> None:
    first = await create_operator(Actor(), "rita@market.example", 3600, world.vault)
    again = await create_operator(Actor(), "Rita@Market.Example", 3600, world.vault)
    assert first is not None
    assert again == first
    other = await create_operator(Actor(), "rolf@market.example", 3600, world.vault)
    assert other is not None
    assert other.id != first.id
    assert (await _accept(world, first.secret, name="Rita Gist")).status_code == 201
    assert await create_operator(Actor(), "rita@market.example", 3600, world.vault) is None
    operators = await superuser.fetch("SELECT name FROM organisation WHERE id = $1", OPERATOR)
    assert [row["name"] for row in operators] == ["The market's operator"]
    rita = await signed_in(world, "Rita Gist", "rita@market.example")
    assert (await rita.get("/me")).json()["acting_for"] == str(OPERATOR)


async def test_two_commands_at_once_invite_one_registrar_once(world: World, superuser: Any) -> None:
    made = await asyncio.gather(
        *(create_operator(Actor(), "rita@market.example", 3600, world.vault) for _ in range(4))
    )
    assert len({one.id for one in made if one is not None}) == 1
    assert await superuser.fetchval("SELECT count(*) FROM invitation") == 1


async def test_the_registrar_brings_in_the_first_administrator_of_a_group(world: World) -> None:
    keeper = await registrar(world)
    group = await world.organisation("06F")
    offered = await _invite(keeper, group, "ada@group.example", "administrator")
    assert (await _accept(world, offered.json()["secret"], name="Ada First")).status_code == 201
    ada = await signed_in(world, "Ada First", "ada@group.example")
    assert (await _invite(ada, group, "x@group.example", "commissioner")).status_code == 201


async def _end(world: World, person: Person) -> None:
    keeper = await registrar(world)
    members = await keeper.get(f"/organisations/{person.organisation}/memberships")
    for one in members.json()["items"]:
        if one["person"] == str(person.id):
            ended = await keeper.delete(f"/memberships/{one['id']}")
            assert ended.status_code == 204, ended.text


async def test_an_invitation_falls_with_the_administrator_who_made_it(
    world: World, superuser: Any
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "friend@group.example", "administrator")
    await _end(world, administrator)
    answer = await _accept(world, offered.json()["secret"])
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/invitation-over")
    query = "SELECT count(*) FROM person WHERE email = 'friend@group.example'"
    assert await superuser.fetchval(query) == 0


async def test_an_invitation_falls_when_its_maker_administers_another_organisation_alone(
    world: World,
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    offered = await _invite(administrator, group, "friend@group.example", "commissioner")
    keeper = await registrar(world)
    other = await world.organisation("06P")
    invited = await _invite(keeper, other, administrator.email, "administrator")
    await _end(world, administrator)
    answer = await _accept(world, offered.json()["secret"])
    assert answer.json()["type"] == "/problems/invitation-over"
    assert invited.status_code == 201


async def test_of_ending_an_administrator_and_their_invitation_one_comes_first(
    world: World, superuser: Any
) -> None:
    group = await world.organisation("06F")
    for number in range(4):
        administrator = await world.person(f"Ann {number}", group, Role.ADMINISTRATOR)
        email = f"friend.{number}@group.example"
        offered = await _invite(administrator, group, email, "commissioner")
        answer, _ = await asyncio.gather(
            _accept(world, offered.json()["secret"]), _end(world, administrator)
        )
        ended, accepted = await superuser.fetchrow(
            "SELECT (SELECT ended_at FROM membership WHERE person = $1), (SELECT accepted_at FROM"
            " invitation WHERE email = $2)",
            administrator.id,
            email,
        )
        assert answer.status_code == (404 if accepted is None else 201)
        assert ended is not None
