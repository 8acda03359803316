"""The Merkle tree of RFC 9162, section 2.1, over complete subtrees that are stored by their place.

A tree of any size is made of complete subtrees, which never change once complete. A proof is
planned first (which subtrees are needed: pure arithmetic) and folded once they have been fetched,
so that a database can give all of them in one query by key.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

HASH_BYTES = 32
MOST_LEAVES = 2**53
"""No tree is larger: its size must be an exact number in every language's JSON."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""


class Subtree(NamedTuple):
    """A complete subtree: of the 2^level leaves from index `number` * 2^level on.

    The subtrees of level 0 are the leaves.
    """

    level: int
    number: int


Plan: TypeAlias = tuple[tuple[Subtree, ...], ...]
"""A proof before its hashes: for each, the subtrees (left to right) that fold into it."""


def leaf_hash(content: bytes) -> bytes:
    """Hash the content of one leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks(size: int) -> tuple[Subtree, ...]:
    """Name the complete subtrees a tree of this size is made of, the largest first.

    Raises ValueError for a size that no tree has.
    """
    _ensure_size(size)
    return tuple(_covering(0, size))


def root(size: int, hashes: Mapping[Subtree, bytes]) -> bytes:
    """Compute the root of the tree of this size from the hashes of its peaks.

    Raises ValueError for a size that no tree has, KeyError if the hash of a peak is not given.
    """
    return _fold([hashes[peak] for peak in peaks(size)]) if size else EMPTY_ROOT


def inclusion_plan(index: int, size: int) -> Plan:
    """Plan the proof that the tree of `size` leaves holds the leaf `index` (from 0).

    PATH(m, D_n) of section 2.1.3.1, from the leaf up. Raises ValueError if there is no such leaf.
    """
    _ensure_size(size)
    if not 0 <= index < size:
        message = f"A tree of {size} leaves has no leaf {index}."
        raise ValueError(message)
    begin, end = 0, size
    plan = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            plan.append(tuple(_covering(middle, end)))
            end = middle
        else:
            plan.append(tuple(_covering(begin, middle)))
            begin = middle
    return tuple(reversed(plan))


def consistency_plan(old_size: int, size: int) -> Plan:
    """Plan the proof that the tree of `old_size` leaves is the beginning of that of `size`.

    PROOF(m, D_n) of section 2.1.4.1. It has no hashes if the sizes are equal, or the older is 0.
    Raises ValueError if the older tree is the larger.
    """
    _ensure_size(size)
    if not 0 <= old_size <= size:
        message = f"A tree of {old_size} leaves is not the beginning of one of {size}."
        raise ValueError(message)
    if old_size == 0:
        return ()
    begin, end = 0, size
    plan = []
    while old_size < end:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            plan.append(tuple(_covering(middle, end)))
            end = middle
        else:
            plan.append(tuple(_covering(begin, middle)))
            begin = middle
    if begin > 0:
        plan.append(tuple(_covering(begin, end)))
    return tuple(reversed(plan))


def needed(plan: Plan) -> frozenset[Subtree]:
    """Name the subtrees whose hashes a planned proof needs: O(log size) of them."""
    return frozenset(subtree for subtrees in plan for subtree in subtrees)


def path(plan: Plan, hashes: Mapping[Subtree, bytes]) -> tuple[bytes, ...]:
    """Fold the hashes of subtrees into those of the proof. Raises KeyError if one is missing."""
    return tuple(_fold([hashes[subtree] for subtree in subtrees]) for subtrees in plan)


def completed_by(
    size: int, leaf_hashes: Iterable[bytes], hashes: Mapping[Subtree, bytes]
) -> list[tuple[Subtree, bytes]]:
    """Give the subtrees of level 1 and above that these leaves, appended to `size`, complete.

    `hashes` holds those of `peaks(size)`. The result is in the order of completion: of each
    subtree both halves are leaves, peaks or earlier in it. Raises ValueError if the tree would
    grow too large, KeyError if the hash of a peak is not given.
    """
    standing = [hashes[peak] for peak in peaks(size)]
    completed = []
    for index, leaf in enumerate(leaf_hashes, start=size):
        _ensure_size(index + 1)
        level, number, top = 0, index, leaf
        while number & 1:
            level, number, top = level + 1, number >> 1, node_hash(standing.pop(), top)
            completed.append((Subtree(level, number), top))
        standing.append(top)
    return completed


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Tell whether the proof shows this leaf hash at `index` (from 0) of the tree with this root.

    The algorithm of RFC 9162, section 2.1.3.2. Raises nothing.
    """
    if not (0 <= index < size <= MOST_LEAVES and _are_hashes(leaf, expected_root, *proof)):
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    computed = leaf
    for is_left, sibling in zip(sides, proof, strict=True):
        computed = node_hash(sibling, computed) if is_left else node_hash(computed, sibling)
    return hmac.compare_digest(computed, expected_root)


def verify_consistency(
    old_size: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the proof shows the tree of `old_size` to be the beginning of that of `size`.

    The algorithm of RFC 9162, section 2.1.4.2; with the tree without leaves, which begins every
    other and needs no proof. Raises nothing.
    """
    if not (0 <= old_size <= size <= MOST_LEAVES and _are_hashes(old_root, new_root, *proof)):
        return False
    if old_size == size:
        return not proof and hmac.compare_digest(old_root, new_root)
    if old_size == 0:
        return not proof and hmac.compare_digest(old_root, EMPTY_ROOT)
    # The older tree's rightmost complete subtree; where that is all of it, the proof leaves it out.
    whole = old_size & (old_size - 1) == 0
    first, *siblings = (old_root, *proof) if whole else proof or (b"",)
    level = ((old_size - 1) ^ old_size).bit_length() - 1
    sides = _sides(old_size - 1 >> level, size - 1 >> level, len(siblings))
    if sides is None:
        return False
    old = new = first
    for is_left, sibling in zip(sides, siblings, strict=True):
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return hmac.compare_digest(old, old_root) and hmac.compare_digest(new, new_root)


def _sides(node: int, last: int, length: int) -> list[bool] | None:
    """Tell of each hash on the way up from a node whether it stands on the left.

    `last` is the last node of the same level. None if the way up has another length.
    """
    sides = []
    for _ in range(length):
        if last == 0:
            return None
        is_left = node & 1 == 1 or node == last
        while is_left and not node & 1 and node:  # past levels where the last node is alone
            node, last = node >> 1, last >> 1
        sides.append(is_left)
        node, last = node >> 1, last >> 1
    return sides if last == 0 else None


def _ensure_size(size: int) -> None:
    if not 0 <= size <= MOST_LEAVES:
        message = f"A tree has from 0 to {MOST_LEAVES} leaves, not {size}."
        raise ValueError(message)


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)


def _split(size: int) -> int:
    """Give the largest power of two below the size: where the tree divides."""
    return 1 << (size - 1).bit_length() - 1


def _covering(begin: int, end: int) -> Iterator[Subtree]:
    """Cover the leaves from begin to end with complete subtrees, left to right.

    `begin` is a multiple of the largest power of two that the range holds: so it is wherever a
    tree divides.
    """
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield Subtree(level, begin >> level)
        begin += 1 << level


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Hash neighbouring complete subtrees, the largest first, into the root of them all."""
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded)
    return folded
