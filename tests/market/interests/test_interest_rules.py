"""The rules of the registers by themselves: periods, who is public, gifts, names in texts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.actor import Role
from market.interests.rules.breaches import Naming, namings
from market.interests.rules.dates import (
    EARLIEST,
    LATEST,
    confirmation_due_on,
    days_late,
    declare_by,
    kept_until,
    london_date,
    months_after,
    public_until,
)
from market.interests.rules.registers import (
    DECISION_MAKING,
    Held,
    Publication,
    ended_on,
    is_on_public_register,
    is_published_staff,
    publication_of,
    removable_from,
)
from market.interests.rules.spreadsheets import comma_separated, defused
from market.interests.rules.thresholds import (
    EDITIONS,
    Departure,
    Expectation,
    GiftKind,
    GiftSource,
    departure_of,
    edition_in_force,
    expectation_of,
)

DAYS = st.dates(min_value=EARLIEST, max_value=LATEST)
STAFF = (Held(Role.COMMISSIONER),)


@pytest.mark.parametrize(
    ("ended", "last"),
    [
        (date(2018, 8, 31), date(2019, 2, 28)),
        (date(2019, 8, 31), date(2020, 2, 29)),
        (date(2019, 8, 29), date(2020, 2, 29)),
        (date(2020, 2, 29), date(2020, 8, 29)),
        (date(2020, 3, 31), date(2020, 9, 30)),
        (date(2020, 12, 31), date(2021, 6, 30)),
    ],
)
def test_six_months_end_on_the_corresponding_day_or_the_month_s_last(
    ended: date, last: date
) -> None:
    assert public_until(ended) == last
    listed = {"superseded": False, "ended": ended, "staff": STAFF}
    assert is_on_public_register(**listed, today=last)  # type: ignore[arg-type]  # named above
    assert not is_on_public_register(**listed, today=last + timedelta(days=1))  # type: ignore[arg-type]  # named above


def test_six_years_from_a_leap_day_end_on_the_last_of_february() -> None:
    assert kept_until(date(2020, 2, 29)) == date(2026, 2, 28)
    assert kept_until(date(2018, 2, 28)) == date(2024, 2, 28)


@given(DAYS, st.integers(0, 100))
def test_a_month_counted_is_that_month_and_never_later_than_the_day(day: date, months: int) -> None:
    after = months_after(day, months)
    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert after.day <= day.day
    assert after.day == day.day or (after + timedelta(days=1)).day == 1


@given(DAYS, DAYS)
def test_what_ended_later_is_public_and_kept_no_shorter(one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert public_until(earlier) <= public_until(later)
    assert kept_until(earlier) <= kept_until(later)
    assert earlier < public_until(earlier) < kept_until(earlier)


def test_days_are_london_s() -> None:
    assert london_date(datetime(2020, 6, 30, 23, 30, tzinfo=UTC)) == date(2020, 7, 1)
    assert london_date(datetime(2020, 12, 31, 23, 30, tzinfo=UTC)) == date(2020, 12, 31)


def test_a_declaration_is_in_time_on_the_twenty_eighth_day() -> None:
    due = declare_by(date(2020, 2, 1))
    assert due == date(2020, 2, 29)
    assert days_late(due, due) == 0
    assert days_late(due, date(2020, 3, 1)) == 1
    assert days_late(due, date(2020, 2, 2)) == 0


def test_a_confirmation_is_due_28_days_after_joining_then_every_twelve_months() -> None:
    joined = date(2020, 2, 1)
    assert confirmation_due_on(joined, None) == date(2020, 2, 29)
    assert confirmation_due_on(joined, joined) == date(2021, 2, 1)
    assert confirmation_due_on(joined, date(2020, 2, 29)) == date(2021, 2, 28)
    # somebody who left and came back declares anew, whatever they confirmed before
    assert confirmation_due_on(joined, date(2020, 1, 31)) == date(2020, 2, 29)


@pytest.mark.parametrize("role", Role)
def test_decision_making_staff_are_public_and_for_six_months_who_was(role: Role) -> None:
    today = date(2021, 2, 28)
    public = role in DECISION_MAKING
    assert is_published_staff([Held(role)], today) is public
    assert is_published_staff([Held(role, date(2020, 8, 31))], today) is public
    assert not is_published_staff([Held(role, date(2020, 8, 27))], today)
    assert DECISION_MAKING.isdisjoint({Role.AUDITOR, Role.BID_MANAGER, Role.REGISTRAR})


HELD = st.builds(Held, st.sampled_from(Role), st.none() | DAYS)


@given(st.lists(HELD, max_size=4), st.none() | DAYS, DAYS, DAYS)
def test_ending_an_interest_or_a_role_never_widens_what_the_public_sees(
    held: list[Held], planned: date | None, recorded: date, today: date
) -> None:
    # whatever is listed once somebody has ended it was listed before they did
    before = ended_on(planned=planned, recorded=None)
    after = ended_on(planned=planned, recorded=min(recorded, before or recorded, today))
    shown = {
        ended: is_on_public_register(superseded=False, ended=ended, staff=held, today=today)
        for ended in (before, after)
    }
    assert shown[before] or not shown[after]
    left = [Held(one.role, one.ended_on or min(recorded, today)) for one in held]
    assert is_published_staff(held, today) or not is_published_staff(left, today)


@given(st.lists(HELD, max_size=3), st.none() | DAYS, DAYS)
def test_a_superseded_entry_is_never_listed(
    held: list[Held], ended: date | None, today: date
) -> None:
    assert not is_on_public_register(superseded=True, ended=ended, staff=held, today=today)


def test_a_refusal_withholds_until_a_guardian_decides_that_it_does_not() -> None:
    assert publication_of(consents=True, guardian_withholds=None) is Publication.PUBLISHED
    assert publication_of(consents=False, guardian_withholds=None) is Publication.WITHHELD
    assert publication_of(consents=False, guardian_withholds=True) is Publication.WITHHELD
    assert publication_of(consents=False, guardian_withholds=False) is Publication.PUBLISHED


def test_a_record_is_kept_six_years_after_the_end_or_the_leaving_and_while_neither_has_come() -> (
    None
):
    day, later = date(2014, 1, 31), date(2015, 1, 31)
    assert removable_from(ended=day, left=later, memberships_open=()) == date(2020, 1, 31)
    assert removable_from(ended=None, left=later, memberships_open=()) == date(2021, 1, 31)
    assert removable_from(ended=None, left=later, memberships_open={Role.AUDITOR}) is None
    assert removable_from(ended=None, left=None, memberships_open=()) is None


# ---------------------------------------------------------------------------------------- gifts

MEAL, GIFT, PROMOTIONAL = GiftKind.MEAL, GiftKind.GIFT, GiftKind.PROMOTIONAL
SUPPLIER, OTHER = GiftSource.SUPPLIER, GiftSource.OTHER
IN_2016, IN_2017 = date(2017, 6, 15), date(2017, 6, 16)


@pytest.mark.parametrize(
    ("day", "kind", "source", "value", "expected"),
    [
        (IN_2017, MEAL, SUPPLIER, "24.99", Expectation.ACCEPT),
        (IN_2017, MEAL, OTHER, "25.00", Expectation.ACCEPT_AND_DECLARE),
        (IN_2017, MEAL, SUPPLIER, "75.00", Expectation.ACCEPT_AND_DECLARE),
        (IN_2017, MEAL, SUPPLIER, "75.01", Expectation.SENIOR_APPROVAL),
        (IN_2017, PROMOTIONAL, SUPPLIER, "6.00", Expectation.ACCEPT),
        (IN_2017, PROMOTIONAL, SUPPLIER, "6.01", Expectation.DECLINE),
        (IN_2017, GIFT, SUPPLIER, "0", Expectation.DECLINE),
        (IN_2017, GIFT, OTHER, "49.99", Expectation.ACCEPT),
        (IN_2017, GIFT, OTHER, "50", Expectation.ACCEPT_AND_DECLARE),
        (IN_2017, GIFT, OTHER, "50.01", Expectation.ORGANISATION_ONLY),
        (IN_2017, PROMOTIONAL, OTHER, "50.01", Expectation.ORGANISATION_ONLY),
        (IN_2017, GiftKind.TRAVEL, SUPPLIER, "900", Expectation.ACCEPT_AND_DECLARE),
        (IN_2016, GIFT, OTHER, "9.99", Expectation.ACCEPT),
        (IN_2016, GIFT, OTHER, "10.00", Expectation.DECLINE),
        (IN_2016, GIFT, SUPPLIER, "1", Expectation.DECLINE),
        (IN_2016, PROMOTIONAL, SUPPLIER, "9.99", Expectation.ACCEPT),
        (IN_2016, MEAL, SUPPLIER, "25.00", Expectation.ACCEPT_AND_DECLARE),
        (IN_2016, MEAL, SUPPLIER, "25.01", Expectation.SENIOR_APPROVAL),
        (date(2016, 6, 28), GIFT, OTHER, "9.99", Expectation.ACCEPT),
        (date(2016, 6, 27), GIFT, OTHER, "9.99", Expectation.NONE_IN_FORCE),
    ],
)
def test_the_edition_in_force_on_the_day_of_the_offer_decides(
    day: date, kind: GiftKind, source: GiftSource, value: str, expected: Expectation
) -> None:
    assert expectation_of(kind, source, Decimal(value), day) is expected


def test_editions_follow_each_other_and_say_something_of_every_value() -> None:
    for earlier, later in pairwise(EDITIONS):
        assert earlier.starts_on < later.starts_on
        assert edition_in_force(later.starts_on - timedelta(days=1)) is earlier
    assert edition_in_force(date(2190, 1, 1)) is EDITIONS[-1]
    for edition in EDITIONS:
        assert set(edition.bands) == {(kind, source) for kind in GiftKind for source in GiftSource}
        for bands in edition.bands.values():
            limits = [band.up_to for band in bands]
            assert limits[-1] is None
            assert None not in limits[:-1]


STRICTNESS = [
    Expectation.ACCEPT,
    Expectation.ACCEPT_AND_DECLARE,
    Expectation.ORGANISATION_ONLY,
    Expectation.SENIOR_APPROVAL,
    Expectation.DECLINE,
]
POUNDS = st.decimals(0, 1000, places=2)


@given(st.sampled_from(GiftKind), st.sampled_from(GiftSource), POUNDS, POUNDS, st.data())
def test_of_two_offers_the_dearer_is_never_asked_less_of(
    kind: GiftKind, source: GiftSource, one: Decimal, other: Decimal, data: st.DataObject
) -> None:
    day = data.draw(st.dates(EDITIONS[0].starts_on, date(2030, 1, 1)))
    cheap, dear = sorted((one, other))
    assert STRICTNESS.index(expectation_of(kind, source, cheap, day)) <= STRICTNESS.index(
        expectation_of(kind, source, dear, day)
    )


def test_a_departure_is_an_acceptance_that_was_not_asked_for() -> None:
    def departs(expectation: Expectation, *, ours: bool = False, yes: bool = False) -> object:
        return departure_of(expectation, accepted=True, for_organisation=ours, approved=yes)

    assert departs(Expectation.ACCEPT) is None
    assert departs(Expectation.ACCEPT_AND_DECLARE) is None
    assert departs(Expectation.NONE_IN_FORCE) is None
    assert departs(Expectation.DECLINE, yes=True) is Departure.SHOULD_HAVE_BEEN_DECLINED
    assert departs(Expectation.ORGANISATION_ONLY) is Departure.ACCEPTED_PERSONALLY
    assert departs(Expectation.ORGANISATION_ONLY, ours=True) is None
    assert departs(Expectation.SENIOR_APPROVAL) is Departure.WITHOUT_SENIOR_APPROVAL
    assert departs(Expectation.SENIOR_APPROVAL, yes=True) is None


@given(st.sampled_from(Expectation))
def test_declining_never_departs(expectation: Expectation) -> None:
    for choice in (False, True):
        declined = departure_of(
            expectation, accepted=False, for_organisation=choice, approved=not choice
        )
        assert declined is None


# ------------------------------------------------------------------------------------- breaches


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("The chair and SMITH left.", "Bo Smith", [("SMITH", 15)]),
        ("Smith's practice", "Bo Smith", [("Smith", 1)]),
        ("A blacksmith, a smithy.", "Bo Smith", []),
        ("Dr Jose Nuñez", "José Nunez", [("Jose", 4), ("Nuñez", 9)]),
        ("Mr O\u2019Brien spoke", "Pat O'Brien", [("Brien", 6)]),
        ("The member for Smith-Jones", "A Smith-Jones", [("Smith", 16), ("Jones", 22)]),
        ("Bo and Li left", "Bo Li", []),
        ("It was bo  li again", "Bo Li", [("bo", 8)]),
        ("Li", "Bo Li", []),
        ("Smith_Jones", "Jones", [("Jones", 7)]),
        ("Nobody", "42", []),
    ],
)
def test_a_text_names_somebody_by_whole_words_of_their_name(
    text: str, name: str, found: list[tuple[str, int]]
) -> None:
    assert namings(text, [name]) == [Naming(word=word, position=at) for word, at in found]


LETTERS = st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x17F), min_size=3)


@given(LETTERS, st.text(max_size=20), st.text(max_size=20))
def test_a_name_is_found_wherever_it_stands(name: str, before: str, after: str) -> None:
    assert namings(f"{before} {name.upper()} {after}", [name])


# ----------------------------------------------------------------------------------- spreadsheets


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "\uff1d1", "=HYPERLINK()"],
)
def test_no_cell_is_carried_out(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@given(st.text(max_size=30))
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    cell = f"a{text}"
    assert defused(cell) == cell
    assert defused("") == ""


def test_a_table_is_quoted_and_says_it_is_utf_8() -> None:
    table = comma_separated(["A", "B"], [['say "hé"', "=1"], ["two\nlines", ""]])
    assert table == '\ufeff"A","B"\r\n"say ""hé""","\'=1"\r\n"two\nlines",""\r\n'.encode()
