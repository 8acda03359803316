"""Links: words that read, shares within bounds, and what makes a parent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.ownership.rules.links import (
    COUNTABLE,
    LinkKind,
    Share,
    is_majority,
    share_fault,
    strength_of,
    words_for,
)

PERCENT = st.decimals(0, 100, places=3)


def share(low: str, high: str | None = None) -> Share:
    """A share from and to, or exact."""
    return Share(minimum=Decimal(low), maximum=Decimal(high or low))


@pytest.mark.parametrize(
    ("given_share", "text"),
    [
        (share("12"), "12 %"),
        (share("12.50"), "12.5 %"),
        (share("25", "50"), "25 to 50 %"),
        (share("0", "25"), "up to 25 %"),
    ],
)
def test_a_share_in_words(given_share: Share, text: str) -> None:
    assert str(given_share) == text


@pytest.mark.parametrize(
    ("kind", "given_share", "majority"),
    [
        (LinkKind.SHAREHOLDING, share("50"), False),
        (LinkKind.SHAREHOLDING, share("50.000001"), True),
        (LinkKind.SHAREHOLDING, share("50", "75"), True),
        (LinkKind.SHAREHOLDING, share("25", "75"), False),
        (LinkKind.VOTING_RIGHTS, share("75", "100"), True),
        (LinkKind.SHAREHOLDING, None, False),
        (LinkKind.BOARD_APPOINTMENT, None, True),
        (LinkKind.BOARD_APPOINTMENT, share("25"), False),
        (LinkKind.DIRECTORSHIP, None, False),
        (LinkKind.PROFIT_OR_INCOME, share("100"), False),
    ],
)
def test_a_majority_is_more_than_half_of_shares_votes_or_board(
    kind: LinkKind, given_share: Share | None, *, majority: bool
) -> None:
    assert is_majority(kind, given_share) is majority


@given(PERCENT, PERCENT)
def test_a_share_within_bounds_is_allowed_and_no_other(low: Decimal, high: Decimal) -> None:
    assert (share_fault(low, high) is None) == (low <= high)
    assert share_fault(low - 101, high) is not None
    assert share_fault(low, high + 101) is not None


@given(st.sampled_from(LinkKind), PERCENT)
def test_a_link_is_never_stronger_than_the_whole(kind: LinkKind, percent: Decimal) -> None:
    strength = strength_of(kind, Share(minimum=percent, maximum=percent))
    assert strength == (Fraction(percent) / 100 if kind in COUNTABLE else 1)
    assert strength_of(kind, None) == 1


@pytest.mark.parametrize("kind", LinkKind)
@pytest.mark.parametrize("given_share", [None, share("12")])
@pytest.mark.parametrize("indirect", [False, True])
def test_every_kind_has_words_in_both_directions(
    kind: LinkKind, given_share: Share | None, *, indirect: bool
) -> None:
    words = words_for(kind, given_share, indirect=indirect)
    for text in (words.forward, words.backward):
        assert text == text.strip()
        assert "{" not in text
        assert "  " not in text
        assert ("12 %" in text) == (given_share is not None and kind in COUNTABLE)
        assert ("indirectly" in text) == indirect
