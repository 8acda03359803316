"""What each rule set asks of a contract that runs: indicators before it, limits of its changes."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from tenders.rules.rule_sets import RuleSetName


class KpiRule(Struct, frozen=True, kw_only=True):
    """How many indicators are set before a contract whose estimated value is above a sum."""

    above: Decimal
    minimum: int


class ChangeGround(StrEnum):
    """On what ground a contract may be changed without buying anew."""

    REVIEW_CLAUSE = "review_clause"
    PROVIDED_FOR = "provided_for"
    URGENCY = "urgency"
    ADDITIONAL_SERVICES = "additional_services"
    UNFORESEEN = "unforeseen"
    KNOWN_RISK = "known_risk"
    NEW_CONTRACTOR = "new_contractor"
    NOT_SUBSTANTIAL = "not_substantial"
    SMALL_VALUE = "small_value"


class ChangeLimit(Struct, frozen=True, kw_only=True):
    """How far one ground goes, in per cent of what was awarded; None is no limit in figures.

    `increases_only` leaves reductions free; `strictly_below` refuses the limit itself; `cumulative`
    counts all changes of value since the award, otherwise each change counts by itself. The term's
    limit counts all changes of the term, where the change is one.
    """

    source: str
    value_percent: int | None = None
    increases_only: bool = False
    strictly_below: bool = False
    cumulative: bool = False
    term_percent: int | None = None


class ContractRules(Struct, frozen=True, kw_only=True):
    """The rules of one rule set; the database holds the same (`kpi_rule`, `change_rule`)."""

    kpis: KpiRule | None
    changes: Mapping[ChangeGround, ChangeLimit]


_PCR: Final = "Public Contracts Regulations 2015, regulation 72"
_ACT: Final = "Procurement Act 2023, section 74"
_SCHEDULE: Final = "Procurement Act 2023, Schedule 8"

CONTRACT_RULES: Final[Mapping[RuleSetName, ContractRules]] = MappingProxyType(
    {
        RuleSetName.PCR_2015: ContractRules(
            kpis=None,
            changes={
                ChangeGround.REVIEW_CLAUSE: ChangeLimit(source=f"{_PCR}(1)(a)"),
                ChangeGround.ADDITIONAL_SERVICES: ChangeLimit(
                    source=f"{_PCR}(1)(b)", value_percent=50, increases_only=True
                ),
                ChangeGround.UNFORESEEN: ChangeLimit(
                    source=f"{_PCR}(1)(c)", value_percent=50, increases_only=True
                ),
                # Only where it entails no other substantial modification: (1)(d)(ii).
                ChangeGround.NEW_CONTRACTOR: ChangeLimit(
                    source=f"{_PCR}(1)(d)", value_percent=0, term_percent=0
                ),
                ChangeGround.NOT_SUBSTANTIAL: ChangeLimit(source=f"{_PCR}(1)(e) and (8)"),
                ChangeGround.SMALL_VALUE: ChangeLimit(
                    source=f"{_PCR}(1)(f) and (5)",
                    value_percent=10,
                    strictly_below=True,
                    cumulative=True,
                ),
            },
        ),
        RuleSetName.PROCUREMENT_ACT_2023: ContractRules(
            # Section 52: more than £5 million, at least three.
            kpis=KpiRule(above=Decimal(5_000_000), minimum=3),
            changes={
                ChangeGround.PROVIDED_FOR: ChangeLimit(source=_SCHEDULE),
                ChangeGround.URGENCY: ChangeLimit(source=_SCHEDULE),
                ChangeGround.UNFORESEEN: ChangeLimit(
                    source=_SCHEDULE, value_percent=50, increases_only=True
                ),
                ChangeGround.KNOWN_RISK: ChangeLimit(
                    source=_SCHEDULE, value_percent=50, increases_only=True
                ),
                ChangeGround.ADDITIONAL_SERVICES: ChangeLimit(
                    source=_SCHEDULE, value_percent=50, increases_only=True
                ),
                # A transfer on corporate restructuring alters who performs, nothing else.
                ChangeGround.NEW_CONTRACTOR: ChangeLimit(
                    source=_SCHEDULE, value_percent=0, term_percent=0
                ),
                ChangeGround.NOT_SUBSTANTIAL: ChangeLimit(source=f"{_ACT}(3)", term_percent=10),
                ChangeGround.SMALL_VALUE: ChangeLimit(source=f"{_ACT}(4)", value_percent=10),
            },
        ),
    }
)
"""What each rule set asks.

Whether the sum of small changes stays below the threshold of publication is not computed: which
threshold is a buyer's own follows from what kind of authority it is, which the market does not
hold.
"""
