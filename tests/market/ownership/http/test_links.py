"""Stating links, ending them, and what everybody may read of an organisation's ownership."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.ownership import entity, owns, person, send
from tests.makers.world import World

COMPANY = {"registered": {"scheme": "GB-COH", "identifier": "7", "name": "Company 7 Ltd"}}


def link(holder: Any, subject: Any = None, **more: Any) -> dict[str, Any]:
    """A link as it is stated: of a director unless it is said otherwise."""
    return {
        "holder": holder,
        "subject": subject or COMPANY,
        "kind": "directorship",
        "source": "Companies House, read today",
        **more,
    }


async def test_a_person_of_the_market_is_a_director(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    member = await world.person("Dr A", await world.organisation("06F"), Role.COMMISSIONER)
    answer = await keeper.post("/ownership/links", link({"person": str(member.id)}))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["holder_name"], made["subject_name"]) == ("Dr A", "Company 7 Ltd")
    assert (made["in_force"], made["majority"], made["statement"]) == (True, False, None)
    parties = await superuser.fetch("SELECT parties_of_person($1)", member.id)
    assert [str(row[0]) for row in parties] == [made["holder"]]
    again = link({"person": str(member.id)}, kind="shareholding")
    again["share"] = {"minimum": "12", "maximum": "12"}
    second = await keeper.post("/ownership/links", again)
    assert second.json()["holder"] == made["holder"]
    assert (second.json()["share_minimum"], second.json()["share_maximum"]) == ("12", "12")


async def test_a_party_of_the_statements_is_found_by_its_number(world: World) -> None:
    keeper = await registrar(world)
    await send(keeper, [entity(7), person(1), owns("x", "person-1", "entity-7", 51)])
    group = str(await world.organisation("06F"))
    answer = await keeper.post("/ownership/links", link({"organisation": group}))
    shown = await world.public(f"/organisations/{group}/ownership")
    assert [item["id"] for item in shown.json()["items"]] == [answer.json()["id"]]
    parties = await keeper.get("/ownership/parties", params={"words": "00000007"})
    assert [item["id"] for item in parties.json()["items"]] == [answer.json()["subject"]]


async def test_an_organisation_is_a_party_by_its_identifiers(world: World) -> None:
    keeper = await registrar(world)
    code = entity("nhs", identifiers=[{"scheme": "GB-NHS", "id": "06F"}])
    await send(keeper, [code, entity(3), owns("x", "entity-nhs", "entity-3", 100)])
    group = str(await world.organisation("06F"))
    answer = await keeper.post("/ownership/links", link({"organisation": group}))
    shown = (await world.public(f"/organisations/{group}/ownership")).json()["items"]
    assert {item["holder"] for item in shown} == {answer.json()["holder"]}
    assert {item["source"] for item in shown} == {"tests", "Companies House, read today"}


async def test_what_an_organisation_owns_and_who_owns_it_is_public_page_by_page(
    world: World,
) -> None:
    keeper = await registrar(world)
    group = str(await world.organisation("06F"))
    for number in range(3):
        company = {
            "registered": {"scheme": "GB-COH", "identifier": f"{number + 1}", "name": "One Ltd"}
        }
        await keeper.post("/ownership/links", link({"organisation": group}, company))
    first = (await world.public(f"/organisations/{group}/ownership?limit=2")).json()
    rest = (await world.public(f"/organisations/{group}/ownership?cursor={first['next']}")).json()
    assert (len(first["items"]), len(rest["items"])) == (2, 1)
    unknown = await world.public(f"/organisations/{uuid4()}/ownership")
    assert unknown.status_code == 404
    broken = await world.public(f"/organisations/{group}/ownership?cursor=WyJ4Il0")
    assert broken.status_code == 400


async def test_only_the_registrar_states_and_ends_links(world: World) -> None:
    keeper = await registrar(world)
    group = await world.organisation("06F")
    made = await keeper.post("/ownership/links", link({"organisation": str(group)}))
    ending = {"ends_on": "2026-12-01", "source": "a letter"}
    for role in (Role.ADMINISTRATOR, Role.CONFLICTS_GUARDIAN, Role.COMMISSIONER):
        other = await world.person("Ned", group, role)
        answer = await other.post("/ownership/links", link({"organisation": str(group)}))
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-yours-to-state")
        answer = await other.post(f"/ownership/links/{made.json()['id']}/ending", ending)
        assert answer.status_code == 403


async def test_a_link_ends_once_and_may_then_be_stated_anew(world: World) -> None:
    keeper = await registrar(world)
    group = {"organisation": str(await world.organisation("06F"))}
    made = (await keeper.post("/ownership/links", link(group, starts_on="2024-01-01"))).json()
    twice = await keeper.post("/ownership/links", link(group))
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/link-stated-already")
    path = f"/ownership/links/{made['id']}/ending"
    early = await keeper.post(path, {"ends_on": "2023-01-01", "source": "a letter"})
    assert (early.status_code, early.json()["type"]) == (400, "/problems/impossible-link")
    ended = await keeper.post(path, {"ends_on": "2025-01-01", "source": "a letter"})
    assert (ended.json()["ends_on"], ended.json()["in_force"]) == ("2025-01-01", False)
    again = await keeper.post(path, {"ends_on": "2025-06-01", "source": "a letter"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/stays-as-stated")
    assert (await keeper.post("/ownership/links", link(group))).status_code == 201
    unknown = f"/ownership/links/{uuid4()}/ending"
    answer = await keeper.post(unknown, {"ends_on": "2025-06-01", "source": "a letter"})
    assert answer.status_code == 404


async def test_an_imported_link_is_not_ended_by_hand(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    await send(keeper, [entity(1), person(1), owns("x", "person-1", "entity-1")])
    imported = await superuser.fetchval("SELECT id FROM ownership_link")
    answer = await keeper.post(
        f"/ownership/links/{imported}/ending", {"ends_on": "2025-06-01", "source": "a letter"}
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stays-as-stated")


async def test_of_simultaneous_statements_of_one_link_one_is_made(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    group = {"organisation": str(await world.organisation("06F"))}
    answers = await asyncio.gather(
        *(keeper.post("/ownership/links", link(group)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    for table in ("ownership_link", "ownership_party"):
        wanted = 1 if table == "ownership_link" else 2
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == wanted  # noqa: S608  # two constants


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"holder": {}}, "malformed", "holder"),
        ({"holder": {"person": str(UUID(int=1)), "party": str(UUID(int=2))}}, "malformed", ""),
        ({"holder": {"person": str(UUID(int=1))}}, "malformed", "holder.person"),
        ({"holder": {"organisation": str(UUID(int=1))}}, "malformed", "holder.organisation"),
        ({"holder": {"party": str(UUID(int=1))}}, "malformed", "holder.party"),
        ({"holder": {"name": "Dr A"}}, "malformed", "holder.name"),
        ({"subject": {"person": str(UUID(int=1))}}, "impossible-link", "subject.person"),
        (
            {"subject": {"registered": {**COMPANY["registered"], "identifier": "nine"}}},
            "malformed",
            "subject.registered.identifier",
        ),
        ({"share": {"minimum": "1", "maximum": "2"}}, "impossible-link", "share"),
        (
            {"kind": "shareholding", "share": {"minimum": "1", "maximum": "101"}},
            "impossible-link",
            "share",
        ),
        (
            {"kind": "shareholding", "share": {"minimum": "-1", "maximum": "2"}},
            "impossible-link",
            "share",
        ),
        (
            {"kind": "shareholding", "share": {"minimum": "9", "maximum": "2"}},
            "impossible-link",
            "share",
        ),
        ({"share": {"minimum": 1, "maximum": 2}}, "malformed", "share.minimum"),
        ({"kind": "friendship"}, "malformed", "kind"),
        ({"starts_on": "2025-01-01", "ends_on": "2024-01-01"}, "impossible-link", "ends_on"),
        ({"starts_on": "yesterday"}, "malformed", "starts_on"),
        ({"source": " "}, "malformed", "source"),
        ({"source": "a\x00b"}, "malformed", "source"),
        ({"sauce": "x"}, "malformed", "sauce"),
        ({"holder": COMPANY}, "owns-itself", None),
    ],
    ids=range(20),
)
async def test_an_impossible_link_is_told_what_is_wrong(
    world: World, superuser: Any, change: dict[str, Any], kind: str, field: str | None
) -> None:
    keeper = await registrar(world)
    group = {"organisation": str(await world.organisation("06F"))}
    answer = await keeper.post("/ownership/links", link(group) | change)
    assert answer.status_code == (409 if kind == "owns-itself" else 400), answer.text
    assert answer.json()["type"] == f"/problems/{kind}"
    if field:
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await superuser.fetchval("SELECT count(*) FROM ownership_party") == 0


# ----------------------------------------------------------------------------------- who is who


async def _party(world: World, superuser: Any, number: int = 1) -> str:
    await send(await registrar(world), [person(number), entity(number)])
    return str(
        await superuser.fetchval(
            "SELECT id FROM ownership_party WHERE name = $1", f"Person {number}"
        )
    )


async def test_who_somebody_is_is_said_by_themselves_their_guardian_or_the_registrar(
    world: World, superuser: Any
) -> None:
    party = await _party(world, superuser)
    group, other_group = await world.organisation("06F"), await world.organisation("06H")
    member = await world.person("Dr A", group, Role.COMMISSIONER)
    body = {"person": str(member.id), "party": party, "reason": "Her own word."}
    stranger = await world.person("Dr B", group, Role.COMMISSIONER)
    foreign = await world.person("Gus", other_group, Role.CONFLICTS_GUARDIAN)
    for other in (stranger, foreign):
        answer = await other.post("/ownership/people", body)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-yours-to-state")
    keeper = await registrar(world)
    own = await world.person("Gil", group, Role.CONFLICTS_GUARDIAN)
    for somebody in (member, own, keeper):
        answer = await somebody.post("/ownership/people", body)
        assert answer.status_code == 201, answer.text
        match = answer.json()
        assert (match["person_name"], match["party_name"]) == ("Dr A", "Person 1")
        twice = await somebody.post("/ownership/people", body)
        assert (twice.status_code, twice.json()["type"]) == (409, "/problems/matched-already")
        seen = [
            len((await reader.get("/ownership/people")).json()["items"])
            for reader in (member, own, keeper, stranger, foreign)
        ]
        assert seen[3:] == [0, 0]
        assert seen[0] == seen[1] == seen[2] > 0
        withdrawn = await member.delete(f"/ownership/people/{match['id']}")
        assert withdrawn.status_code == 403  # nobody sheds an interest
        assert (await foreign.delete(f"/ownership/people/{match['id']}")).status_code == 403
        assert (await own.delete(f"/ownership/people/{match['id']}")).status_code == 204
        assert (await keeper.delete(f"/ownership/people/{match['id']}")).status_code == 404
    assert await superuser.fetch("SELECT parties_of_person($1)", member.id) == []


async def test_a_match_of_nobody_with_nothing_is_refused(world: World, superuser: Any) -> None:
    party = await _party(world, superuser)
    keeper = await registrar(world)
    body = {"person": str(keeper.id), "party": party, "reason": "Known in person."}
    entity_party = await superuser.fetchval("SELECT id FROM ownership_party WHERE kind = 'entity'")
    for change, status, kind in (
        ({"person": str(uuid4())}, 400, "malformed"),
        ({"party": str(uuid4())}, 400, "malformed"),
        ({"party": str(entity_party)}, 409, "entity-not-person"),
        ({"reason": " "}, 400, "malformed"),
    ):
        answer = await keeper.post("/ownership/people", body | change)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")


async def test_parties_are_found_by_name_and_people_without_their_identifiers(
    world: World,
) -> None:
    held = [{"scheme": "IRL-TAXID", "id": "7700225VH"}]
    await send(await registrar(world), [person(1, identifiers=held), entity(1), entity(2)])
    member = await world.person("Dr A", await world.organisation("06F"), Role.COMMISSIONER)
    page = (await member.get("/ownership/parties", params={"limit": 2})).json()
    rest = (await member.get("/ownership/parties", params={"cursor": page["next"]})).json()
    names = [item["name"] for item in page["items"] + rest["items"]]
    assert names == ["Company 1 Ltd", "Company 2 Ltd", "Person 1"]
    assert page["items"][0]["identifiers"] == ["GB-COH 00000001"]
    assert rest["items"][0]["identifiers"] == []
    secret = await member.get("/ownership/parties", params={"words": "7700225VH"})
    assert secret.json()["items"] == []
    people = await member.get("/ownership/parties", params={"kind": "person", "words": "per"})
    assert [item["name"] for item in people.json()["items"]] == ["Person 1"]
    assert (await world.client.get("/api/v1/ownership/parties")).status_code == 401
