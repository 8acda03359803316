"""A hundred thousand statements: imported, asked about, told; prints how long it took (-s)."""

import random
import statistics
import sys
import time
from collections import defaultdict, deque
from uuid import UUID

import pytest
from msgspec import Struct

from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.ownership.commands import import_statements
from market.ownership.queries import paths_between
from market.ownership.rules.paths import Node, Start, Target
from tests.makers.ownership import lines, register

COUNT = 100_000
ROUNDS = 200
_LARGEST = 256 * 1024 * 1024

# what a recursive query would do, for comparison: it visits a party once for each number of links
_RECURSIVE = """
WITH RECURSIVE reached(party, links) AS (
    SELECT unnest($1::uuid[]), 0
    UNION
    SELECT n.party, r.links + 1 FROM reached r
    CROSS JOIN LATERAL (
        SELECT subject FROM ownership_link WHERE holder = r.party AND superseded_at IS NULL
        UNION ALL
        SELECT holder FROM ownership_link WHERE subject = r.party AND superseded_at IS NULL
    ) AS n(party)
    WHERE r.links < $3
)
SELECT count(DISTINCT party) FROM reached WHERE party = ANY ($2::uuid[])
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _figures(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    middle, late = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    _say(f"{name}: median {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms, of {len(times)}")


def _reach(edges: dict[UUID, set[UUID]], starts: list[UUID], links: int) -> set[UUID]:
    seen, waiting = set(starts), deque((start, 0) for start in starts)
    while waiting:
        party, depth = waiting.popleft()
        for other in edges[party] if depth < links else ():
            if other not in seen:
                seen.add(other)
                waiting.append((other, depth + 1))
    return seen


class _Edge(Struct, frozen=True):
    holder: UUID
    subject: UUID


@pytest.mark.usefixtures("world")
async def test_a_hundred_thousand_statements() -> None:
    began = time.perf_counter()
    content = lines(register(COUNT))
    _say(f"\nmade {len(content) / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    made = await import_statements(Actor(), content, "a register", most_bytes=_LARGEST)
    took = time.perf_counter() - began
    _say(f"imported {made.statements} statements, {made.links} links, in {took:.1f} s")
    began = time.perf_counter()
    again = await import_statements(Actor(), content, "a register", most_bytes=_LARGEST)
    _say(f"imported the same again in {time.perf_counter() - began:.1f} s")
    assert (again.added, again.links, again.parties) == (0, 0, 0)
    async with reading(Actor()):
        links = await fetch(_Edge, "SELECT holder, subject FROM ownership_link")
    edges: dict[UUID, set[UUID]] = defaultdict(set)
    for link in links:
        edges[link.holder].add(link.subject)
        edges[link.subject].add(link.holder)
    hubs = sorted(edges, key=lambda party: -len(edges[party]))[:5]
    _say(f"parties {len(edges)}, the largest hubs have {[len(edges[hub]) for hub in hubs]} links")
    everybody = sorted(edges)
    chance = random.Random(2)  # noqa: S311  # data for tests
    for name, special in (("anybody", []), ("next to a hub", hubs)):
        walked, told, recursive, reached = [], [], [], 0
        for turn in range(ROUNDS):
            starts = chance.sample(everybody, 5)
            targets = chance.sample(everybody, 10)
            if special:
                starts[0] = chance.choice(sorted(edges[special[turn % len(special)]]))
            async with reading(Actor()):
                began = time.perf_counter()
                connected = await fetch_value(
                    "SELECT array_agg(c) FROM connected_parties($1, $2, 6) AS c", starts, targets
                )
                walked.append(time.perf_counter() - began)
                found = set(connected or ())
                began = time.perf_counter()
                paths = await paths_between(
                    [Start(Node(party, str(party))) for party in starts],
                    [Target(Node(party, str(party))) for party in targets],
                )
                told.append(time.perf_counter() - began)
                if turn < 10:
                    began = time.perf_counter()
                    count = await fetch_value(_RECURSIVE, starts, targets, 6)
                    recursive.append(time.perf_counter() - began)
                    assert count == len(found)
            assert found == _reach(edges, starts, 6) & set(targets)
            assert {path.target for path in paths} == found
            reached += len(found)
        _say(f"{name}: {reached} of {ROUNDS * 10} targets reached")
        _figures("  connected_parties, 5 parties to 10 targets", walked)
        _figures("  the same by a recursive query", recursive)
        _figures("  paths_between", told)
    began = time.perf_counter()
    async with reading(Actor()):
        group = await fetch_value("SELECT count(*) FROM group_parties($1)", hubs)
    _say(f"group_parties of the hubs: {group} in {(time.perf_counter() - began) * 1000:.1f} ms")
