"""Deciding whether an interruption of the market puts a deadline off."""

from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute
from market.events.commands import record
from tenders.commands.amendments import put_into_effect
from tenders.errors import ExtensionDecided, ExtensionFaulty
from tenders.permissions.tenders import ensure_may
from tenders.queries.extensions import proposal_of
from tenders.queries.facts import hold
from tenders.rules.duties import Duty
from tenders.rules.extensions import ExtensionOutcome, extension_faults
from tenders.rules.stages import TenderStage
from tenders.schemas.extensions import DecideExtension, ExtensionProposalView

_SUMMARY = "The deadline is put off after an interruption of the market"

_DECIDE = """
INSERT INTO extension_decision (id, proposal, outcome, amendment, reason, decided_by)
VALUES ($1, $2, $3, $4, $5, $6)
"""


@command
async def decide_extension(
    actor: Actor, proposal_id: UUID, given: DecideExtension
) -> ExtensionProposalView:
    """Accept a proposal, which amends the tender at once and opens it for bids again, or decline.

    It is the one way in which a deadline moves after it has passed. Bids refused as late meanwhile
    can then be given; those that stood still stand.

    Raises:
        NotFound: no such proposal.
        DutyNeeded: the actor is not the tender's manager.
        ExtensionDecided: it was decided before, or the tender takes no bids any more.
        ExtensionFaulty: with every fault.
        AmendmentTooLate: the opening has begun, so that the deadline stays.
    """
    tender_id = (await proposal_of(proposal_id)).tender
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="put its deadline off"
    )
    # read again: whoever held the tender may have decided
    if facts.deadline is None or facts.stage is not TenderStage.PUBLISHED:
        raise ExtensionDecided
    if (await proposal_of(proposal_id)).outcome is not None:
        raise ExtensionDecided
    faults = list(
        extension_faults(
            facts.now,
            outcome=given.outcome,
            standing=facts.deadline,
            deadline=given.deadline,
            contract_starts=facts.contract_starts,
        )
    )
    if faults:
        raise ExtensionFaulty(faults[0].reason, faults=faults)
    amendment = None
    if given.outcome is ExtensionOutcome.ACCEPTED:
        amendment, _ = await put_into_effect(
            actor,
            tender_id,
            summary=_SUMMARY,
            reason=given.reason,
            material=False,
            requirement=None,
            deadline=given.deadline,
        )
    await execute(
        _DECIDE, uuid4(), proposal_id, given.outcome.value, amendment, given.reason, actor.person
    )
    await record(
        actor,
        "extension.decided",
        "extension_proposal",
        proposal_id,
        tender=tender_id,
        private={"reason": given.reason},
        outcome=given.outcome.value,
    )
    return await proposal_of(proposal_id)
