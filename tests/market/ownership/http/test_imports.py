"""Importing statements over HTTP: whole or not at all, by those who may, once."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.ownership import LINES, entity, lines, owns, person, send
from tests.makers.world import Person, World

SAMPLES = Path(__file__).parents[1] / "samples"


async def guardian(world: World) -> Person:
    """The conflicts guardian of a group."""
    return await world.person("Gil Guard", await world.organisation("06F"), Role.CONFLICTS_GUARDIAN)


async def counts(superuser: Any) -> dict[str, int]:
    """How many rows of each kind there are."""
    tables = ("import", "party", "identifier", "reference", "statement", "link")
    return {
        name: await superuser.fetchval(f"SELECT count(*) FROM ownership_{name}")  # noqa: S608  # names of the test's own
        for name in tables
    }


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.json*")), ids=lambda file: file.name)
async def test_published_and_real_statements_are_imported_and_a_second_time_change_nothing(
    world: World, superuser: Any, file: Path
) -> None:
    keeper = await registrar(world)
    media_type = LINES if file.suffix == ".jsonl" else "application/json"
    first = await send(keeper, file.read_bytes(), media_type=media_type)
    assert first.status_code == 201, first.text
    made, before = first.json(), await counts(superuser)
    assert made["statements"] == made["added"] == before["statement"] > 0
    assert (made["parties"], made["links"]) == (before["party"], before["link"])
    again = await send(keeper, file.read_bytes(), media_type=media_type)
    assert again.status_code == 201, again.text
    assert (again.json()["added"], again.json()["links"], again.json()["ended"]) == (0, 0, 0)
    assert await counts(superuser) == before | {"import": 2}


async def test_an_import_is_an_event_with_the_digest_of_the_file(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    answer = await send(keeper, [entity(1)], source="A register, 22 November 2026")
    event = await superuser.fetchrow(
        "SELECT e.person, e.subject::text, v.details->>'source' AS source,"
        " e.details->>'content' AS content FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'ownership.imported'"
    )
    kept = await superuser.fetchval("SELECT encode(content_digest, 'hex') FROM ownership_import")
    assert event["person"] == keeper.id
    assert event["subject"] == answer.json()["id"]
    assert (event["source"], event["content"]) == ("A register, 22 November 2026", kept)


async def test_a_guardian_imports_and_nobody_else(world: World, superuser: Any) -> None:
    assert (await send(await guardian(world), [entity(1)])).status_code == 201
    group = await world.organisation("06F")
    for role in (Role.ADMINISTRATOR, Role.PROCUREMENT_LEAD, Role.AUDITOR, Role.BID_MANAGER):
        answer = await send(await world.person("Ned Nobody", group, role), b"not even JSON")
        assert answer.status_code == 403, role
        assert answer.json()["type"] == "/problems/not-yours-to-state"
    refusals = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'request.refused'"
    )
    assert refusals == 4
    unknown = await world.client.post("/api/v1/ownership/imports?source=x", content=b"[]")
    assert unknown.status_code == 401


async def test_a_file_with_a_fault_imports_nothing_and_names_every_fault(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    wrong = [entity(1), owns("x", "person-1", "entity-1", 101), entity(2, entityType="club")]
    answer = await send(keeper, wrong)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "/problems/unusable-statements"
    assert [error["field"] for error in problem["errors"]] == [
        "[1].interests[0].share",
        "[2].entityType",
    ]
    assert problem["detail"].startswith("[1].interests[0].share: A share cannot be over 100 %.; ")
    many = await send(keeper, [owns(f"x{n}", "p", "e", 101) for n in range(300)])
    assert len(many.json()["errors"]) == 100
    assert many.json()["detail"].endswith("; and 97 more")
    assert set((await counts(superuser)).values()) == {0}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", ""),
        (b"{", "line 1"),
        (b"[", ""),
        (b"[null]", "[0]"),
        (b"\xff\xfe[", ""),
        (b"{}\n{}", "line 1.statementId"),
        (b"[" * 100_000, ""),
        (lines([entity(1, name="a\x00b")]), "line 1"),
        (lines([owns("x", "entity-1", "entity-1")]), "line 1"),
    ],
    ids=range(9),
)
async def test_a_malformed_file_is_one_clear_problem(
    world: World, content: bytes, field: str
) -> None:
    answer = await send(await registrar(world), content)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["reason"].endswith((".", "`", ")")) or answer.json()["detail"]


async def test_a_body_that_is_too_large_or_of_unknown_size_is_not_read(world: World) -> None:
    keeper = await registrar(world)

    async def endless() -> Any:
        yield b"[]"

    answer = await keeper.request(
        "POST",
        "/ownership/imports?source=x",
        content=b" " * (8 * 1024 * 1024 + 1),
        headers={"Content-Type": LINES},
    )
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    answer = await keeper.request(
        "POST",
        "/ownership/imports?source=x",
        content=endless(),
        headers={"Content-Type": LINES},
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "Send the file's Content-Length.")
    answer = await send(keeper, b"a,b", media_type="text/csv")
    assert answer.status_code == 415


@pytest.mark.parametrize("source", ["", " ", "x" * 301, "a\x00b"])
async def test_a_source_is_a_line_of_text(world: World, source: str) -> None:
    answer = await send(await registrar(world), [entity(1)], source=source)
    assert answer.status_code == 400, answer.text


async def test_a_key_imports_once(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    key = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    body = msgspec.json.encode([entity(1)])
    answers = [
        await keeper.request("POST", "/ownership/imports?source=x", content=body, headers=dict(key))
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert (await counts(superuser))["import"] == 1


async def test_two_files_at_once_make_a_company_once(world: World, superuser: Any) -> None:
    """The race: both know a new company, each calls it otherwise."""
    keeper = await registrar(world)
    files = [
        [entity(number) for number in range(1, 30)]
        + [entity(1, statementID=f"again-{turn}"), entity(f"{turn}-own")]
        for turn in range(4)
    ]
    for file, turn in zip(files, range(4), strict=True):
        for statement in file[:29]:
            statement["statementID"] += f"-{turn}"
    answers = await asyncio.gather(*(send(keeper, file) for file in files))
    assert [answer.status_code for answer in answers] == [201] * 4, [a.text for a in answers]
    assert (await counts(superuser))["party"] == 29 + 4
    assert (await counts(superuser))["identifier"] == 29


async def test_unknown_references_are_kept_and_told(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    first = await send(keeper, [owns("x", "person-7", "entity-1")])
    assert first.json()["unresolved_references"] == ["person-7", "entity-1"]
    later = await send(keeper, [entity(1), person(7)])
    assert (later.json()["parties"], later.json()["unresolved"]) == (0, 0)
    rows = await superuser.fetch("SELECT kind, name FROM ownership_party ORDER BY name")
    assert [tuple(row) for row in rows] == [("entity", "Company 1 Ltd"), ("person", "Person 7")]


async def test_parties_that_turn_out_to_be_one_become_one(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    lei = {"scheme": "XI-LEI", "id": "5493001KJTIIGC8Y1R12"}
    only_lei = entity(9, statementID="lei", name="By LEI Ltd", identifiers=[lei])
    await send(keeper, [entity(1), only_lei, owns("x", "person-1", "lei"), person(1)])
    both = entity(1, statementID="both", identifiers=[lei, {"scheme": "GB-COH", "id": "1"}])
    answer = await send(keeper, [both])
    assert (answer.json()["merged"], answer.json()["parties"]) == (1, 0)
    standing = await superuser.fetchval(
        "SELECT id FROM ownership_party WHERE merged_into IS NULL AND kind = 'entity'"
    )
    parties = await superuser.fetch(
        "SELECT DISTINCT party FROM ownership_identifier UNION"
        " SELECT subject FROM ownership_link UNION"
        " SELECT merged_into FROM ownership_party WHERE merged_into IS NOT NULL"
    )
    assert [row["party"] for row in parties] == [standing]


async def test_parties_that_are_linked_do_not_become_one(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    await send(keeper, [entity(1), entity(2), owns("x", "entity-1", "entity-2")])
    before = await counts(superuser)
    held = [{"scheme": "GB-COH", "id": number} for number in ("1", "2")]
    answer = await send(keeper, [entity(1, statementID="both", identifiers=held)])
    assert answer.status_code == 400
    assert "would be one and the same" in answer.json()["detail"]
    assert await counts(superuser) == before


async def test_a_newer_statement_ends_the_links_of_the_older(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    content = msgspec.json.decode((SAMPLES / "tecido.json").read_bytes())
    for number in range(1, len(content) + 1):  # as a register gives them out, one after the other
        answer = await send(keeper, content[number - 1 : number])
        assert answer.status_code == 201, answer.text
    rows = await superuser.fetch(
        "SELECT h.name, l.share_maximum::int AS share FROM ownership_link l"
        " JOIN ownership_party h ON h.id = l.holder WHERE l.kind = 'shareholding'"
        " AND l.superseded_at IS NULL AND l.ends_on IS NULL"
    )
    assert [tuple(row) for row in rows] == [("Shear Trust", 80)]
    together = await superuser.fetchval(
        "SELECT count(*) FROM ownership_link WHERE superseded_at IS NOT NULL"
    )
    assert together > 5


async def test_a_statement_that_was_replaced_before_it_came_makes_no_link_in_force(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    newer = owns("new", "person-1", "entity-1", 20, replacesStatements=["old"])
    await send(keeper, [entity(1), person(1), newer])
    await send(keeper, [owns("old", "person-1", "entity-1", 80)])
    rows = await superuser.fetch(
        "SELECT share_maximum::int AS share FROM ownership_link WHERE superseded_at IS NULL"
    )
    assert [row["share"] for row in rows] == [20]
    renewed = owns("newest", "person-1", "entity-1", 10, replacesStatements=["new"])
    assert (await send(keeper, [renewed])).json()["ended"] == 1


async def test_more_than_all_shares_is_a_warning(world: World) -> None:
    keeper = await registrar(world)
    held = [owns(f"x{n}", f"person-{n}", "entity-1", 60) for n in (1, 2)]
    answer = await send(keeper, [entity(1), person(1), person(2), *held])
    assert answer.status_code == 201
    assert answer.json()["warnings"] == ["Company 1 Ltd: 120 % of its shares are held"]


async def test_other_content_under_a_known_id_is_refused(world: World) -> None:
    keeper = await registrar(world)
    await send(keeper, [entity(1)])
    answer = await send(keeper, [entity(1, name="Other Ltd")])
    assert answer.status_code == 400
    assert "was imported before, with other content" in answer.json()["detail"]


async def test_imports_are_listed_page_by_page_to_those_concerned(world: World) -> None:
    keeper = await registrar(world)
    for number in range(3):
        await send(keeper, [entity(number + 1)], source=f"file {number}")
    page = await keeper.get("/ownership/imports", params={"limit": 2})
    assert [item["source"] for item in page.json()["items"]] == ["file 2", "file 1"]
    rest = await keeper.get("/ownership/imports", params={"cursor": page.json()["next"]})
    assert [item["source"] for item in rest.json()["items"]] == ["file 0"]
    assert "next" not in rest.json() or rest.json()["next"] is None
    member = await world.person("Mia", await world.organisation("06F"), Role.COMMISSIONER)
    assert (await member.get("/ownership/imports")).status_code == 403
    for cursor in ("x", "WyJ4IiwieSJd", "WyJ4Il0"):
        answer = await keeper.get("/ownership/imports", params={"cursor": cursor})
        assert answer.status_code == 400
