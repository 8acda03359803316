"""The facts by which permissions decide about a tender, read or held inside a transaction."""

from uuid import UUID

from market.actor import Actor
from market.database import fetch_one, fetch_value
from tenders.permissions.tenders import TenderFacts

_FACTS = """
SELECT t.id, t.buyer, t.title, t.stage, t.redraft, t.version, t.demonstration, t.rule_set_date,
       t.clarifications_until, t.deadline, t.contract_starts, t.published_at, t.opened_at,
       market_now() AS now,
       s.duties, s.offered, s.suspended,
       EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = t.id AND b.organisation = $3)
           AS for_buyer
FROM tender t CROSS JOIN LATERAL my_duties(t.id, $2, $3) s WHERE t.id = $1
"""


async def facts_of(actor: Actor, tender_id: UUID) -> TenderFacts | None:
    """Read what decides about an act of the actor in a tender; None if there is no such tender."""
    return await fetch_one(TenderFacts, _FACTS, tender_id, actor.person, actor.organisation)


async def hold(actor: Actor, tender_id: UUID) -> TenderFacts | None:
    """Lock the tender until the command ends, and read what decides, as it is then.

    Two statements, since what a statement reads beside the row it waits for may be of before the
    wait. Everything that locks a tender and a person or organisation locks the tender first.
    """
    await fetch_value("SELECT id FROM tender WHERE id = $1 FOR NO KEY UPDATE", tender_id)
    return await facts_of(actor, tender_id)
