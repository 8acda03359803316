"""The map of heads: as its definition says, and proofs for one tender alone."""

import hashlib
import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules import heads
from market.transparency.rules.heads import EMPTY, Head, HeadProof

# Ids that part late as well as early: close neighbours, and any.
ids = st.one_of(
    st.integers(0, 2**128 - 1),
    st.integers(0, 20),
    st.integers(0, 20).map(lambda low: 2**127 + low),
    st.integers(0, 127).map(lambda bit: 1 << bit),
)


def head(number: int) -> Head:
    leaf = hashlib.sha256(str(number).encode()).digest()
    return Head(tender=UUID(int=number), count=number % 7 + 1, last_leaf=leaf)


maps = st.sets(ids, max_size=12).map(lambda numbers: [head(one) for one in sorted(numbers)])


def as_defined(members: list[Head], depth: int = 0) -> bytes:
    """The root, word for word from the definition."""
    if not members:
        return bytes(32)
    if len(members) == 1:
        one = members[0]
        content = one.tender.bytes + one.count.to_bytes(8, "big") + one.last_leaf
        return hashlib.sha256(b"\x02" + content).digest()
    halves: tuple[list[Head], list[Head]] = [], []
    for one in members:
        halves[int(f"{one.tender.int:0128b}"[depth])].append(one)
    left, right = (as_defined(half, depth + 1) for half in halves)
    return hashlib.sha256(b"\x03" + left + right).digest()


@settings(deadline=None)  # up to 128 hashes for each of a dozen ways
@given(members=maps)
def test_the_root_is_as_defined(members: list[Head]) -> None:
    assert heads.root(members) == as_defined(members)


@settings(deadline=None)  # up to 128 hashes for each of a dozen ways
@given(members=maps, tender=ids)
def test_each_tender_is_shown_with_its_head_or_to_have_none(
    members: list[Head], tender: int
) -> None:
    root = heads.root(members)
    by_id = {one.tender: one for one in members}
    for number in (tender, *(one.tender.int for one in members)):
        wanted = UUID(int=number)
        shown = heads.proof(members, wanted)
        own = by_id.get(wanted)
        assert heads.verify_absence(root, wanted, shown) == (own is None)
        if own is not None:
            assert shown.found == own
            assert heads.verify_membership(root, own, shown.siblings)


@settings(deadline=None)  # up to 128 hashes for each of a dozen ways
@given(members=maps.filter(len), bit=st.integers(0, 255), extra=st.binary(min_size=32, max_size=32))
def test_no_other_head_and_no_changed_way_verifies(
    members: list[Head], bit: int, extra: bytes
) -> None:
    root = heads.root(members)
    for own in members:
        siblings = heads.proof(members, own.tender).siblings
        for other in (
            replace(own, count=own.count + 1),
            replace(own, last_leaf=extra),
            replace(own, last_leaf=own.last_leaf[:-1]),
            replace(own, tender=UUID(int=own.tender.int ^ 1 << bit % 128)),
            replace(own, count=0),
            replace(own, count=2**64),
        ):
            assert not heads.verify_membership(root, other, siblings)
        assert not heads.verify_membership(root, own, (*siblings, extra))
        assert not heads.verify_membership(root, own, (extra,) * 129)
        assert not heads.verify_membership(extra, own, siblings)
        for at, sibling in enumerate(siblings):
            changed = bytearray(sibling)
            changed[bit // 8] ^= 1 << bit % 8
            assert not heads.verify_membership(
                root, own, (*siblings[:at], bytes(changed), *siblings[at + 1 :])
            )
            assert not heads.verify_membership(root, own, siblings[:at])
        # what shows a tender does not show that it is absent, whatever is claimed to be found
        for found in (None, own, members[0]):
            shown = HeadProof(found=found, siblings=siblings)
            assert not heads.verify_absence(root, own.tender, shown)


def test_an_empty_map_and_a_map_of_one_have_no_inner_node() -> None:
    assert heads.root([]) == EMPTY == bytes(32)
    assert heads.root([head(5)]) == heads.leaf_of(head(5))
    assert heads.proof([head(5)], UUID(int=5)) == HeadProof(found=head(5), siblings=())
    assert heads.verify_absence(heads.root([]), UUID(int=5), heads.proof([], UUID(int=5)))


def test_two_ids_that_differ_in_the_last_bit_part_at_the_bottom() -> None:
    shown = heads.proof([head(2), head(3)], UUID(int=3))
    assert shown.siblings == (heads.leaf_of(head(2)), *(EMPTY,) * 127)


@pytest.mark.parametrize("members", [[head(2), head(1)], [head(1), head(1)]])
def test_heads_out_of_order_are_refused(members: list[Head]) -> None:
    with pytest.raises(ValueError, match="ascending order"):
        heads.root(members)
    with pytest.raises(ValueError, match="ascending order"):
        heads.proof(members, UUID(int=1))


def test_each_of_a_hundred_thousand_tenders_can_be_shown() -> None:
    source = random.Random(4)  # noqa: S311  # nothing secret
    members = [head(one) for one in sorted({source.getrandbits(128) for _ in range(100_000)})]
    root = heads.root(members)
    assert root == as_defined(members)
    for own in (members[0], members[777], members[-1]):
        shown = heads.proof(members, own.tender)
        assert shown.found == own
        assert heads.verify_membership(root, own, shown.siblings)
        assert not heads.verify_membership(root, replace(own, count=own.count + 1), shown.siblings)
