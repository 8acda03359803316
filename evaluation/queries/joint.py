"""How the buyers of a lot stand to its award."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of
from evaluation.rules.exact import pounds
from evaluation.rules.joint import Buyer, BuyerPart
from evaluation.schemas.joint import BuyerStanding
from market.actor import Actor
from market.database import fetch, reading


class BuyerRow(msgspec.Struct, frozen=True):
    """A buyer of an awarded lot, as the database has it."""

    buyer: UUID
    name: str
    population: int
    value: Decimal
    part: BuyerPart | None
    decided_itself: bool
    reason: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    contract: str | None


async def buyer_standing(facts: LotFacts) -> list[BuyerRow]:
    """How each buyer stands to the award, for those who read it; inside a transaction."""
    return await fetch(BuyerRow, "SELECT * FROM buyers_of_award($1)", facts.lot)


async def buyers_of(facts: LotFacts) -> list[Buyer]:
    """The buyers of an awarded lot, for those who read its evaluation; inside a transaction."""
    return [
        Buyer(id=row.buyer, name=row.name, part=row.part, contracted=row.contract is not None)
        for row in await buyer_standing(facts)
    ]


async def buyer_decisions(actor: Actor, tender_id: UUID, lot_number: int) -> list[BuyerStanding]:
    """List the buyers of a lot with their shares and decisions; none before there is an award.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor has a duty that does not read the evaluation.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    async with reading(actor):
        facts = ensure_reads(
            await facts_of(actor, tender_id, lot_number),
            *READS_EVALUATION,
            what="its buyers' decisions",
        )
        rows = await buyer_standing(facts)
    return [
        BuyerStanding(
            buyer=row.buyer,
            name=row.name,
            population=row.population,
            value=pounds(row.value),
            part=row.part,
            decided_itself=row.decided_itself,
            reason=row.reason,
            decided_by_name=row.decided_by_name,
            decided_at=row.decided_at,
            contract=row.contract,
        )
        for row in rows
    ]
