"""Applying to supply: in public, once at a time, with every fault named at once."""

import asyncio
from typing import Any

import pytest

from market.actor import Role
from market.organisations.rules import OrganisationKind
from suppliers.rules import APPLICANT_KINDS
from tests.makers.clock import registrar
from tests.makers.suppliers import admitted_supplier, application, apply, decide
from tests.makers.world import PASSWORD, World


def _identifiers(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"scheme": scheme, "identifier": identifier} for scheme, identifier in pairs]


@pytest.mark.parametrize("kind", APPLICANT_KINDS)
async def test_an_applicant_of_any_kind_reads_the_application_and_has_no_role_yet(
    world: World, kind: OrganisationKind
) -> None:
    body = application("Fenland Data", kind)
    applied = await apply(world, body)
    assert applied.status_code == 201, applied.text
    view = applied.json()
    assert view["state"] == "pending"
    assert view["decision"] is None
    assert view["service_lines"] == ["bi-decision-support", "end-to-end"]
    assert view["applicant"]["email"] == body["applicant"]["email"]
    signed = await world.client.post(
        "/api/v1/sessions", json={"email": body["applicant"]["email"], "password": PASSWORD}
    )
    assert signed.json()["organisation"] is None
    headers = {"Authorization": f"Bearer {signed.json()['token']}"}
    read = await world.client.get(f"/api/v1/supplier-applications/{view['id']}", headers=headers)
    assert read.status_code == 200
    assert read.json() == view
    myself = (await world.client.get("/api/v1/me", headers=headers)).json()
    assert (myself["memberships"], myself["acting_for"]) == ([], None)


async def test_every_fault_is_named_at_once(world: World, superuser: Any) -> None:
    body = application("Fenland Data")
    body["organisation"]["identifiers"] = _identifiers(
        ("GB-COH", "1234567890"), ("GB-CHC", "none"), ("GB-NHS", "06F"), ("GB-NHS", " 06f ")
    )
    body["service_lines"] = ["end-to-end", "flying", "end-to-end"]
    body["applicant"] |= {"email": "nobody", "password": "short"}
    answer = await apply(world, body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/malformed"
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "organisation.identifiers[0].identifier",
        "organisation.identifiers[1].identifier",
        "organisation.identifiers[3].identifier",
        "service_lines[2]",
        "applicant.email",
        "applicant.password",
        "applicant.password",
        "service_lines[1]",
    ]
    assert "8 faults" in answer.json()["detail"]
    for table in ("person", "supplier_application"):
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # constants


@pytest.mark.parametrize(
    ("scheme", "identifier"),
    [
        ("GB-COH", "1234567890"),
        ("GB-COH", "XX123456"),
        ("GB-COH", "00000000"),
        ("GB-COH", "O1234567"),
        ("GB-CHC", "12345"),
        ("GB-CHC", "0123456"),
        ("GB-CHC", "202918-1"),
        ("GB-SC", "012345"),
        ("GB-SC", "SC12345"),
        ("GB-NIC", "NIC12345"),
        ("GB-NIC", "1042260"),
        ("GB-MPR", "1234567"),
        ("GB-MPR", "R17815"),
        ("GB-NHS", "6F"),
        ("GB-NHS", "06F-1"),
        ("GB-NHS", "ABCDEFGHI"),
        ("GB-NHS", "\u0660\u0666F"),
        ("GB-COH", " "),
    ],
)
async def test_an_identifier_of_a_wrong_form_is_named_with_the_right_one(
    world: World, scheme: str, identifier: str
) -> None:
    body = application("Fenland Data", OrganisationKind.THIRD_SECTOR)
    right = body["organisation"]["identifiers"][0]
    body["organisation"]["identifiers"] = [right, {"scheme": scheme, "identifier": identifier}]
    answer = await apply(world, body)
    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "organisation.identifiers[1].identifier"
    assert "The right form is" in fault["reason"]
    assert scheme in fault["reason"]


@pytest.mark.parametrize(
    ("kind", "scheme", "identifier"),
    [
        ("commercial", "GB-CHC", "202918"),
        ("third_sector", "GB-NHS", "NAX"),
        ("commissioning_support_unit", "GB-COH", "01234567"),
    ],
)
async def test_an_organisation_of_a_kind_is_on_the_register_of_its_kind(
    world: World, kind: str, scheme: str, identifier: str
) -> None:
    body = application("Fenland Data")
    body["organisation"] |= {"kind": kind, "identifiers": _identifiers((scheme, identifier))}
    answer = await apply(world, body)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["organisation.identifiers"]


@pytest.mark.parametrize("kind", ["clinical_commissioning_group", "other_nhs_body"])
async def test_those_who_buy_do_not_apply(world: World, kind: str) -> None:
    body = application("NHS Bedfordshire CCG")
    body["organisation"] |= {"kind": kind, "identifiers": _identifiers(("GB-NHS", "ZZ9"))}
    answer = await apply(world, body)
    assert answer.status_code == 400
    assert "organisation.kind" in {fault["field"] for fault in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statement", ""),
        ("statement", " \n "),
        ("statement", "a\u0000b"),
        ("statement", "x" * 5001),
        ("service_lines", []),
        ("demonstration", "yes"),
        ("nonsense", 1),
    ],
)
async def test_a_field_of_a_wrong_form_is_malformed(
    world: World, field: str, value: object
) -> None:
    answer = await apply(world, application("Fenland Data") | {field: value})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("name", ["", " ", "a\u0000b", "a\nb", "x" * 301])
async def test_a_name_is_a_line_that_says_something(world: World, name: str) -> None:
    assert (await apply(world, application(name))).status_code == 400


async def test_a_unit_of_the_reference_data_is_attached_to_and_not_made_again(
    world: World, superuser: Any
) -> None:
    before = await superuser.fetchval("SELECT count(*) FROM organisation")
    body = application("Whatever they call it", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    body["organisation"]["identifiers"][0]["identifier"] = "gb-nhs-0ad"
    view = (await apply(world, body)).json()
    assert view["organisation"]["id"] == str(await world.organisation("0AD"))
    assert view["organisation"]["name"] == "NHS Central Midlands Commissioning Support Unit"
    assert view["organisation"]["proposed"] is False
    assert await superuser.fetchval("SELECT count(*) FROM organisation") == before


async def test_an_application_changes_nothing_of_a_registered_organisation(world: World) -> None:
    unit = application("A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT, demonstration=True)
    unit["organisation"]["kind"] = "commercial"
    unit["organisation"]["identifiers"] += _identifiers(("GB-COH", "07777777"))
    answer = await apply(world, unit)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "organisation.kind",
        "demonstration",
        "organisation.identifiers[1].identifier",
    ]


async def test_identifiers_of_two_organisations_are_refused(world: World) -> None:
    body = application("A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    body["organisation"]["identifiers"] = _identifiers(("GB-NHS", "0AD"), ("GB-NHS", "0AE"))
    answer = await apply(world, body)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["organisation.identifiers"]


async def test_a_repetition_is_refused_with_a_reason_and_changes_nothing(
    world: World, superuser: Any
) -> None:
    body = application("Fenland Data")
    first = await apply(world, body)
    again = await apply(world, body)
    assert again.status_code == 409
    assert again.json()["type"] == "/problems/already-applied"
    assert first.json()["id"] in again.json()["detail"]
    other = body | {"applicant": body["applicant"] | {"email": "else@supplier.example"}}
    refused = await apply(world, other)
    assert refused.status_code == 409
    assert first.json()["id"] not in refused.text
    # whoever was refused was not registered either
    assert await superuser.fetchval("SELECT count(*) FROM person") == 1


async def test_many_applications_at_once_leave_one(world: World, superuser: Any) -> None:
    body = application("Fenland Data")
    answers = await asyncio.gather(*(apply(world, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    for table in ("person", "supplier_application"):
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608  # constants
    assert await superuser.fetchval("SELECT count(*) FROM organisation WHERE proposed") == 1


async def test_rivals_at_once_for_one_identifier_leave_one(world: World, superuser: Any) -> None:
    bodies = [application(f"Rival {number}") for number in range(4)]
    for body in bodies:
        body["organisation"]["identifiers"] = _identifiers(("GB-COH", "08888888"))
    answers = await asyncio.gather(*(apply(world, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    reasons = {answer.json()["type"] for answer in answers if answer.status_code == 409}
    assert reasons <= {"/problems/already-applied", "/problems/identifier-taken"}
    assert await superuser.fetchval("SELECT count(*) FROM organisation WHERE proposed") == 1


async def test_a_registered_person_applies_with_their_own_password(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    body = application("Second Data")
    body["applicant"] = {"email": supplier.email, "name": "Anybody", "password": PASSWORD}
    wrong = body | {"applicant": body["applicant"] | {"password": "another good passphrase"}}
    refused = await apply(world, wrong)
    assert refused.status_code == 401
    assert refused.json()["type"] == "/problems/wrong-credentials"
    applied = await apply(world, body)
    assert applied.status_code == 201
    assert applied.json()["applicant"]["id"] == str(supplier.id)
    assert applied.json()["applicant"]["name"] == supplier.name


async def test_an_application_is_read_by_its_applicant_and_registrars_alone(world: World) -> None:
    view = (await apply(world, application("Fenland Data"))).json()
    path = f"/supplier-applications/{view['id']}"
    keeper = await registrar(world)
    assert (await keeper.get(path)).json() == view
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.ADMINISTRATOR)
    rival = await admitted_supplier(world, "Rival Data")
    for stranger in (lead, rival):
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.get("/supplier-applications")).status_code == 403
    assert (await world.public(path)).status_code == 401
    assert (await world.public("/supplier-applications")).status_code == 401


async def test_the_registrar_lists_applications_by_state_in_pages(world: World) -> None:
    keeper = await registrar(world)
    views = [(await apply(world, application(f"Data {number}"))).json() for number in range(5)]
    await decide(keeper, views[0]["id"], "admitted")
    await decide(keeper, views[3]["id"], "refused")
    expected = {
        "": [0, 1, 2, 3, 4],
        "&state=pending": [1, 2, 4],
        "&state=admitted": [0],
        "&state=refused": [3],
    }
    for query, numbers in expected.items():
        seen: list[str] = []
        cursor = ""
        while True:
            answer = await keeper.get(f"/supplier-applications?limit=2{query}{cursor}")
            assert answer.status_code == 200, answer.text
            page = answer.json()
            seen += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == [views[number]["id"] for number in numbers]
    for query in ("state=lost", "cursor=x", "limit=0"):
        assert (await keeper.get(f"/supplier-applications?{query}")).status_code == 400
