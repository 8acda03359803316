"""Paths: simple, bounded, in their order, told in words; whatever the graph."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from market.ownership.rules.links import LinkKind, Share, strength_of, words_for
from market.ownership.rules.paths import (
    Found,
    Node,
    Start,
    Step,
    Target,
    find_paths,
    worth_following,
)

_NAMES = ("Ada", "Bec", "Cid", "Dov", "Eve", "Fay", "Gus")


def node(number: int) -> Node:
    """One of the parties, by its number."""
    return Node(UUID(int=number + 1), _NAMES[number])


def step(source: int, target: int, percent: int = 100, *, summary: bool = False) -> Step:
    """The source owns so much of the target."""
    return Step(
        source=node(source),
        target=node(target),
        forward=f"owns {percent} % of",
        backward=f"is {percent} % owned by",
        strength=Fraction(percent, 100),
        kind="shareholding",
        summary=summary,
    )


def found(
    steps: list[Step], start: int, target: int, links: int = 6, paths: int = 50
) -> list[Found]:
    """The paths between two parties."""
    return find_paths(steps, [Start(node(start))], [Target(node(target))], links, paths)


def test_a_path_is_told_as_the_issue_tells_it() -> None:
    person = Node(UUID(int=90), "Dr A", is_person=True)
    company, holding = Node(UUID(int=91), "B Ltd"), Node(UUID(int=92), "C Ltd")
    bidder = Node(UUID(int=93), "D")
    twelve, forty = (Share(minimum=amount, maximum=amount) for amount in (Decimal(12), Decimal(40)))
    first = words_for(LinkKind.SHAREHOLDING, twelve)
    second = words_for(LinkKind.SHAREHOLDING, forty)
    start = Start(
        company,
        Step(
            source=person,
            target=company,
            forward=first.forward,
            backward=first.backward,
            strength=strength_of(LinkKind.SHAREHOLDING, twelve),
            kind="shareholding",
        ),
    )
    link = Step(
        source=company,
        target=holding,
        forward=second.forward,
        backward=second.backward,
        strength=strength_of(LinkKind.SHAREHOLDING, forty),
        kind="shareholding",
    )
    closing = Step(
        source=holding,
        target=bidder,
        forward="is a subcontractor of",
        backward="has as a subcontractor",
        strength=Fraction(1),
        kind="subcontractor",
    )
    (path,) = find_paths([link], [start], [Target(holding, closing)])
    assert path.sentence == (
        "Dr A owns 12 % of B Ltd, which owns 40 % of C Ltd, which is a subcontractor of D"
    )
    assert (path.percent, path.links) == ("12", 1)
    assert path.kinds == ("shareholding", "shareholding", "subcontractor")
    assert (path.start, path.target) == (person.id, bidder.id)


def test_backwards_a_link_is_told_the_other_way_round() -> None:
    (path,) = found([step(1, 0, 40), step(1, 2, 25)], 0, 2)
    assert path.sentence == "Ada is 40 % owned by Bec, which owns 25 % of Cid"
    assert path.strength == Fraction(1, 4)


def test_people_are_who_and_not_which() -> None:
    person = Node(UUID(int=50), "Dr P", is_person=True)
    owns = [
        Step(
            source=person,
            target=node(number),
            forward="directs",
            backward="is directed by",
            strength=Fraction(1),
            kind="directorship",
        )
        for number in (0, 1)
    ]
    (path,) = found(owns, 0, 1)
    assert path.sentence == "Ada is directed by Dr P, who directs Bec"


def test_a_party_that_is_the_target_itself_is_a_path_of_no_links() -> None:
    (path,) = found([], 0, 0)
    assert (path.sentence, path.links, path.percent, path.steps) == ("Ada", 0, "100", ())


def test_a_cycle_never_loops() -> None:
    circle = [step(0, 1), step(1, 2), step(2, 0), step(2, 3)]
    assert [path.sentence for path in found(circle, 0, 3)] == [
        "Ada is 100 % owned by Cid, which owns 100 % of Dov",
        "Ada owns 100 % of Bec, which owns 100 % of Cid, which owns 100 % of Dov",
    ]


def test_one_interest_is_not_counted_twice() -> None:
    """The components say step by step what the summary says at once."""
    told = [step(0, 1, 60), step(1, 2, 50), step(0, 2, 30, summary=True)]
    (path,) = found(told, 0, 2)
    assert path.links == 2


def test_a_summary_is_a_path_where_its_components_are_none() -> None:
    told = [step(1, 2, 50), step(0, 2, 30, summary=True)]
    (path,) = found(told, 0, 2)
    assert (path.links, path.percent) == (1, "30")


def test_of_two_links_between_the_same_parties_the_stronger_counts() -> None:
    (path,) = found([step(0, 1, 20), step(0, 1, 80), step(1, 0, 50)], 0, 1)
    assert path.percent == "80"


def test_a_closing_step_leads_back_to_nobody_on_the_path() -> None:
    closing = step(1, 0)
    assert find_paths([step(0, 1)], [Start(node(0))], [Target(node(1), closing)]) == []


def test_at_most_so_many_paths_to_each_target() -> None:
    every = [step(a, b) for a in range(7) for b in range(a)]
    assert len(found(every, 0, 6)) == 50
    both = find_paths(every, [Start(node(0))], [Target(node(5)), Target(node(6))], 6, 3)
    assert [path.target for path in both].count(node(5).id) == 3
    assert len(both) == 6


# -------------------------------------------------------------------------------------- properties

_STEPS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 100)).filter(
        lambda edge: edge[0] != edge[1]
    ),
    max_size=14,
).map(lambda edges: [step(*edge) for edge in edges])


def _brute(steps: list[Step], start: int, target: int, most: int) -> list[tuple[UUID, ...]]:
    """Every simple path, by trying every order of the parties between."""
    strongest: dict[frozenset[UUID], Fraction] = {}
    for one in steps:
        pair = frozenset({one.source.id, one.target.id})
        strongest[pair] = max(strongest.get(pair, Fraction(0)), one.strength)
    ends = [node(start).id, node(target).id]
    if start == target:
        return [(ends[0],)]
    between = [node(number).id for number in range(7) if number not in {start, target}]
    paths = []
    for count in range(most):
        for inner in permutations(between, count):
            ids = (ends[0], *inner, ends[1])
            pairs = [frozenset(pair) for pair in pairwise(ids)]
            if all(pair in strongest for pair in pairs):
                paths.append((len(pairs), -min(strongest[pair] for pair in pairs), ids))
    return [ids for _, _, ids in sorted(paths)]


@given(_STEPS, st.integers(0, 6), st.integers(0, 6), st.integers(1, 6))
def test_exactly_the_simple_paths_are_found_in_their_order(
    steps: list[Step], start: int, target: int, most: int
) -> None:
    paths = found(steps, start, target, most, 10_000)
    assert [tuple(one.id for one in path.nodes) for path in paths] == _brute(
        steps, start, target, most
    )


@given(_STEPS, st.integers(0, 6), st.integers(0, 6))
def test_a_path_is_simple_bounded_as_strong_as_its_weakest_and_names_everybody_once(
    steps: list[Step], start: int, target: int
) -> None:
    for path in found(steps, start, target):
        assert len({one.id for one in path.nodes}) == len(path.nodes) == len(path.steps) + 1
        assert path.links == len(path.steps) <= 6
        assert path.strength == min((one.strength for one in path.steps), default=1)
        assert all(path.sentence.count(one.name) == 1 for one in path.nodes)


@given(_STEPS, st.randoms())
def test_the_order_of_the_links_does_not_matter(steps: list[Step], random: object) -> None:
    shuffled = list(steps)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert found(steps, 0, 6, paths=5) == found(shuffled, 0, 6, paths=5)


@given(_STEPS, st.integers(0, 6), st.integers(0, 6))
def test_links_into_dead_ends_are_on_no_path(steps: list[Step], start: int, target: int) -> None:
    pairs = [(one.source.id, one.target.id) for one in steps]
    kept = worth_following(pairs, {node(start).id, node(target).id})
    fewer = [steps[place] for place in kept]
    assert found(fewer, start, target) == found(steps, start, target)


@given(_STEPS)
def test_the_first_path_is_the_shortest(steps: list[Step]) -> None:
    paths = found(steps, 0, 6)
    assert [path.links for path in paths] == sorted(path.links for path in paths)
