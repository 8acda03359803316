"""The procurement law that governs a tender, as data with effective dates, and its calendars."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import holidays
from msgspec import Struct

LONDON: Final = ZoneInfo("Europe/London")
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class NoRuleSet(ValueError):
    """No rule set of the market was in force on the date."""


class RuleSetName(StrEnum):
    """The rule sets a tender may be published under."""

    PCR_2015 = "pcr_2015"
    PROCUREMENT_ACT_2023 = "procurement_act_2023"


class Nation(StrEnum):
    """The parts of the United Kingdom, by the codes of ISO 3166-2:GB."""

    ENGLAND = "ENG"
    WALES = "WLS"
    SCOTLAND = "SCT"
    NORTHERN_IRELAND = "NIR"


class Standstill(Struct, frozen=True, kw_only=True):
    """How a standstill is counted, from the day the decision was sent or published."""

    days: int
    counts_working_days: bool
    counts_day_of_notice: bool
    ends_on_working_day: bool


class RuleSet(Struct, frozen=True, kw_only=True):
    """A body of procurement law as the market applies it; chosen and frozen at publication.

    `effective_to` is the last day on which a procurement could begin under it, `None` while it
    is in force. A working day is one that is not a Saturday, a Sunday or a bank holiday in any
    of `bank_holidays_of`.
    """

    name: RuleSetName
    title: str
    effective_from: date
    effective_to: date | None
    minimum_tender_days: int
    tender_period_ends_on_working_day: bool
    standstill: Standstill
    bank_holidays_of: tuple[Nation, ...]


PCR_2015: Final = RuleSet(
    name=RuleSetName.PCR_2015,
    title="Public Contracts Regulations 2015",
    effective_from=date(2015, 2, 26),
    effective_to=date(2025, 2, 23),
    # Regulation 27: 35 days, or 30 where tenders may be submitted electronically, as here.
    minimum_tender_days=30,
    # Periods under the Regulations end on a working day.
    tender_period_ends_on_working_day=True,
    # Regulation 87, for notices sent electronically to all; the market sends no others.
    standstill=Standstill(
        days=10, counts_working_days=False, counts_day_of_notice=False, ends_on_working_day=True
    ),
    bank_holidays_of=(Nation.ENGLAND,),
)
PROCUREMENT_ACT_2023: Final = RuleSet(
    name=RuleSetName.PROCUREMENT_ACT_2023,
    title="Procurement Act 2023",
    effective_from=date(2025, 2, 24),
    effective_to=None,
    # Section 54: electronic submission, all tender documents published with the notice.
    minimum_tender_days=25,
    tender_period_ends_on_working_day=False,
    # Section 51: eight working days beginning with the day the award notice is published.
    standstill=Standstill(
        days=8, counts_working_days=True, counts_day_of_notice=True, ends_on_working_day=True
    ),
    bank_holidays_of=(
        Nation.ENGLAND,
        Nation.WALES,
        Nation.SCOTLAND,
        Nation.NORTHERN_IRELAND,
    ),
)
RULE_SETS: Final[Mapping[RuleSetName, RuleSet]] = MappingProxyType(
    {rule_set.name: rule_set for rule_set in (PCR_2015, PROCUREMENT_ACT_2023)}
)


def rule_set_on(day: date) -> RuleSet:
    """Return the rules for a procurement that begins on a London civil date.

    Raises `NoRuleSet` for a day before 26 February 2015.
    """
    for rule_set in RULE_SETS.values():
        if rule_set.effective_from <= day <= (rule_set.effective_to or date.max):
            return rule_set
    raise NoRuleSet(
        f"The market has no procurement rules for {day:%d %B %Y}; the earliest it applies are the"
        f" {PCR_2015.title}, from {PCR_2015.effective_from:%d %B %Y}."
    )


def is_working_day(rule_set: RuleSet, day: date) -> bool:
    """Say whether a day is a working day under the rule set."""
    return day.weekday() < _SATURDAY and not any(
        day in _bank_holidays(nation, day.year) for nation in rule_set.bank_holidays_of
    )


def standstill_last_day(rule_set: RuleSet, sent: date) -> date:
    """Return the last London civil day of a standstill whose notices went out on `sent`."""
    rule = rule_set.standstill
    day = sent if rule.counts_day_of_notice else sent + _ONE_DAY
    left = rule.days
    while True:
        if not rule.counts_working_days or is_working_day(rule_set, day):
            left -= 1
        if left <= 0 and (not rule.ends_on_working_day or is_working_day(rule_set, day)):
            return day
        day += _ONE_DAY


def standstill_end(rule_set: RuleSet, sent: date) -> datetime:
    """Return the first instant, in UTC, at which the contract may be made.

    That is midnight in London at the end of the last day. Bank holidays are those known when
    this is computed: compute once, store, and compare with what was stored.

    Sources: Public Contracts Regulations 2015, regulation 87; Procurement Act 2023, section 51.
    """
    return end_of(standstill_last_day(rule_set, sent))


def minimum_deadline(rule_set: RuleSet, published: datetime) -> datetime:
    """Return the earliest lawful deadline, in UTC, for a tender published at an instant.

    The London day of publication does not count and every day after it counts whole, so this is
    the midnight that ends the last of them; a clock change inside the period moves nothing.
    Raises `ValueError` for an instant without a time zone.

    Sources: Public Contracts Regulations 2015, regulation 27; Procurement Act 2023, section 54.
    """
    if published.tzinfo is None:
        raise ValueError("The time of publication needs a time zone.")
    day = published.astimezone(LONDON).date() + timedelta(days=rule_set.minimum_tender_days)
    while rule_set.tender_period_ends_on_working_day and not is_working_day(rule_set, day):
        day += _ONE_DAY
    return end_of(day)


def end_of(day: date) -> datetime:
    """Return midnight in London at the end of a civil day, in UTC."""
    return datetime.combine(day + _ONE_DAY, time.min, tzinfo=LONDON).astimezone(UTC)


@cache
def _bank_holidays(nation: Nation, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=nation.value, years=year))
