"""The contract award notice: the public part of what is told of an award."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct, structs

from evaluation.rules.exact import pounds
from evaluation.rules.notice_content import JudgedLot, Published
from evaluation.rules.notices import published
from market.money import Money
from tenders.rules.rule_sets import RULE_SETS, RuleSetName


class Awarded(Struct, frozen=True, kw_only=True):
    """An award whose bidders have been told."""

    description: str
    term_months: int
    supplier: str
    contract_value: Decimal
    tenders_received: int
    awarded_at: datetime
    notified_at: datetime
    standstill_ends_at: datetime


class ContractAwardNotice(Published, frozen=True, kw_only=True):
    """Whose tender was successful, for how much, and by which published criteria.

    `summaries_sent_at` is when every bidder was told. Nothing is told of a score, nor of any other
    bidder but how many tenders there were.
    Source: Procurement Act 2023, section 50; Public Contracts Regulations 2015, regulation 50.
    """

    notice: str
    law: str
    description: str
    term_months: int
    supplier: str
    contract_value: Money
    tenders_received: int
    awarded_at: datetime
    summaries_sent_at: datetime
    standstill_ends_at: datetime


def contract_award_notice(lot: JudgedLot, award: Awarded) -> ContractAwardNotice:
    """Make the public notice of the record that the bidders' own notices were made of."""
    law = RULE_SETS[RuleSetName(lot.rule_set)]
    return ContractAwardNotice(
        **structs.asdict(published(lot)),
        notice=law.telling.published_as,
        law=law.title,
        description=award.description,
        term_months=award.term_months,
        supplier=award.supplier,
        contract_value=pounds(award.contract_value),
        tenders_received=award.tenders_received,
        awarded_at=award.awarded_at,
        summaries_sent_at=award.notified_at,
        standstill_ends_at=award.standstill_ends_at,
    )
