"""What can be read of proposals to extend a tender after an interruption."""

from uuid import UUID

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from tenders.permissions.tenders import ensure_sees_inside
from tenders.queries.facts import facts_of
from tenders.schemas.extensions import ExtensionProposalView

_PROPOSALS = """
SELECT p.id, p.tender, p.deadline, i.began_at, i.ended_at, p.proposed_at, d.outcome,
    a.number AS amendment, d.reason, d.decided_at
FROM extension_proposal p JOIN interruption i ON i.id = p.interruption
LEFT JOIN extension_decision d ON d.proposal = p.id LEFT JOIN amendment a ON a.id = d.amendment
"""
_OF_TENDER = _PROPOSALS + " WHERE p.tender = $1 ORDER BY p.proposed_at, p.id"
_ONE = _PROPOSALS + " WHERE p.id = $1"


async def proposals(actor: Actor, tender_id: UUID) -> list[ExtensionProposalView]:
    """List a tender's proposals to extend, the first one first, for the house.

    Raises:
        NotFound: the tender is not visible to the actor.
        DutyNotTakenUp: the actor has not declared on taking their duty.
        Forbidden: the actor is a stranger to it.
    """
    async with reading(actor):
        ensure_sees_inside(actor, await facts_of(actor, tender_id))
        return await fetch(ExtensionProposalView, _OF_TENDER, tender_id)


async def proposal_of(proposal_id: UUID) -> ExtensionProposalView:
    """One proposal as it stands, inside a transaction that permits it afterwards.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(ExtensionProposalView, _ONE, proposal_id)
    if found is None:
        raise NotFound
    return found
