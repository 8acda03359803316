"""Which types of events are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.events.errors import UnknownType
from market.events.rules import LONGEST_TYPE, MOST_TYPES, wanted

_WORD = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
_ACTION = st.builds("{}.{}".format, _WORD, _WORD)


@given(st.lists(_ACTION, max_size=MOST_TYPES), _ACTION)
def test_an_action_is_wanted_where_it_is_named_or_its_kind_or_nothing(
    named: list[str], action: str
) -> None:
    assert wanted([]).has(action)
    assert wanted([*named[1:], action]).has(action)
    assert wanted([f"{action.partition('.')[0]}.*"]).has(action)
    if named:
        assert wanted(named).has(action) == (action in named)


@given(st.text(max_size=LONGEST_TYPE + 10))
def test_what_is_no_type_is_refused_and_what_is_one_is_not(text: str) -> None:
    kind, point, act = text.partition(".")
    letters = set("abcdefghijklmnopqrstuvwxyz_")
    good = (
        bool(kind and point and act)
        and len(text) <= LONGEST_TYPE
        and set(kind) <= letters
        and (act == "*" or set(act) <= letters)
    )
    if good:
        wanted([text])
    else:
        with pytest.raises(UnknownType):
            wanted([text])


def test_only_so_many_types_are_taken() -> None:
    wanted(["bid.*"] * MOST_TYPES)
    with pytest.raises(UnknownType):
        wanted(["bid.*"] * (MOST_TYPES + 1))
