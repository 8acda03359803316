"""The contract award notice of a lot, as everybody reads it."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from evaluation.queries.facts import facts_of, published_requirement
from evaluation.queries.judged import judged_lot
from evaluation.rules.award_notice import Awarded, ContractAwardNotice, contract_award_notice
from market.actor import Actor
from market.database import fetch_one, reading
from market.errors import NotFound

_AWARD: Final = "SELECT * FROM published_award($1)"


class _Award(msgspec.Struct, frozen=True):
    supplier_name: str
    price: Decimal
    bids: int
    method: str
    method_version: int
    awarded_at: datetime
    notified_at: datetime
    standstill_ends_at: datetime


async def award_notice(actor: Actor, tender_id: UUID, lot_number: int) -> ContractAwardNotice:
    """Show everybody the contract award notice of a lot, once its bidders have been told.

    Raises:
        NotFound: no such lot, or its bidders have not been told yet.
    """
    async with reading(actor):
        facts = await facts_of(actor, tender_id, lot_number)
        found = None if facts is None else await fetch_one(_Award, _AWARD, facts.lot)
        if facts is None or found is None:
            raise NotFound
        _, lot = await published_requirement(facts)
        return contract_award_notice(
            await judged_lot(facts, found.method, found.method_version),
            Awarded(
                description=lot.description,
                term_months=lot.term_months,
                supplier=found.supplier_name,
                contract_value=found.price,
                tenders_received=found.bids,
                awarded_at=found.awarded_at,
                notified_at=found.notified_at,
                standstill_ends_at=found.standstill_ends_at,
            ),
        )
