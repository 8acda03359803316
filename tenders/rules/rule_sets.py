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


class ComparedName(StrEnum):
    """Rule sets that are known for comparison alone: no tender is published under them."""

    PROVIDER_SELECTION_REGIME_2023 = "provider_selection_regime_2023"


class Nation(StrEnum):
    """The parts of the United Kingdom, by the codes of ISO 3166-2:GB."""

    ENGLAND = "ENG"
    WALES = "WLS"
    SCOTLAND = "SCT"
    NORTHERN_IRELAND = "NIR"


class Standstill(Struct, frozen=True, kw_only=True):
    """How a standstill is counted, from the day the decision was sent or published.

    The first day that may count is so many days after that one: none where that day itself counts.
    """

    days: int
    counts_working_days: bool
    first_day_counted: int
    ends_on_working_day: bool
    law: str


class Telling(Struct, frozen=True, kw_only=True):
    """What each bidder is told of the decision, and what everybody is: in which form, by which law.

    `compares` says that the characteristics and relative advantages of the successful tender are
    set against the recipient's own.
    """

    title: str
    law: str
    compares: bool
    wants: tuple[str, ...]
    published_as: str


class RuleSet(Struct, frozen=True, kw_only=True):
    """A body of procurement law as the market applies it; chosen and frozen at publication.

    `effective_to` is the last day on which a procurement could begin under it, `None` while it
    is in force. A working day is one that is not a Saturday, a Sunday or a bank holiday in any
    of `bank_holidays_of`. `governs` says of which procurements it is the law, and so whether it
    can be a tender's.
    """

    name: RuleSetName | ComparedName
    title: str
    effective_from: date
    effective_to: date | None
    minimum_tender_days: int
    tender_period_ends_on_working_day: bool
    standstill: Standstill
    bank_holidays_of: tuple[Nation, ...]
    telling: Telling
    governs: str


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
        days=10,
        counts_working_days=False,
        first_day_counted=1,
        ends_on_working_day=True,
        law="Regulation 87 of the Public Contracts Regulations 2015",
    ),
    bank_holidays_of=(Nation.ENGLAND,),
    telling=Telling(
        title="Notice of the decision to award a contract",
        law="Regulation 86 of the Public Contracts Regulations 2015",
        compares=True,
        wants=(
            "the criteria for the award",
            "the reasons for the decision",
            "the characteristics and relative advantages of the successful tender",
            "the score of the recipient and of the successful tenderer",
            "the name of the successful tenderer",
            "when the standstill ends, or before what date the contract will not be made",
        ),
        published_as="Contract award notice, regulation 50 of the Public Contracts Regulations"
        " 2015",
    ),
    governs="Procurements that began before 24 February 2025.",
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
        days=8,
        counts_working_days=True,
        first_day_counted=0,
        ends_on_working_day=True,
        law="Section 51 of the Procurement Act 2023",
    ),
    bank_holidays_of=(
        Nation.ENGLAND,
        Nation.WALES,
        Nation.SCOTLAND,
        Nation.NORTHERN_IRELAND,
    ),
    telling=Telling(
        title="Assessment summary",
        law="Section 50 of the Procurement Act 2023 and regulation 31 of the Procurement"
        " Regulations 2024",
        compares=False,
        wants=(
            "the titles of the award criteria, their relative importance and the scale of scores",
            "the recipient's score for each criterion, explained by reference to its tender",
            "subtotals of criteria that hold others, and the total",
            "the same of the successful tender, for every recipient but the successful one",
            "why a tender was unsuccessful",
        ),
        published_as="Contract award notice, section 50 of the Procurement Act 2023",
    ),
    governs="Procurements that began on or after 24 February 2025.",
)
# Known so that a standstill or a letter can be compared with those of health care services; never
# a tender's own: commissioning support is no health care service, and the Regime leaves out
# "business consultancy, administration".
PROVIDER_SELECTION_REGIME_2023: Final = RuleSet(
    name=ComparedName.PROVIDER_SELECTION_REGIME_2023,
    title="Health Care Services (Provider Selection Regime) Regulations 2023",
    effective_from=date(2024, 1, 1),
    effective_to=None,
    minimum_tender_days=0,
    tender_period_ends_on_working_day=False,
    # Regulation 12: it begins on the day after publication, and ends with the eighth working day
    # after the day on which it begins.
    standstill=Standstill(
        days=8,
        counts_working_days=True,
        first_day_counted=2,
        ends_on_working_day=True,
        law="Regulation 12 of the Health Care Services (Provider Selection Regime) Regulations"
        " 2023",
    ),
    bank_holidays_of=(Nation.ENGLAND,),
    telling=Telling(
        title="Notice of the intention to make an award",
        law="Regulations 11 and 24 of, and schedule 10 to, the Health Care Services (Provider"
        " Selection Regime) Regulations 2023",
        compares=False,
        wants=(
            "how the key criteria and the basic selection criteria were applied",
            "which conflicts of interest were declared, and how each was managed",
            "until when representations may be made",
        ),
        published_as="Intention to award notice",
    ),
    governs="Relevant health care services alone, by their codes of the Common Procurement"
    " Vocabulary; never commissioning support, so no tender of the market.",
)
RULE_SETS: Final[Mapping[RuleSetName, RuleSet]] = MappingProxyType(
    {
        RuleSetName.PCR_2015: PCR_2015,
        RuleSetName.PROCUREMENT_ACT_2023: PROCUREMENT_ACT_2023,
    }
)
"""Those that a tender may be published under, the earliest first."""
KNOWN: Final = (*RULE_SETS.values(), PROVIDER_SELECTION_REGIME_2023)
"""All that the market knows, for comparison."""


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
    day = sent + timedelta(days=rule.first_day_counted)
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

    Sources: Public Contracts Regulations 2015, regulation 87; Procurement Act 2023, section 51;
    Health Care Services (Provider Selection Regime) Regulations 2023, regulation 12.
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
