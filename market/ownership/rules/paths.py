"""Paths from one party to another over what links them, each told as one sentence."""

import heapq
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from msgspec import Struct

from market.money import display, plain_text

MOST_LINKS = 6
"""How many links a path has at most, unless it is asked for otherwise."""
MOST_PATHS = 50
"""How many paths are given from the starts to one target, the first of them in their order."""


class Node(Struct, frozen=True):
    """Somebody on a path: a party, a person of the market, a bidder. The name as it is given."""

    id: UUID
    name: str
    is_person: bool = False


class Step(Struct, frozen=True, kw_only=True):
    """What links two: a share, a directorship, employment, a subcontract.

    `forward` says it from source to target ("owns 12 % of"), `backward` the other way round ("is
    12 % owned by"). `strength` is the upper bound of a share, as a part of one, and 1 for control,
    directorship, employment, association. `summary`: other steps say the same in detail.
    """

    source: Node
    target: Node
    forward: str
    backward: str
    strength: Fraction
    kind: str
    summary: bool = False


class Start(Struct, frozen=True):
    """Where paths begin: a party, or somebody whom a step leads from to that party."""

    party: Node
    introduction: Step | None = None

    @property
    def first(self) -> Node:
        """Whom the path begins with."""
        return self.party if self.introduction is None else self.introduction.source


class Target(Struct, frozen=True):
    """Where paths end: a party, or somebody whom a step leads to from that party."""

    party: Node
    closing: Step | None = None

    @property
    def last(self) -> Node:
        """Whom the path ends with."""
        return self.party if self.closing is None else self.closing.target


class Found(Struct, frozen=True, kw_only=True):
    """One path. `links` counts the steps between the two parties, without introduction and closing.

    `strength` is that of the weakest of all its steps, or 1 where there is none.
    """

    start: UUID
    target: UUID
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    links: int
    strength: Fraction

    @property
    def sentence(self) -> str:
        """The path as one sentence, without its full stop."""
        return say(self.nodes, self.steps)

    @property
    def percent(self) -> str:
        """The strength in per cent as decimal text, rounded to six decimals for display alone."""
        return plain_text(Decimal(display(self.strength * 100, 6)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its steps, in order."""
        return tuple(step.kind for step in self.steps)


def worth_following(pairs: Sequence[tuple[UUID, UUID]], ends: Collection[UUID]) -> list[int]:
    """Say which links, given as the pairs of their parties, do not only lead into dead ends.

    Thousands of holdings of one investor are neighbours of a path and no part of it. Whoever has
    but one neighbour, and is no end, is left out, until nobody is.
    """
    neighbours: dict[UUID, set[UUID]] = defaultdict(set)
    for one, other in pairs:
        neighbours[one].add(other)
        neighbours[other].add(one)
    waiting = [party for party, near in neighbours.items() if len(near) == 1 and party not in ends]
    gone: set[UUID] = set()
    while waiting:
        party = waiting.pop()
        gone.add(party)
        for other in neighbours[party]:
            near = neighbours[other]
            near.discard(party)
            if len(near) == 1 and other not in ends and other not in gone:
                waiting.append(other)
    return [
        place for place, (one, other) in enumerate(pairs) if one not in gone and other not in gone
    ]


_Neighbours = Mapping[UUID, Mapping[UUID, Step]]


def find_paths(
    steps: Iterable[Step],
    starts: Sequence[Start],
    targets: Sequence[Target],
    most_links: int = MOST_LINKS,
    most_paths: int = MOST_PATHS,
) -> list[Found]:
    """Find every path from a start to a target of at most so many links, in either direction.

    No path meets anybody twice, so a cycle is no trouble. Shortest first, then strongest, then by
    the ids on it, so that the order of the steps does not matter; at most `most_paths` to each
    target. Of several steps between the same two the strongest is taken. A path over a summary
    is given only where there is none without one between the same start and target: otherwise
    one interest would be counted twice.
    """
    every = list(steps)
    plain = _neighbours(step for step in every if not step.summary)
    whole = _neighbours(every)
    found: list[Found] = []
    for target in targets:
        distances = _distances(plain, target.party.id, most_links)
        near = [start for start in starts if start.party.id in distances]
        far = [start for start in starts if start.party.id not in distances]
        paths = _cut(_search(plain, near, target, distances, most_links), most_paths)
        if far:
            distances = _distances(whole, target.party.id, most_links)
            far = [start for start in far if start.party.id in distances]
            paths += _cut(_search(whole, far, target, distances, most_links), most_paths)
        found += sorted(paths, key=_order)[:most_paths]
    return sorted(found, key=_order)


def _cut(paths: Iterator[Found], most: int) -> list[Found]:
    return [path for _, path in zip(range(most), paths, strict=False)]


def _order(path: Found) -> tuple[int, Fraction, tuple[UUID, ...], str]:
    return path.links, -path.strength, tuple(node.id for node in path.nodes), path.sentence


def _rank(step: Step) -> tuple[Fraction, str, str, str]:
    return -step.strength, step.kind, step.forward, str(step.source.id)


def _neighbours(steps: Iterable[Step]) -> _Neighbours:
    """Who is linked to whom, both ways, by the strongest step between the two."""
    found: dict[UUID, dict[UUID, Step]] = defaultdict(dict)
    for step in steps:
        source, target = step.source.id, step.target.id
        if source == target:
            continue
        before = found[source].get(target)
        if before is None or _rank(step) < _rank(before):
            found[source][target] = step
            found[target][source] = step
    return found


def _distances(neighbours: _Neighbours, target: UUID, most_links: int) -> dict[UUID, int]:
    """How many links everybody near the target is away from it at least."""
    distances = {target: 0}
    waiting = deque([target])
    while waiting:
        party = waiting.popleft()
        if distances[party] == most_links:
            continue
        for other in neighbours.get(party, ()):
            if other not in distances:
                distances[other] = distances[party] + 1
                waiting.append(other)
    return distances


class _Partial(Struct, frozen=True, gc=False):
    """A path on its way: whom it passed, by which steps, and its weakest step's place."""

    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    links: int
    weakest: int


def _places(steps: Iterable[Step]) -> dict[Fraction, int]:
    """The place of each strength among all, 0 for the strongest: quicker to compare, as exact."""
    strengths = {step.strength for step in steps} | {Fraction(1)}
    return {strength: place for place, strength in enumerate(sorted(strengths, reverse=True))}


def _search(
    neighbours: _Neighbours,
    starts: Sequence[Start],
    target: Target,
    distances: Mapping[UUID, int],
    most_links: int,
) -> Iterator[Found]:
    """Give the paths to one target in their order, best first (A*).

    What is left of a path is at least the distance, and never makes it stronger; so whatever
    comes off the heap complete is the next of all paths.
    """
    introductions = [start.introduction for start in starts if start.introduction is not None]
    places = _places(
        [*introductions, *(step for near in neighbours.values() for step in near.values())]
    )
    heap: list[tuple[int, int, tuple[UUID, ...], int, _Partial]] = []
    made = 0

    def push(partial: _Partial) -> None:
        nonlocal made
        made += 1
        length = partial.links + distances[partial.nodes[-1].id]
        ids = tuple(node.id for node in partial.nodes)
        heapq.heappush(heap, (length, partial.weakest, ids, made, partial))

    for start in sorted(starts, key=_rank_of_start):
        step = start.introduction
        if step is None:
            push(_Partial((start.party,), (), 0, 0))
        elif step.source.id != start.party.id:
            push(_Partial((step.source, start.party), (step,), 0, places[step.strength]))
    while heap:
        partial = heapq.heappop(heap)[-1]
        party = partial.nodes[-1]
        if party.id == target.party.id:
            complete = _closed(partial, target.closing)
            if complete is not None:
                yield complete
            continue
        met = {node.id for node in partial.nodes}
        for other, step in neighbours.get(party.id, {}).items():
            left = distances.get(other)
            if other in met or left is None or partial.links + 1 + left > most_links:
                continue
            node = step.target if step.target.id == other else step.source
            push(
                _Partial(
                    (*partial.nodes, node),
                    (*partial.steps, step),
                    partial.links + 1,
                    max(partial.weakest, places[step.strength]),
                )
            )


def _rank_of_start(start: Start) -> tuple[UUID, str]:
    return start.party.id, "" if start.introduction is None else start.introduction.forward


def _closed(partial: _Partial, closing: Step | None) -> Found | None:
    """Put the closing step behind a path, unless it leads back to somebody on it."""
    nodes, steps = partial.nodes, partial.steps
    if closing is not None:
        if any(node.id == closing.target.id for node in nodes):
            return None
        nodes, steps = (*nodes, closing.target), (*steps, closing)
    return Found(
        start=nodes[0].id,
        target=nodes[-1].id,
        nodes=nodes,
        steps=steps,
        links=partial.links,
        strength=min((step.strength for step in steps), default=Fraction(1)),
    )


def say(nodes: Sequence[Node], steps: Sequence[Step]) -> str:
    """Tell a path: "Dr A owns 12 % of B Ltd, which owns 40 % of C Ltd"; people are "who"."""
    parts = [nodes[0].name]
    for place, (node, step) in enumerate(zip(nodes[1:], steps, strict=True)):
        before = nodes[place]
        phrase = step.backward if step.source.id == node.id else step.forward
        joint = "" if place == 0 else ", who" if before.is_person else ", which"
        parts.append(f"{joint} {phrase} {node.name}")
    return "".join(parts)
