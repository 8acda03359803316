"""Assigning evaluators to the criteria of a lot, and replacing those who are out."""

from uuid import UUID, uuid4

import msgspec

from evaluation.errors import PanelFaulty, ReplacementWithoutReason
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold, published_requirement
from evaluation.queries.panel import shown_panel
from evaluation.rules.panel import panel_faults
from evaluation.rules.stages import LotStage
from evaluation.schemas.panel import PanelView, SetPanel
from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_value
from market.errors import Stale
from market.events.commands import record
from tenders.rules.duties import Duty
from tenders.rules.requirement import leaves

_LATEST = "SELECT coalesce(max(number), 0) FROM panel WHERE lot = $1"
_EVALUATORS = "SELECT person FROM assignable_evaluators($1) person"
_SCORED = "SELECT scoring_begun($1)"
_PANEL = "INSERT INTO panel (id, lot, because, set_by) VALUES ($1, $2, $3, $4)"
_SEAT = "INSERT INTO panel_seat (id, panel, evaluator, criterion) VALUES ($1, $2, $3, $4)"


class _Person(msgspec.Struct, frozen=True):
    person: UUID


@command
async def set_panel(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: SetPanel
) -> PanelView:
    """Say who scores what in a lot, whole; without it every quality evaluator scores everything.

    Once scoring has begun, to replace somebody: who can act and has scored a criterion keeps it,
    and who has locked gets nothing more.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the quality of the lot is locked.
        Stale: somebody else has set the panel meanwhile.
        PanelFaulty: too few evaluators of a criterion, or somebody or something that is not there.
        ReplacementWithoutReason: scoring has begun, and no reason is given.
        ScoredSeatsStay: somebody would lose what they scored, or get more after locking.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.TENDER_MANAGER, to="assign its evaluators"
    )
    ensure_stage(facts, LotStage.BIDDING, LotStage.QUALITY_SCORING, to="have its panel set")
    if version != 1 + await fetch_value(_LATEST, facts.lot):
        raise Stale
    await _ensure_faultless(facts, given)
    if given.because is None and await fetch_value(_SCORED, facts.lot):
        raise ReplacementWithoutReason
    panel = uuid4()
    await execute(_PANEL, panel, facts.lot, given.because, actor.person)
    for seat in given.evaluators:
        for code in seat.criteria:
            await execute(_SEAT, uuid4(), panel, seat.person, code)
    await record(
        actor,
        "panel.set",
        "panel",
        panel,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=version,
        evaluators=[str(seat.person) for seat in given.evaluators],
    )
    return await shown_panel(facts)


async def _ensure_faultless(facts: LotFacts, given: SetPanel) -> None:
    _, lot = await published_requirement(facts)
    able = await fetch(_Person, _EVALUATORS, facts.lot)
    faults = list(
        panel_faults(
            [(seat.person, seat.criteria) for seat in given.evaluators],
            criteria=[leaf.code for leaf in leaves(lot)],
            evaluators={row.person for row in able},
            minimum=facts.evaluators_minimum,
        )
    )
    if faults:
        raise PanelFaulty(faults[0].reason, faults=faults)
