"""Which of many names are of the same party: disjoint sets, joined by what they share."""

from collections import defaultdict
from collections.abc import Iterable

Node = tuple[str, tuple[str, str]]
"""What it is (a reference, an identifier, a party known before) and the thing itself."""


class SameParties:
    """Names in sets: what is joined is of one party (union by path halving)."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._above: dict[Node, Node] = {}

    def add(self, node: Node) -> None:
        """Take a name in, in a set of its own unless it is known."""
        self._above.setdefault(node, node)

    def join(self, one: Node, other: Node) -> None:
        """Say that two names are of one party."""
        self.add(one)
        self.add(other)
        first, second = self._top(one), self._top(other)
        if first != second:
            self._above[second] = first

    def nodes(self) -> Iterable[Node]:
        """Every name taken in, in the order they came."""
        return self._above

    def groups(self) -> Iterable[list[Node]]:
        """The names of each party, in the order they came."""
        found: dict[Node, list[Node]] = defaultdict(list)
        for node in self._above:
            found[self._top(node)].append(node)
        return found.values()

    def _top(self, node: Node) -> Node:
        above = self._above
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node
