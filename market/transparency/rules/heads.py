"""The map of heads: how many events each tender has, and the last of them, under one root.

A sparse Merkle map over the 128 bits of a tender's id, the most significant first. A subtree
without a tender is 32 zero bytes, one with exactly one tender is that tender's leaf, and any other
is the hash of its halves. Each id has one place alone, so a proof shows the one head of a tender,
or that it has none: a record whose end was cut off does not agree with its head.
"""

import bisect
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

EMPTY = bytes(32)
KEY_BITS = 128
HASH_BYTES = 32
_ANY_DEPTH = -1  # a single leaf stands for the whole subtree it is alone in
MOST_EVENTS = 2**53 - 1
"""No tender has more events: the count must be an exact number in every language's JSON."""


class Head(Struct, frozen=True, kw_only=True):
    """How many events a tender has, and the hash of the leaf of the last one."""

    tender: UUID
    count: Annotated[int, Meta(ge=1, le=MOST_EVENTS)]
    last_leaf: bytes


class HeadProof(Struct, frozen=True, kw_only=True):
    """What the map holds for one tender: its own head, another's, or nothing; and the way up.

    `found` is the one head that stands on the way of the tender's id; if it is of another tender,
    or there is none, the tender has no event. `siblings` are from the leaf up.
    """

    found: Head | None
    siblings: tuple[bytes, ...]


def leaf_of(head: Head) -> bytes:
    """Hash one head."""
    count = head.count.to_bytes(8, "big")
    return hashlib.sha256(b"\x02" + head.tender.bytes + count + head.last_leaf).digest()


def root(heads: Sequence[Head]) -> bytes:
    """Compute the root of all heads, given in ascending order of tender.

    100,000 take about a third of a second. Raises ValueError if they are not in order, or two
    are of one tender.
    """
    return _Sorted(heads).subtree(0, len(heads), depth=0)


def proof(heads: Sequence[Head], tender: UUID) -> HeadProof:
    """Prove what the map of these heads, in ascending order, holds for a tender.

    Raises ValueError if they are not in order, or two are of one tender.
    """
    return _Sorted(heads).proof(tender.int)


def verify_membership(expected_root: bytes, head: Head, siblings: Sequence[bytes]) -> bool:
    """Tell whether the map with this root has exactly this head for its tender. Raises nothing."""
    if not (1 <= head.count <= MOST_EVENTS and len(head.last_leaf) == HASH_BYTES):
        return False
    return _leads_to(expected_root, leaf_of(head), head.tender.int, siblings)


def verify_absence(expected_root: bytes, tender: UUID, shown: HeadProof) -> bool:
    """Tell whether the map with this root has no head for the tender. Raises nothing."""
    if shown.found is None:
        return _leads_to(expected_root, EMPTY, tender.int, shown.siblings)
    depth = len(shown.siblings)
    in_common = KEY_BITS - (shown.found.tender.int ^ tender.int).bit_length()
    return depth <= in_common < KEY_BITS and verify_membership(
        expected_root, shown.found, shown.siblings
    )


def _leads_to(expected_root: bytes, start: bytes, key: int, siblings: Sequence[bytes]) -> bool:
    if len(siblings) > KEY_BITS or any(len(sibling) != HASH_BYTES for sibling in siblings):
        return False
    computed = start
    for depth, sibling in zip(range(len(siblings) - 1, -1, -1), siblings, strict=True):
        computed = _joined(key, depth, computed, sibling)
    return hmac.compare_digest(computed, expected_root)


def _bit(key: int, depth: int) -> int:
    return key >> (KEY_BITS - 1 - depth) & 1


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x03" + left + right).digest()


def _joined(key: int, depth: int, own: bytes, sibling: bytes) -> bytes:
    """Hash a node at this depth from the half the key is in and from the other."""
    return _node(sibling, own) if _bit(key, depth) else _node(own, sibling)


class _Sorted:
    """The heads as numbers and leaf hashes, in order."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = heads
        self.keys = [head.tender.int for head in heads]
        # How deep each head and the next one go together.
        self.parting = [
            KEY_BITS - (one ^ other).bit_length()
            for one, other in zip(self.keys, self.keys[1:], strict=False)
        ]
        if any(one >= other for one, other in zip(self.keys, self.keys[1:], strict=False)):
            raise ValueError("Heads must be in ascending order of tender, each tender once.")
        self.leaves = [leaf_of(head) for head in heads]

    def subtree(self, begin: int, end: int, depth: int) -> bytes:
        """Hash the subtree at this depth that holds exactly the heads from begin to end.

        One pass from left to right. What is waiting is left of a parting that is still open; a
        parting closes when the next one is higher up.
        """
        if begin == end:
            return EMPTY
        waiting: list[tuple[int, int, bytes, int]] = []
        top, reached = EMPTY, _ANY_DEPTH
        for index in range(begin, end):
            top, reached = self.leaves[index], _ANY_DEPTH
            parting = self.parting[index] if index + 1 < end else -1
            while waiting and waiting[-1][0] > parting:
                at, left_index, left, left_reached = waiting.pop()
                top = _node(
                    self._lifted(left_index, left, left_reached, at + 1),
                    self._lifted(index, top, reached, at + 1),
                )
                reached = at
            waiting.append((parting, index, top, reached))
        return self._lifted(end - 1, top, reached, depth)

    def _lifted(self, index: int, top: bytes, reached: int, depth: int) -> bytes:
        """Take a subtree up to a depth above it, past halves that are empty."""
        if reached == _ANY_DEPTH:
            return top
        key = self.keys[index]
        for at in range(reached - 1, depth - 1, -1):
            top = _joined(key, at, top, EMPTY)
        return top

    def proof(self, key: int) -> HeadProof:
        begin, end = 0, len(self.keys)
        siblings = []
        depth = 0
        while end - begin > 1:
            boundary = (key >> (KEY_BITS - depth) << 1 | 1) << (KEY_BITS - 1 - depth)
            middle = bisect.bisect_left(self.keys, boundary, begin, end)
            if _bit(key, depth):
                siblings.append(self.subtree(begin, middle, depth + 1))
                begin = middle
            else:
                siblings.append(self.subtree(middle, end, depth + 1))
                end = middle
            depth += 1
        found = self.heads[begin] if begin < end else None
        return HeadProof(found=found, siblings=tuple(reversed(siblings)))
