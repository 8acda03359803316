"""The tree: the known vectors, a second implementation, and proofs that prove one thing only."""

import hashlib

import pymerkle  # type: ignore[import-untyped]  # the oracle has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.transparency.rules import merkle
from market.transparency.rules.merkle import (
    EMPTY_ROOT,
    MOST_LEAVES,
    Subtree,
    verify_consistency,
    verify_inclusion,
)

# The inputs and answers that implementations of RFC 6962 have shared since 2013.
INPUTS = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
L0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
L1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
L4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
INCLUSION = {
    (0, 1): (),
    (0, 8): (L1, N23, N47),
    (5, 8): (L4, N67, ROOTS[4]),
    (2, 3): (ROOTS[2],),
    (1, 5): (L0, N23, L4),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): (L1, N23, N47),
    (6, 8): (N45, N67, ROOTS[4]),
    (2, 5): (N23, L4),
}


class Tree:
    """A tree kept as the database keeps it: leaves and complete subtrees by their place."""

    def __init__(self, contents: list[bytes], batches: int = 1) -> None:
        self.hashes: dict[Subtree, bytes] = {}
        self.size = 0
        self.looked_up = 0
        step = max(1, -(-len(contents) // batches))
        for begin in range(0, len(contents), step):
            leaves = [merkle.leaf_hash(content) for content in contents[begin : begin + step]]
            wanted = {peak: self.hashes[peak] for peak in merkle.peaks(self.size)}
            self.hashes.update(merkle.completed_by(self.size, leaves, wanted))
            for index, leaf in enumerate(leaves, start=self.size):
                self.hashes[Subtree(0, index)] = leaf
            self.size += len(leaves)

    def path(self, plan: merkle.Plan) -> tuple[bytes, ...]:
        needed = merkle.needed(plan)
        self.looked_up = len(needed)
        return merkle.path(plan, {place: self.hashes[place] for place in needed})

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return self.path(merkle.inclusion_plan(index, size))

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        return self.path(merkle.consistency_plan(old_size, size))

    def root(self, size: int) -> bytes:
        return merkle.root(size, self.hashes)

    def leaf(self, index: int) -> bytes:
        return self.hashes[Subtree(0, index)]


KNOWN = Tree(INPUTS)
MANY = Tree([str(number).encode() for number in range(200)], batches=13)
ORACLE = pymerkle.InmemoryTree(algorithm="sha256")
ORACLE.append_entries([str(number).encode() for number in range(200)])

sizes = st.integers(1, 200)


@st.composite
def leaves(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def growths(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size)), size


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


# -------------------------------------------------------------------------- known answers


def test_the_known_trees_have_the_known_roots() -> None:
    assert [KNOWN.root(size).hex() for size in range(9)] == list(ROOTS)


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_known_proofs_of_inclusion_are_made_and_verify(index: int, size: int) -> None:
    proof = KNOWN.inclusion(index, size)
    assert tuple(one.hex() for one in proof) == INCLUSION[index, size]
    assert verify_inclusion(index, size, KNOWN.leaf(index), proof, KNOWN.root(size))


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_the_known_proofs_of_consistency_are_made_and_verify(old: int, size: int) -> None:
    proof = KNOWN.consistency(old, size)
    assert tuple(one.hex() for one in proof) == CONSISTENCY[old, size]
    assert verify_consistency(old, size, KNOWN.root(old), KNOWN.root(size), proof)


# --------------------------------------------------------------- a second implementation


@settings(deadline=None)
@given(place=leaves())
def test_roots_and_proofs_of_inclusion_are_those_of_another_implementation(
    place: tuple[int, int],
) -> None:
    index, size = place
    other = ORACLE.prove_inclusion(index + 1, size)
    assert MANY.root(size) == ORACLE.get_root(size)
    assert other.path == [MANY.leaf(index), *MANY.inclusion(index, size)]


@settings(deadline=None)
@given(growth=growths().filter(lambda growth: 0 < growth[0] < growth[1]))
def test_proofs_of_consistency_are_those_of_another_implementation(
    growth: tuple[int, int],
) -> None:
    """It begins below the older tree's last subtree where RFC 9162 begins with that subtree."""
    old, size = growth
    other = ORACLE.prove_consistency(old, size)
    first = other.subset.index(1)  # what is before is a subtree of the newer tree alone
    folded = other.path[:1]
    for bit, sibling in zip(other.rule[: first - 1], other.path[1:first], strict=False):
        left, right = (sibling, folded[0]) if bit else (folded[0], sibling)
        folded = [merkle.node_hash(left, right)]
    expected = [other.path[first], *(folded if first else []), *other.path[first + 1 :]]
    if old & (old - 1) == 0:
        assert expected.pop(0) == MANY.root(old)
    assert list(MANY.consistency(old, size)) == expected


# ----------------------------------------------------------------------------- properties


@settings(deadline=None)
@given(place=leaves())
def test_every_leaf_is_shown_in_every_tree_that_holds_it_with_few_lookups(
    place: tuple[int, int],
) -> None:
    index, size = place
    proof = MANY.inclusion(index, size)
    assert verify_inclusion(index, size, MANY.leaf(index), proof, MANY.root(size))
    assert MANY.looked_up <= 2 * size.bit_length()


@settings(deadline=None)
@given(growth=growths())
def test_every_tree_is_shown_to_begin_every_later_one_with_few_lookups(
    growth: tuple[int, int],
) -> None:
    old, size = growth
    proof = MANY.consistency(old, size)
    assert verify_consistency(old, size, MANY.root(old), MANY.root(size), proof)
    assert MANY.looked_up <= 2 * size.bit_length()


@settings(deadline=None)
@given(place=leaves(), other=leaves())
def test_a_proof_of_inclusion_shows_no_other_leaf_and_no_other_index(
    place: tuple[int, int], other: tuple[int, int]
) -> None:
    """At another size it may still lead to the same root: sizes are bound by checkpoints."""
    index, size = place
    proof, root = MANY.inclusion(index, size), MANY.root(size)
    if other[0] != index:
        assert not verify_inclusion(index, size, MANY.leaf(other[0]), proof, root)
        assert not verify_inclusion(other[0], size, MANY.leaf(index), proof, root)
        assert not verify_inclusion(other[0], size, MANY.leaf(other[0]), proof, root)
    if other[1] != size:
        assert not verify_inclusion(index, size, MANY.leaf(index), proof, MANY.root(other[1]))


@settings(deadline=None)
@given(growth=growths(), other=growths())
def test_a_proof_of_consistency_shows_no_other_two_trees(
    growth: tuple[int, int], other: tuple[int, int]
) -> None:
    old, size = growth
    proof = MANY.consistency(old, size)
    if old > 0 and other[0] != old:
        assert not verify_consistency(old, size, MANY.root(other[0]), MANY.root(size), proof)
    if old > 0 and other[1] != size:
        assert not verify_consistency(old, size, MANY.root(old), MANY.root(other[1]), proof)


@settings(deadline=None)
@given(place=leaves(), bit=st.integers(0, 10_000), longer=st.binary(min_size=32, max_size=32))
def test_no_changed_proof_of_inclusion_verifies(
    place: tuple[int, int], bit: int, longer: bytes
) -> None:
    index, size = place
    leaf, root = MANY.leaf(index), MANY.root(size)
    proof = list(MANY.inclusion(index, size))
    assert not verify_inclusion(index, size, flipped(leaf, bit), proof, root)
    assert not verify_inclusion(index, size, leaf, proof, flipped(root, bit))
    assert not verify_inclusion(index, size, leaf, [*proof, longer], root)
    assert not verify_inclusion(size, size, leaf, proof, root)
    assert not verify_inclusion(-1, size, leaf, proof, root)
    if proof:
        at = bit % len(proof)
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        assert not verify_inclusion(index, size, leaf, changed, root)
        assert not verify_inclusion(index, size, leaf, proof[:-1], root)
        assert not verify_inclusion(index, size, leaf, [one[:-1] for one in proof], root)


@settings(deadline=None)
@given(growth=growths(), bit=st.integers(0, 10_000), longer=st.binary(min_size=32, max_size=32))
def test_no_changed_proof_of_consistency_verifies(
    growth: tuple[int, int], bit: int, longer: bytes
) -> None:
    old, size = growth
    roots = MANY.root(old), MANY.root(size)
    proof = list(MANY.consistency(old, size))
    assert not verify_consistency(old, size, flipped(roots[0], bit), roots[1], proof)
    assert not verify_consistency(old, size, *roots, [*proof, longer])
    assert not verify_consistency(size + 1, size, *roots, proof)
    if old > 0:
        assert not verify_consistency(old, size, roots[0], flipped(roots[1], bit), proof)
    if proof:
        at = bit % len(proof)
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        assert not verify_consistency(old, size, *roots, changed)
        assert not verify_consistency(old, size, *roots, proof[1:])
        assert not verify_consistency(old, size, *roots, [])


@settings(deadline=None)
@given(count=st.integers(0, 70), batches=st.integers(1, 70))
def test_a_tree_that_grows_in_batches_is_the_same_tree(count: int, batches: int) -> None:
    contents = [str(number).encode() for number in range(count)]
    grown = Tree(contents, batches)
    assert grown.hashes == Tree(contents).hashes
    complete = {Subtree(lv, no) for lv in range(8) for no in range(count >> lv)}
    assert grown.hashes.keys() == complete


def test_the_largest_tree_needs_no_more_than_some_hundred_lookups() -> None:
    size = MOST_LEAVES - 1  # fifty-three peaks
    for plan in (
        merkle.inclusion_plan(0, size),
        merkle.inclusion_plan(size - 1, size),
        merkle.consistency_plan(size // 3, size),
        merkle.consistency_plan(1, MOST_LEAVES),
    ):
        assert 0 < len(merkle.needed(plan)) <= 2 * 53
        assert len(plan) <= 54
    assert len(merkle.peaks(size)) == 53


def test_a_tree_without_leaves_begins_every_other() -> None:
    assert hashlib.sha256().digest() == EMPTY_ROOT == merkle.root(0, {})
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert verify_consistency(0, 5, EMPTY_ROOT, MANY.root(5), [])
    assert not verify_consistency(0, 5, MANY.root(1), MANY.root(5), [])


def test_what_no_tree_has_is_refused() -> None:
    for wrong in (-1, MOST_LEAVES + 1):
        with pytest.raises(ValueError, match="leaves"):
            merkle.peaks(wrong)
    with pytest.raises(ValueError, match="has no leaf 5"):
        merkle.inclusion_plan(5, 5)
    with pytest.raises(ValueError, match="not the beginning"):
        merkle.consistency_plan(6, 5)
    with pytest.raises(KeyError):
        merkle.root(3, {})
    peaks = dict.fromkeys(merkle.peaks(MOST_LEAVES), bytes(32))
    with pytest.raises(ValueError, match="leaves"):
        merkle.completed_by(MOST_LEAVES, [bytes(32)], peaks)
