"""Sessions: opaque, expiring, revocable, bound to one organisation."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from market.people import credentials
from tests.makers.clock import registrar, signed_in
from tests.makers.suppliers import application, apply
from tests.makers.world import PASSWORD, Person, World


class _Counting:
    """The password hasher, which counts how often it is made to work."""

    def __init__(self, hasher: Any) -> None:
        self.hasher = hasher
        self.verified = 0

    def hash(self, password: str) -> str:
        """Hash, uncounted."""
        return str(self.hasher.hash(password))

    def verify(self, password: str, stored: str) -> bool:
        """Verify, counted."""
        self.verified += 1
        return bool(self.hasher.verify(password, stored))


async def _sign_in(world: World, email: str, password: str, **more: Any) -> httpx.Response:
    body = {"email": email, "password": password, **more}
    return await world.client.post("/api/v1/sessions", json=body)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    del problem["request"]
    return problem


async def test_a_signed_in_person_sees_themselves(world: World) -> None:
    bedfordshire = await world.organisation("06F")
    lead = await world.person("Ann Lead", bedfordshire, Role.PROCUREMENT_LEAD)
    answer = await lead.get("/me")
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "Ann Lead"
    assert answer.json()["memberships"][0]["role"] == "procurement_lead"
    assert (await world.public("/me")).status_code == 401


async def test_a_token_works_until_it_is_revoked(world: World) -> None:
    keeper = await registrar(world)
    other = await signed_in(world, keeper.name, keeper.email)
    listed = (await other.get("/sessions")).json()
    assert [one["current"] for one in listed] == [True, False]
    ended = await other.delete(f"/sessions/{listed[0]['id']}")
    assert ended.status_code == 204
    assert (await other.get("/me")).status_code == 401
    assert (await keeper.get("/me")).status_code == 200


async def test_ending_an_ended_session_changes_nothing(world: World) -> None:
    keeper = await registrar(world)
    other = await signed_in(world, keeper.name, keeper.email)
    session = (await other.get("/sessions")).json()[0]["id"]
    assert (await keeper.delete(f"/sessions/{session}")).status_code == 204
    assert (await keeper.delete(f"/sessions/{session}")).status_code == 204


async def test_an_expired_token_does_not_work(world: World, superuser: Any) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    async with superuser.transaction():
        await superuser.execute(
            "UPDATE session SET expires_at = clock_timestamp() - interval '1 second'"
        )
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.aged', 'session', $1, 'test', '{}')",
            uuid4(),
        )
    answer = await lead.get("/me")
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/not-signed-in"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer mkt_wrong", "Basic bWU6bWU=", f"Bearer {'x' * 500}"]
)
async def test_a_token_that_is_none_is_refused(world: World, header: str) -> None:
    answer = await world.client.get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_a_wrong_password_and_an_unknown_address_cannot_be_told_apart(
    world: World, superuser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await registrar(world)
    counting = _Counting(credentials._HASHER)  # noqa: SLF001  # time is not to be measured in a test: work is counted
    monkeypatch.setattr(credentials, "_HASHER", counting)
    wrong = await _sign_in(world, keeper.email, "four quiet otters swim")
    assert counting.verified == 1
    unknown = await _sign_in(world, "nobody@market.example", "four quiet otters swim")
    assert counting.verified == 2
    malformed = await _sign_in(world, "no address at all", "four quiet otters swim")
    assert counting.verified == 3
    assert wrong.status_code == unknown.status_code == malformed.status_code == 401
    assert _problem(wrong) == _problem(unknown) == _problem(malformed)
    assert set(wrong.headers) == set(unknown.headers)
    # nor by what is written: each leaves one event, and no address is kept
    kinds = await superuser.fetch(
        "SELECT subject_kind, person FROM event WHERE action = 'session.refused' ORDER BY 1"
    )
    assert [row["subject_kind"] for row in kinds] == ["address", "address", "person"]
    assert {row["person"] for row in kinds} == {None}


async def test_an_address_is_the_same_in_capitals(world: World) -> None:
    keeper = await registrar(world)
    assert (await _sign_in(world, keeper.email.upper(), PASSWORD)).status_code == 201


async def test_nobody_signs_in_for_an_organisation_they_do_not_belong_to(world: World) -> None:
    keeper = await registrar(world)
    foreign = await world.organisation("06F")
    for organisation in (foreign, uuid4()):
        answer = await _sign_in(world, keeper.email, PASSWORD, organisation=str(organisation))
        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/wrong-credentials"


async def test_a_session_acts_for_the_organisation_that_was_asked_for(world: World) -> None:
    group = await world.organisation("06F")
    keeper = await registrar(world)
    offered = await keeper.post(
        f"/organisations/{group}/invitations",
        {"email": keeper.email, "roles": ["administrator"]},
    )
    accepted = await world.client.post(
        "/api/v1/invitation-acceptances",
        json={"secret": offered.json()["secret"], "name": keeper.name, "password": PASSWORD},
    )
    assert accepted.status_code == 201, accepted.text
    answer = await _sign_in(world, keeper.email, PASSWORD, organisation=str(group))
    assert answer.status_code == 201
    assert answer.json()["organisation"] == str(group)
    assert answer.json()["roles"] == ["administrator"]


async def test_somebody_without_a_membership_signs_in_for_nobody(world: World) -> None:
    body = application("Fenland Data")
    assert (await apply(world, body)).status_code == 201
    answer = await _sign_in(world, body["applicant"]["email"], PASSWORD)
    assert answer.status_code == 201
    assert answer.json()["organisation"] is None
    assert answer.json()["roles"] == []


async def test_another_s_session_cannot_be_seen_or_ended(world: World) -> None:
    keeper = await registrar(world)
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    session = (await keeper.get("/sessions")).json()[0]["id"]
    assert session not in {one["id"] for one in (await lead.get("/sessions")).json()}
    assert (await lead.delete(f"/sessions/{session}")).status_code == 404
    assert (await keeper.get("/me")).status_code == 200


async def test_many_at_once_sign_in_and_get_a_session_each(world: World) -> None:
    keeper = await registrar(world)
    answers = await asyncio.gather(*(_sign_in(world, keeper.email, PASSWORD) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["token"] for answer in answers}) == 4


async def test_a_token_opens_nothing_when_it_is_only_nearly_right(world: World) -> None:
    keeper = await registrar(world)
    for token in (keeper.token[:-1], keeper.token + "x", keeper.token.upper(), f"{keeper.token} x"):
        forged = Person(
            id=keeper.id,
            name=keeper.name,
            email=keeper.email,
            organisation=keeper.organisation,
            token=token,
            client=world.client,
        )
        assert (await forged.get("/me")).status_code == 401
