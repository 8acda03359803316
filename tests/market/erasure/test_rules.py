"""How long what a person did is kept: to the day, with the reason."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.erasure.rules import ERASES, Held, Kept, Kind, must_keep, reasons_against
from market.events.vocabulary import VOCABULARY

TODAY = date(2026, 11, 22)


def test_what_is_not_over_is_kept_and_what_is_over_for_six_years_to_the_day() -> None:
    assert must_keep(Kept(Kind.TENDER, "T-1", None), TODAY)
    over = Kept(Kind.TENDER, "T-1", date(2020, 11, 22))
    assert must_keep(over, TODAY)
    assert not must_keep(over, TODAY + timedelta(days=1))


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-3, 3000))
def test_what_has_been_let_go_is_never_kept_again(concluded: date, days: int) -> None:
    kept = Kept(Kind.OFFICE, "gift.reviewed", concluded)
    day = concluded + timedelta(days=days)
    if not must_keep(kept, day):
        assert not must_keep(kept, day + timedelta(days=1))
    assert must_keep(kept, concluded)


def test_every_reason_says_until_when_and_why() -> None:
    kept = [
        Kept(Kind.TENDER, "06F-2026-1", None),
        Kept(Kind.INTEREST, "NHS Bedfordshire CCG", date(2021, 1, 31)),
        Kept(Kind.GIFT, "NHS Bedfordshire CCG", date(2001, 1, 31)),
    ]
    held = [Held(date(2025, 2, 1), "Case 7.")]
    hold, running, ending = reasons_against(kept, held, TODAY)
    assert hold == "A legal hold is in force since 1 February 2025, until it is released: Case 7."
    assert running == (
        "Kept until six years after its end: they acted, or had a duty, in the tender 06F-2026-1,"
        " which is not concluded: given up, or every contract of it at its end."
    )
    assert ending == (
        "Kept until 31 January 2027: they declared an interest in the register of NHS Bedfordshire"
        " CCG, which was over on 31 January 2021."
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_words(kind: Kind) -> None:
    (reason,) = reasons_against([Kept(kind, "this", TODAY)], [], TODAY)
    assert "this" in reason
    assert "22 November 2032" in reason


def test_nothing_that_is_over_for_long_forbids_an_erasure() -> None:
    assert list(reasons_against([Kept(Kind.TENDER, "T", date(2000, 1, 1))], [], TODAY)) == []


# -- the database has the same ---------------------------------------------------------------------


async def test_the_database_keeps_as_long(superuser: Any) -> None:
    for month in range(48):
        over = date(2020, 1, 29) + timedelta(days=31 * month)
        last = await superuser.fetchval("SELECT kept_until($1)", over)
        assert must_keep(Kept(Kind.TENDER, "T", over), last)
        assert not must_keep(Kept(Kind.TENDER, "T", over), last + timedelta(days=1))


async def test_the_database_knows_whom_an_event_is_about_as_the_vocabulary_does(
    superuser: Any,
) -> None:
    rows = await superuser.fetch("SELECT action, subject_kind, whose FROM event_about")
    declared = {
        (name, kind, whose.value)
        for name, action in VOCABULARY.items()
        for kind, whose in action.whose.items()
    }
    assert {(row["action"], row["subject_kind"], row["whose"]) for row in rows} == declared


@pytest.mark.parametrize("name", sorted(VOCABULARY))
def test_an_account_s_own_affairs_name_nobody_s_act(name: str) -> None:
    action = VOCABULARY[name]
    if action.own_affair:
        assert not set(action.of) & {"tender", "lot", "bid", "organisation"}


async def test_the_database_knows_own_affairs_as_the_vocabulary_does(superuser: Any) -> None:
    own = {name for name, action in VOCABULARY.items() if action.own_affair}
    rows = await superuser.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE is_own_affair(name)", list(VOCABULARY)
    )
    assert {row["name"] for row in rows} == own


async def test_everything_that_is_erased_has_its_words(superuser: Any) -> None:
    person = await superuser.fetchval("SELECT gen_random_uuid()")
    rows = await superuser.fetch("SELECT name FROM erasure_of($1)", person)
    assert {row["name"] for row in rows} == set(ERASES)


async def test_every_column_that_is_erased_is_there(superuser: Any) -> None:
    missing = await superuser.fetch(
        "SELECT e.name, word FROM erasable e, unnest(e.words) AS word WHERE NOT EXISTS ("
        "SELECT 1 FROM pg_attribute a WHERE a.attrelid = e.name::regclass AND a.attname = word)"
    )
    assert missing == []
