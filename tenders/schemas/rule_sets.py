"""Rule sets as everybody reads them."""

from datetime import date

import msgspec

from tenders.rules.rule_sets import Nation, Standstill, Telling


class RuleSetView(msgspec.Struct, frozen=True, kw_only=True):
    """A body of procurement law as the market applies it.

    `governs_tenders` says whether a tender can be published under it; which one it is follows from
    the day on which the procurement begins, is fixed at publication and never changes. One that
    cannot is here for comparison. No working day is a Saturday, a Sunday or a bank holiday in any
    part of the United Kingdom in `bank_holidays_of`. `minimum_tender_days` of 0 is no minimum.
    """

    name: str
    title: str
    effective_from: date
    effective_to: date | None
    governs_tenders: bool
    governs: str
    minimum_tender_days: int
    tender_period_ends_on_working_day: bool
    standstill: Standstill
    bank_holidays_of: list[Nation]
    telling: Telling
