from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenders.rules.rule_sets import (
    KNOWN,
    LONDON,
    PCR_2015,
    PROCUREMENT_ACT_2023,
    PROVIDER_SELECTION_REGIME_2023,
    RULE_SETS,
    NoRuleSet,
    RuleSet,
    is_working_day,
    minimum_deadline,
    rule_set_on,
    standstill_end,
    standstill_last_day,
)

DAYS = st.dates(min_value=date(2015, 2, 26), max_value=date(2035, 12, 31))
ONE_DAY = timedelta(days=1)


def london(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("day", "rule_set"),
    [
        (date(2015, 2, 26), PCR_2015),
        (date(2025, 2, 23), PCR_2015),
        (date(2025, 2, 24), PROCUREMENT_ACT_2023),
        (date(2099, 1, 1), PROCUREMENT_ACT_2023),
    ],
)
def test_the_day_a_procurement_begins_decides_its_rules(day: date, rule_set: RuleSet) -> None:
    assert rule_set_on(day) is rule_set


def test_a_day_before_the_first_rule_set_is_refused_with_the_reason() -> None:
    with pytest.raises(NoRuleSet, match=r"for 25 February 2015; the earliest .* 26 February 2015"):
        rule_set_on(date(2015, 2, 25))


def test_rule_sets_follow_each_other_without_gap_or_overlap() -> None:
    ordered = list(RULE_SETS.values())
    for earlier, later in pairwise(ordered):
        assert earlier.effective_to == later.effective_from - ONE_DAY
    assert ordered[-1].effective_to is None


def test_rule_sets_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError):
        RULE_SETS[PCR_2015.name] = PROCUREMENT_ACT_2023  # type: ignore[index] # that is the point
    with pytest.raises(AttributeError):
        PCR_2015.minimum_tender_days = 1  # type: ignore[misc] # that is the point


def test_a_standstill_over_easter_2010_ends_as_in_the_published_example() -> None:
    """Letters e-mailed on Tuesday 23 March; the tenth day is Good Friday, Monday is Easter."""
    sent = date(2010, 3, 23)
    assert standstill_last_day(PCR_2015, sent) == date(2010, 4, 6)
    assert standstill_end(PCR_2015, sent) == london(2010, 4, 7)


@pytest.mark.parametrize(
    ("sent", "last_day"),
    [
        (date(2024, 11, 22), date(2024, 12, 2)),  # the tenth day itself is a Monday
        (date(2024, 12, 13), date(2024, 12, 23)),
        (date(2024, 12, 16), date(2024, 12, 27)),  # the tenth day is Boxing Day
        (date(2024, 7, 2), date(2024, 7, 12)),  # a holiday in Northern Ireland alone
    ],
)
def test_a_standstill_of_the_regulations_ends_on_a_working_day_of_england(
    sent: date, last_day: date
) -> None:
    assert standstill_last_day(PCR_2015, sent) == last_day


@pytest.mark.parametrize(
    ("published", "last_day"),
    [
        (date(2026, 9, 7), date(2026, 9, 16)),  # Monday: eight working days with it
        (date(2026, 9, 5), date(2026, 9, 16)),  # Saturday counts from the Monday
        (date(2025, 12, 18), date(2025, 12, 31)),  # every bank holiday of a December
        (date(2026, 7, 9), date(2026, 7, 21)),  # 13 July: Northern Ireland, observed
        (date(2026, 7, 31), date(2026, 8, 12)),  # 3 August: Scotland
        (date(2026, 3, 12), date(2026, 3, 24)),  # 17 March: Northern Ireland
    ],
)
def test_a_standstill_of_the_act_is_eight_working_days_of_the_whole_kingdom(
    published: date, last_day: date
) -> None:
    assert standstill_last_day(PROCUREMENT_ACT_2023, published) == last_day


@pytest.mark.parametrize(
    ("published", "last_day"),
    [
        (date(2026, 9, 7), date(2026, 9, 18)),  # it begins on Tuesday; eight working days after it
        (date(2026, 9, 4), date(2026, 9, 16)),  # it begins on a Saturday
        (date(2025, 12, 18), date(2026, 1, 5)),  # Christmas, Boxing Day and New Year's Day
        (date(2026, 7, 9), date(2026, 7, 22)),  # a holiday in Northern Ireland alone
    ],
)
def test_a_standstill_of_the_regime_begins_the_day_after_and_counts_from_the_next(
    published: date, last_day: date
) -> None:
    assert standstill_last_day(PROVIDER_SELECTION_REGIME_2023, published) == last_day


def test_the_regime_for_health_care_services_governs_no_tender() -> None:
    assert set(RULE_SETS.values()) == set(KNOWN) - {PROVIDER_SELECTION_REGIME_2023}
    for day in (date(2024, 1, 1), date(2024, 6, 1), date(2026, 1, 1)):
        assert rule_set_on(day) is not PROVIDER_SELECTION_REGIME_2023


def test_the_contract_may_be_made_from_midnight_in_london_in_winter_and_in_summer() -> None:
    winter = standstill_end(PCR_2015, date(2024, 11, 22))
    summer = standstill_end(PCR_2015, date(2024, 7, 2))
    assert winter == datetime(2024, 12, 3, tzinfo=UTC)
    assert summer == datetime(2024, 7, 12, 23, tzinfo=UTC)
    assert winter.tzinfo is summer.tzinfo is UTC


def test_a_standstill_across_the_change_of_clocks_still_ends_at_midnight() -> None:
    """Clocks went forward on 30 March 2025, inside the ten days."""
    assert standstill_end(PCR_2015, date(2025, 3, 24)) == datetime(2025, 4, 3, 23, tzinfo=UTC)


@given(DAYS)
def test_a_standstill_of_the_regulations_lasts_ten_days_or_to_the_next_working_day(
    sent: date,
) -> None:
    last_day = standstill_last_day(PCR_2015, sent)
    assert is_working_day(PCR_2015, last_day)
    between = [sent + ONE_DAY * count for count in range(10, (last_day - sent).days)]
    assert not any(is_working_day(PCR_2015, day) for day in between)


@given(DAYS)
def test_a_standstill_of_the_act_holds_exactly_eight_working_days(published: date) -> None:
    last_day = standstill_last_day(PROCUREMENT_ACT_2023, published)
    days = [published + ONE_DAY * count for count in range((last_day - published).days + 1)]
    working = [day for day in days if is_working_day(PROCUREMENT_ACT_2023, day)]
    assert len(working) == 8
    assert working[-1] == last_day


@given(DAYS, st.sampled_from(KNOWN))
def test_a_standstill_always_ends_at_a_london_midnight_and_never_earlier_for_later_notices(
    sent: date, rule_set: RuleSet
) -> None:
    end = standstill_end(rule_set, sent)
    local = end.astimezone(LONDON)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert local.date() - ONE_DAY == standstill_last_day(rule_set, sent)
    assert standstill_end(rule_set, sent + ONE_DAY) >= end


@pytest.mark.parametrize(
    ("rule_set", "published", "deadline"),
    [
        # Thirty whole days after Monday 3 June 2024; the last is Wednesday 3 July.
        (PCR_2015, london(2024, 6, 3, 9), london(2024, 7, 4)),
        # The thirtieth day is Saturday 2 November 2024; Monday is the next working day.
        (PCR_2015, london(2024, 10, 3, 17), london(2024, 11, 5)),
        (PROCUREMENT_ACT_2023, london(2026, 9, 1, 9), london(2026, 9, 27)),
        # Across the end of summer time.
        (PROCUREMENT_ACT_2023, london(2026, 10, 12, 9), london(2026, 11, 7)),
    ],
)
def test_the_earliest_deadline_leaves_every_day_of_the_minimum_whole(
    rule_set: RuleSet, published: datetime, deadline: datetime
) -> None:
    assert minimum_deadline(rule_set, published) == deadline


def test_the_day_of_publication_is_the_day_in_london() -> None:
    """Half past eleven at night in UTC is already the next day in a London summer."""
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert minimum_deadline(PROCUREMENT_ACT_2023, late) == london(2026, 7, 28)


def test_a_time_of_publication_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        minimum_deadline(PCR_2015, datetime(2024, 6, 3, 9))  # noqa: DTZ001 - that is the point


@given(
    st.datetimes(min_value=datetime(2015, 3, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
    st.sampled_from(list(RULE_SETS.values())),
)
def test_a_deadline_is_never_nearer_than_the_minimum_of_whole_days(
    moment: datetime, rule_set: RuleSet
) -> None:
    published = moment.replace(tzinfo=UTC)
    days = minimum_deadline(rule_set, published).astimezone(LONDON).date() - (
        published.astimezone(LONDON).date()
    )
    assert days.days > rule_set.minimum_tender_days
