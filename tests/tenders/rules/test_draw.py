"""The draw: an order that nobody could have chosen."""

import secrets
from collections import Counter

import pytest

from tenders.rules.draw import drawn_order, seed_digest

SEED = bytes(range(32))


def test_the_same_seed_gives_the_same_order_however_the_keys_come() -> None:
    keys = [b"a", b"b", b"c", b"d"]
    order = drawn_order(SEED, keys)
    assert order == drawn_order(SEED, reversed(keys))
    assert sorted(order.values()) == [1, 2, 3, 4]


def test_every_key_comes_first_for_some_seeds() -> None:
    first: Counter[bytes] = Counter()
    for _ in range(3000):
        order = drawn_order(secrets.token_bytes(32), [b"a", b"b", b"c"])
        first[min(order, key=order.__getitem__)] += 1
    # one in three; the chance of being so far off is below one in a thousand million
    assert all(800 < count < 1200 for count in first.values())


def test_what_is_published_fixes_the_seed_and_does_not_tell_it() -> None:
    assert seed_digest(SEED) == seed_digest(bytes(SEED))
    assert seed_digest(SEED) != seed_digest(SEED[::-1])
    assert SEED.hex() not in seed_digest(SEED)


def test_a_seed_of_another_length_and_a_key_used_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seed_digest(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        drawn_order(b"short", [b"a"])
    with pytest.raises(ValueError, match="same key"):
        drawn_order(SEED, [b"a", b"a"])
