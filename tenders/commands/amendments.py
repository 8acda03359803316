"""Amending a published tender: the only way its deadline or its requirement changes."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import fetch_one
from market.errors import NotFound
from market.events.commands import record
from tenders.errors import AmendmentFaulty, AmendmentTooLate, NotReviewed
from tenders.permissions.tenders import ensure_may, ensure_stage
from tenders.queries.amendments import amendment_view_of, texts_of
from tenders.queries.facts import hold
from tenders.rules.amendments import amendment_faults, changes, keeps_lots
from tenders.rules.duties import Duty
from tenders.rules.requirement import Requirement
from tenders.rules.stages import RedraftStage, TenderStage
from tenders.schemas.amendments import AmendmentPublished, AmendmentView, PublishAmendment

# The database numbers it, sets its time under the tender's lock, and puts it into effect.
_AMEND = """
INSERT INTO amendment (id, tender, summary, reason, material, requirement_after, deadline_after,
                       published_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number
"""
_VERSION = "SELECT version FROM tender WHERE id = $1"


class _Numbered(msgspec.Struct, frozen=True):
    number: int


class _Version(msgspec.Struct, frozen=True):
    version: int


@command
async def publish_amendment(
    actor: Actor, tender_id: UUID, given: PublishAmendment, version: int
) -> AmendmentPublished:
    """Publish an amendment; it takes effect at once, whole, and is told to everybody concerned.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        TransitionRefused: the tender is not published.
        AmendmentTooLate: the deadline has passed.
        NotReviewed: the changed requirement it takes is not approved.
        AmendmentFaulty: with every fault.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="amend it", version=version
    )
    ensure_stage(facts, {TenderStage.PUBLISHED}, to="be amended")
    if not facts.takes_bids or facts.deadline is None:
        raise AmendmentTooLate
    if given.takes_requirement and facts.redraft is not RedraftStage.APPROVED:
        raise NotReviewed
    published, drafted = await texts_of(tender_id)
    taken = drafted if given.takes_requirement else None
    earlier = msgspec.json.decode(published.content, type=Requirement)
    later = None if taken is None else msgspec.json.decode(taken.content, type=Requirement)
    faults = list(
        amendment_faults(
            facts.now,
            found=None if later is None else changes(earlier, later),
            keeps_lots=later is None or keeps_lots(earlier, later),
            material=given.material,
            standing=facts.deadline,
            deadline=given.deadline,
            contract_starts=facts.contract_starts,
        )
    )
    if faults:
        raise AmendmentFaulty(faults[0].reason, faults=faults)
    _, view = await put_into_effect(
        actor,
        tender_id,
        summary=given.summary,
        reason=given.reason,
        material=given.material,
        requirement=None if taken is None else taken.number,
        deadline=given.deadline,
    )
    held = await fetch_one(_Version, _VERSION, tender_id)
    if held is None:
        raise NotFound
    return msgspec.convert(
        {**{name: getattr(view, name) for name in view.__struct_fields__}, "version": held.version},
        AmendmentPublished,
    )


async def put_into_effect(  # noqa: PLR0913  # what an amendment says, each by its name
    actor: Actor,
    tender_id: UUID,
    *,
    summary: str,
    reason: str,
    material: bool,
    requirement: int | None,
    deadline: datetime | None,
) -> tuple[UUID, AmendmentView]:
    """Amend a tender inside a command that has permitted it and holds the tender, and record it.

    Raises:
        NotFound: the amendment cannot be read again.
    """
    amendment = uuid4()
    numbered = await fetch_one(
        _Numbered,
        _AMEND,
        amendment,
        tender_id,
        summary,
        reason,
        material,
        requirement,
        deadline,
        actor.person,
    )
    if numbered is None:
        raise NotFound
    view = await amendment_view_of(tender_id, numbered.number)
    await record(
        actor,
        "tender.amended",
        "amendment",
        amendment,
        tender=tender_id,
        number=view.number,
        material=view.material,
        requirement=view.requirement_after,
        digest=view.digest_after,
        deadline=view.deadline_after.isoformat(),
    )
    return amendment, view
