"""Acts of the review: asking for it, giving it, taking an approved requirement back to draft."""

from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.events.commands import record
from tenders.commands.stages import move, move_redraft
from tenders.errors import NotInReview, RequirementMissing
from tenders.permissions.tenders import TenderFacts, ensure_may, ensure_stage
from tenders.queries.facts import hold
from tenders.queries.tenders import view_of
from tenders.rules.duties import Duty
from tenders.rules.stages import RedraftStage, TenderStage
from tenders.schemas.tenders import GiveReview, ReviewOutcome, TenderView

_LATEST = "SELECT max(number) FROM requirement_version WHERE tender = $1"


@command
async def request_review(actor: Actor, tender_id: UUID, version: int) -> TenderView:
    """Hand the requirement to its independent reviewers; it is not edited meanwhile.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        TransitionRefused: neither the tender nor a change of its requirement is a draft.
        RequirementMissing: nothing has been written.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor,
        await hold(actor, tender_id),
        Duty.TENDER_MANAGER,
        to="ask for its review",
        version=version,
    )
    latest: int | None = await fetch_value(_LATEST, tender_id)
    if facts.stage is TenderStage.DRAFT and latest is None:
        raise RequirementMissing
    if _redrafting(facts, RedraftStage.DRAFT):
        await move_redraft(facts, RedraftStage.IN_REVIEW)
    else:
        await move(facts, TenderStage.IN_REVIEW, to="be reviewed")
    await record(
        actor, "review.requested", "tender", tender_id, tender=tender_id, requirement=latest
    )
    return await view_of(tender_id, facts.duties)


@command
async def give_review(actor: Actor, tender_id: UUID, given: GiveReview, version: int) -> TenderView:
    """Approve the requirement, or return it to draft; either with comments.

    Raises:
        DutyNeeded: the actor is no reviewer of the tender.
        NotInReview: no review is asked for.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.REVIEWER, to="review it", version=version
    )
    amends = _redrafting(facts, RedraftStage.IN_REVIEW)
    if facts.stage is not TenderStage.IN_REVIEW and not amends:
        raise NotInReview
    latest: int = await fetch_value(_LATEST, tender_id)
    review = uuid4()
    await execute(
        "INSERT INTO review (id, tender, requirement, reviewer, outcome, comments)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        review,
        tender_id,
        latest,
        actor.person,
        given.outcome.value,
        given.comments,
    )
    approved = given.outcome is ReviewOutcome.APPROVED
    if amends:
        await move_redraft(facts, RedraftStage.APPROVED if approved else RedraftStage.DRAFT)
    else:
        await move(facts, TenderStage.APPROVED if approved else TenderStage.DRAFT, to="be reviewed")
    await record(
        actor,
        "requirement.approved" if approved else "requirement.returned",
        "review",
        review,
        tender=tender_id,
        after=given.comments.encode(),
        requirement=latest,
    )
    return await view_of(tender_id, facts.duties)


@command
async def revise(actor: Actor, tender_id: UUID, version: int) -> TenderView:
    """Take an approved requirement back to draft; it then needs another review.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        TransitionRefused: the tender is not approved.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="revise it", version=version
    )
    if _redrafting(facts, RedraftStage.APPROVED):
        await move_redraft(facts, RedraftStage.DRAFT)
    else:
        ensure_stage(facts, {TenderStage.APPROVED}, to="be revised")
        await move(facts, TenderStage.DRAFT, to="be revised")
    await record(actor, "tender.revised", "tender", tender_id, tender=tender_id)
    return await view_of(tender_id, facts.duties)


def _redrafting(facts: TenderFacts, stage: RedraftStage) -> bool:
    """Say whether a change of what is published has come so far, while bids come in."""
    return facts.takes_bids and facts.redraft is stage
