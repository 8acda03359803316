"""The graph as the database answers about it: reachability, groups, the links of paths."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.actor import Actor
from market.database import reading
from market.ownership.commands import import_statements
from market.ownership.queries import paths_between
from market.ownership.rules.paths import Node, Start, Step, Target, find_paths
from tests.makers.clock import advance_to, registrar
from tests.makers.ownership import entity, lines, owns, person, send
from tests.makers.world import World

pytestmark = pytest.mark.usefixtures("world")


async def load(statements: list[dict[str, Any]]) -> None:
    """Import statements as the command line does."""
    await import_statements(Actor(), lines(statements), "tests", most_bytes=10**7)


async def parties(connection: Any) -> dict[str, UUID]:
    """The parties by what their statements are called."""
    rows = await connection.fetch("SELECT reference, party FROM ownership_reference")
    return {row["reference"]: row["party"] for row in rows}


async def connected(connection: Any, starts: list[UUID], ends: list[UUID], links: int) -> set[UUID]:
    """Who of the ends is connected to the starts."""
    rows = await connection.fetch("SELECT connected_parties($1, $2, $3)", starts, ends, links)
    assert len(rows) == len({row[0] for row in rows})
    return {row[0] for row in rows}


def node(party: UUID, name: str = "x") -> Node:
    """A party on a path."""
    return Node(party, name)


@pytest.mark.parametrize("seed", range(6))
async def test_the_database_and_the_rules_reach_the_same_parties(app_role: Any, seed: int) -> None:
    """Random graphs: asked for reachability, for links and for paths, one answer."""
    chance = random.Random(seed)  # noqa: S311  # data for tests
    names = [f"entity-{number}" for number in range(1, 19)]
    made = [entity(number) for number in range(1, 19)]
    for number in range(chance.choice((14, 20, 30))):
        holder, subject = chance.sample(names, 2)
        made.append(owns(f"x{number}", holder, subject, chance.randint(1, 100)))
    await load(made)
    known = await parties(app_role)
    rows = await app_role.fetch("SELECT holder, subject, share_maximum FROM ownership_link")
    steps = [
        Step(
            source=node(row["holder"]),
            target=node(row["subject"]),
            forward="owns",
            backward="is owned by",
            strength=Fraction(row["share_maximum"]) / 100,
            kind="shareholding",
        )
        for row in rows
    ]
    for _ in range(12):
        starts = [known[name] for name in chance.sample(names, 2)]
        ends = [known[name] for name in chance.sample(names, 4)]
        most = chance.randint(0, 6)
        by_rules = find_paths(
            steps, [Start(node(one)) for one in starts], [Target(node(one)) for one in ends], most
        )
        assert await connected(app_role, starts, ends, most) == {one.target for one in by_rules}
        async with reading(Actor()):
            told = await paths_between(
                [Start(node(one)) for one in starts], [Target(node(one)) for one in ends], most
            )
        assert [(one.start, one.target, one.links, one.strength) for one in told] == [
            (one.start, one.target, one.links, one.percent) for one in by_rules
        ]


async def test_a_party_is_connected_to_itself_and_an_organisation_is_a_node(
    world: World, app_role: Any
) -> None:
    group = await world.organisation("06F")
    assert await connected(app_role, [group], [group, uuid4()], 0) == {group}
    assert await connected(app_role, [], [group], 6) == set()
    assert await connected(app_role, [group], [], 6) == set()
    rows = await app_role.fetch("SELECT parties_of_organisation($1)", group)
    assert [row[0] for row in rows] == [group]


async def test_an_organisation_is_every_party_with_one_of_its_identifiers(
    world: World, app_role: Any
) -> None:
    group = await world.organisation("06F")
    code = entity("nhs", identifiers=[{"scheme": "GB-NHS", "id": "06F"}])
    await load([code, person(1), owns("x", "person-1", "entity-nhs", 1)])
    known = await parties(app_role)
    rows = await app_role.fetch("SELECT parties_of_organisation($1)", group)
    assert {row[0] for row in rows} == {group, known["entity-nhs"]}
    rows = await app_role.fetch("SELECT parties_of_identifier('GB-NHS', '06F')")
    assert [row[0] for row in rows] == [known["entity-nhs"]]


async def test_only_links_in_force_today_connect(world: World, app_role: Any) -> None:
    today = datetime.now(UTC).date()
    dated = {
        "running": {"startDate": str(today), "endDate": str(today + timedelta(days=10))},
        "future": {"startDate": str(today + timedelta(days=5))},
        "past": {"endDate": str(today)},
        "timeless": {},
    }
    await load(
        [
            entity(1),
            *(person(name) for name in dated),
            *(
                owns(
                    f"x-{name}",
                    f"person-{name}",
                    "entity-1",
                    interests=[{"type": "shareholding", **days}],
                )
                for name, days in dated.items()
            ),
        ]
    )
    known = await parties(app_role)
    people = {name: known[f"person-{name}"] for name in dated}

    async def now() -> set[str]:
        found = await connected(app_role, [known["entity-1"]], list(people.values()), 6)
        return {name for name, party in people.items() if party in found}

    assert await now() == {"running", "timeless"}
    await advance_to(world, datetime.now(UTC) + timedelta(days=6))
    assert await now() == {"running", "timeless", "future"}
    await advance_to(world, datetime.now(UTC) + timedelta(days=11))
    assert await now() == {"timeless", "future"}


async def test_superseded_statements_connect_nobody(app_role: Any) -> None:
    await load([entity(1), person(1), owns("x", "person-1", "entity-1")])
    known = await parties(app_role)
    ends = [known["person-1"]]
    assert await connected(app_role, [known["entity-1"]], ends, 6) == set(ends)
    await load([owns("y", "person-2", "entity-1", replacesStatements=["x"])])
    assert await connected(app_role, [known["entity-1"]], ends, 6) == set()


async def test_merged_parties_are_still_found_by_what_they_were(app_role: Any) -> None:
    lei = {"scheme": "XI-LEI", "id": "5493001KJTIIGC8Y1R12"}
    await load(
        [entity(1), entity(2, identifiers=[lei]), person(1), owns("x", "person-1", "entity-2")]
    )
    before = await parties(app_role)
    await load([entity(1, statementID="both", identifiers=[lei, {"scheme": "GB-COH", "id": "1"}])])
    for name in ("entity-1", "entity-2"):
        found = await connected(app_role, [before["person-1"]], [before[name]], 1)
        assert found == {before[name]}
        async with reading(Actor()):
            (path,) = await paths_between(
                [Start(Node(before["person-1"], "Person 1", is_person=True))],
                [Target(node(before[name]))],
            )
        assert path.sentence == "Person 1 owns 100 % of Company 1 Ltd"


async def test_a_group_is_parents_and_all_their_subsidiaries_by_majority(app_role: Any) -> None:
    """Section 1159 of the Companies Act 2006; entity 1 is what is asked about."""
    await load(
        [
            *(entity(number) for number in range(1, 10)),
            person(1),
            owns("a", "entity-2", "entity-1", 51),  # its parent
            owns("b", "entity-3", "entity-2", 100),  # the parent's parent
            owns("c", "entity-3", "entity-4", 75),  # a sister of the parent
            owns("d", "entity-4", "entity-5", 60),  # the sister's subsidiary
            owns("e", "entity-1", "entity-6", 50),  # half is no majority
            owns("f", "entity-7", "entity-4", 25),  # a minority in the group
            owns("g", "person-1", "entity-3", 90),  # whom the group belongs to
            owns("h", "person-1", "entity-8", 100),  # what else they own is another group
            owns("i", "entity-1", "entity-9", None, interests=[{"type": "appointment-of-board"}]),
        ]
    )
    known = await parties(app_role)
    rows = await app_role.fetch("SELECT group_parties($1)", [known["entity-1"]])
    names = {row[0] for row in rows}
    expected = ["entity-1", "entity-2", "entity-3", "entity-4", "entity-5", "entity-9", "person-1"]
    assert names == {known[name] for name in expected}
    rows = await app_role.fetch("SELECT group_parties($1)", [known["person-1"]])
    assert known["entity-8"] in {row[0] for row in rows}


async def test_a_circle_of_parents_is_a_group(app_role: Any) -> None:
    circle = [owns(f"x{n}", f"entity-{n}", f"entity-{n % 3 + 1}", 60) for n in (1, 2, 3)]
    await load([*(entity(number) for number in (1, 2, 3)), *circle])
    known = await parties(app_role)
    rows = await app_role.fetch("SELECT group_parties($1)", [known["entity-1"]])
    assert {row[0] for row in rows} == set(known.values())


async def test_a_chain_longer_than_asked_for_connects_nobody(app_role: Any) -> None:
    chain = [owns(f"x{n}", f"entity-{n}", f"entity-{n + 1}") for n in range(1, 8)]
    await load([*(entity(number) for number in range(1, 9)), *chain])
    known = await parties(app_role)
    start, end = [known["entity-1"]], [known["entity-8"]]
    assert await connected(app_role, start, end, 6) == set()
    assert await connected(app_role, start, end, 7) == set(end)


async def test_the_issue_s_sentence_out_of_statements(app_role: Any) -> None:
    names = {1: "B Ltd", 2: "C Ltd"}
    await load(
        [
            *(entity(number, name=name) for number, name in names.items()),
            owns("y", "entity-1", "entity-2", 40),
        ]
    )
    known = await parties(app_role)
    b, c = node(known["entity-1"], "B Ltd"), node(known["entity-2"], "C Ltd")
    person_a, bidder = Node(uuid4(), "Dr A", is_person=True), node(uuid4(), "D")
    introduction = Step(
        source=person_a,
        target=b,
        forward="owns 12 % of",
        backward="is 12 % owned by",
        strength=Fraction(12, 100),
        kind="financial",
    )
    closing = Step(
        source=c,
        target=bidder,
        forward="is a subcontractor of",
        backward="has as a subcontractor",
        strength=Fraction(1),
        kind="subcontractor",
    )
    async with reading(Actor()):
        (path,) = await paths_between([Start(b, introduction)], [Target(c, closing)])
    assert path.sentence == (
        "Dr A owns 12 % of B Ltd, which owns 40 % of C Ltd, which is a subcontractor of D"
    )
    assert (path.strength, path.links, path.target) == ("12", 1, bidder.id)
    assert path.kinds == ["financial", "shareholding", "subcontractor"]


async def test_an_indirect_interest_is_told_by_its_components_once(
    world: World, app_role: Any
) -> None:
    sample = Path(__file__).parents[1] / "samples" / "indirect-ownership.json"
    answer = await send(await registrar(world), sample.read_bytes(), media_type="application/json")
    assert answer.status_code == 201
    rows = await app_role.fetch("SELECT id, name FROM ownership_party")
    ids = {row["name"]: row["id"] for row in rows}
    async with reading(Actor()):
        paths = await paths_between(
            [Start(node(ids["Person 1"], "Person 1"))], [Target(node(ids["Company A"]))]
        )
    assert [path.sentence for path in paths] == [
        "Person 1 has an interest of unknown kind in Company B, which owns 60 % of Company A"
    ]
