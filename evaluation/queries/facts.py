"""The facts by which permissions decide about a lot, read or held inside a transaction."""

from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts
from market.actor import Actor
from market.database import fetch_one, fetch_value
from tenders.rules.requirement import Lot, Requirement

# Who bids is not asked for before the opening: even that a declaration is missing would tell. Which
# tender the transaction is about narrows what row-level security looks at (`about_tender`).
_FACTS = """
SELECT l.id AS lot, l.tender, l.number, l.title, l.stage, l.version, l.minimum_quality,
       l.quality_weight, l.price_weight, l.evaluators_minimum, l.approval_quorum,
       l.abandoned_because, t.reference, t.title AS tender_title, t.rule_set,
       t.published_requirement AS requirement, t.opened_at IS NOT NULL AS opened,
       s.duties, s.offered, s.suspended,
       CASE WHEN t.opened_at IS NOT NULL THEN my_conflict(t.id) END AS conflict,
       (SELECT e.ends_at FROM standstill e WHERE e.award = latest_award(l.id))
       AS standstill_ends_at, lot_on_hold(l.id) AS on_hold,
       l.id IN (SELECT lots_kept_fresh()) AS kept_fresh, round_of(l.id) AS round,
       market_now() AS now, set_config('market.tender', l.tender::text, true) AS about
FROM lot l JOIN tender t ON t.id = l.tender
CROSS JOIN LATERAL my_duties(t.id, $3, $4) s WHERE l.tender = $1 AND l.number = $2
"""

_HOLD_LOT = "SELECT id FROM lot WHERE tender = $1 AND number = $2 FOR NO KEY UPDATE"
_SHARE_LOT = "SELECT id FROM lot WHERE tender = $1 AND number = $2 FOR SHARE"
_HOLD_PERSON = "SELECT id FROM person WHERE id = $1 FOR NO KEY UPDATE"
_SHARE_PERSON = "SELECT id FROM person WHERE id = $1 FOR SHARE"
_NUMBERS = range(1, 1_001)  # a path may hold any number of digits, a column may not


class _Content(msgspec.Struct, frozen=True):
    content: str


async def facts_of(actor: Actor, tender_id: UUID, lot_number: int) -> LotFacts | None:
    """Read what decides about an act of the actor on a lot; None if there is no such lot."""
    if lot_number not in _NUMBERS:
        return None
    return await fetch_one(
        LotFacts, _FACTS, tender_id, lot_number, actor.person, actor.organisation
    )


async def hold(actor: Actor, tender_id: UUID, lot_number: int) -> LotFacts | None:
    """Lock the lot for a decision about it until the command ends, and read what decides.

    Statements of their own, since what a statement reads beside the row it waits for may be of
    before the wait. The lot is locked before the person, here and in the guards; the person, so
    that no interest is declared and no duty changes between the look and the act.
    """
    return await _locked(actor, tender_id, lot_number, _HOLD_LOT, _SHARE_PERSON)


async def share(
    actor: Actor, tender_id: UUID, lot_number: int, *, finishing: bool = False
) -> LotFacts | None:
    """Share the lot with others who score it, and read what decides; see `hold`.

    Who is `finishing` waits for their own scores in flight.
    """
    person = _HOLD_PERSON if finishing else _SHARE_PERSON
    return await _locked(actor, tender_id, lot_number, _SHARE_LOT, person)


async def _locked(
    actor: Actor, tender_id: UUID, lot_number: int, lot: str, person: str
) -> LotFacts | None:
    if lot_number not in _NUMBERS:
        return None
    await fetch_value(lot, tender_id, lot_number)
    await fetch_value(person, actor.person)
    return await facts_of(actor, tender_id, lot_number)


async def published_requirement(facts: LotFacts) -> tuple[Requirement, Lot]:
    """The requirement as it was published, and the lot in it."""
    row = await fetch_one(
        _Content,
        "SELECT content FROM requirement_version WHERE tender = $1 AND number = $2",
        facts.tender,
        facts.requirement,
    )
    if row is None:
        message = f"The published requirement of tender {facts.tender} is missing."
        raise LookupError(message)
    requirement = msgspec.json.decode(row.content, type=Requirement)
    return requirement, next(lot for lot in requirement.lots if lot.number == facts.number)
