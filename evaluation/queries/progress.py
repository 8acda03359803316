"""Where the evaluation of a lot stands: stage, counts, what is missing and from whom."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts, ensure_reads_progress
from evaluation.queries.award import present_recommendation
from evaluation.queries.facts import facts_of
from evaluation.queries.joint import buyers_of
from evaluation.rules.joint import Buyer
from evaluation.rules.progress import (
    WANTED,
    Answer,
    Evaluator,
    Missing,
    Out,
    PanelMember,
    Progress,
    missing,
    openers_missing,
    openers_too_few,
)
from evaluation.rules.stages import LotStage, shown_stage
from evaluation.schemas.progress import (
    EvaluationView,
    EvaluatorProgress,
    MissingView,
    StandstillView,
)
from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from tenders.permissions.opening import Conflict
from tenders.rules.duties import Duty

_COUNTS = "SELECT * FROM evaluation_counts($1)"

_EVALUATORS = """
SELECT s.person, p.name, s.given, s.needed, s.locked_at FROM scoring_progress($1) s
JOIN person p ON p.id = s.person ORDER BY p.name, p.id
"""

_PANEL = """
SELECT p.name, s.duty, s.out_because, s.lay, s.answer
FROM panel_standing($1, VARIADIC $2::text[]) s JOIN person p ON p.id = s.person
ORDER BY p.name, p.id, s.duty
"""

_STANDSTILL = "SELECT rule_set, began_at, ends_at FROM standstill WHERE award = latest_award($1)"


class _Counts(msgspec.Struct, frozen=True):
    bids: int
    unopened: int
    scores_needed: int
    agreed: int
    passed: int
    approved: int
    approved_by_lay_member: bool


class EvaluatorRow(msgspec.Struct, frozen=True):
    """An evaluator and how far they are, as the database counts it."""

    person: UUID
    name: str
    given: int
    needed: int
    locked_at: datetime | None


class Coverage(msgspec.Struct, frozen=True):
    """How many evaluators who can act score a criterion."""

    code: str
    evaluators: int


class _Panellist(msgspec.Struct, frozen=True):
    name: str
    duty: Duty
    out_because: Out | None
    lay: bool
    answer: Answer | None


class _Standstill(msgspec.Struct, frozen=True):
    rule_set: str
    began_at: datetime
    ends_at: datetime


async def evaluators_of(facts: LotFacts) -> list[EvaluatorRow]:
    """Those who must score a lot, inside a transaction; no score is shown."""
    return await fetch(EvaluatorRow, _EVALUATORS, facts.lot)


async def coverage_of(facts: LotFacts) -> list[Coverage]:
    """How many score each criterion of a lot, inside a transaction."""
    return await fetch(Coverage, "SELECT * FROM panel_coverage($1)", facts.lot)


async def evaluation(actor: Actor, tender_id: UUID, lot_number: int) -> EvaluationView:
    """Show how far a lot has come, to everybody with a duty in its tender.

    Before the opening there are no counts; afterwards somebody who has not declared, or has an
    interest, sees the stage and what they themselves have to do. Where too few are left who could
    take the lot on, `missing` says who is out; names of bidders are never in it.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNotTakenUp, DutySuspended: none of the actor's duties works.
    """
    async with reading(actor):
        facts = ensure_reads_progress(await facts_of(actor, tender_id, lot_number))
        standstill = await fetch_one(_Standstill, _STANDSTILL, facts.lot)
        if not facts.opened:
            return _view(facts, standstill, await _before_opening(facts))
        # whoever may discuss and not decide reads this, as they read the bids
        if facts.conflict not in {None, Conflict.MAY_NOT_DECIDE}:
            return _view(facts, standstill, _bare_missing(facts))
        counts = await fetch_one(_Counts, _COUNTS, facts.lot)
        if counts is None:
            message = f"Nothing was counted for lot {facts.lot}."
            raise LookupError(message)
        evaluators = await evaluators_of(facts)
        panel = await _panel(facts)
        recommendation = await present_recommendation(facts)
        coverage = await coverage_of(facts)
        buyers = await buyers_of(facts)
        lacking = await fetch_value("SELECT kpis_lacking($1)", facts.lot)
    progress = _progress(facts, counts, evaluators, panel, coverage, buyers, lacking)
    return msgspec.structs.replace(
        _view(facts, standstill, missing(progress)),
        bids=counts.bids,
        evaluators=[
            EvaluatorProgress(
                person=row.person,
                name=row.name,
                given=row.given,
                needed=row.needed,
                locked_at=row.locked_at,
            )
            for row in evaluators
        ],
        agreed_scores=counts.agreed,
        agreed_scores_needed=counts.scores_needed,
        recommendation=recommendation,
    )


async def _panel(facts: LotFacts) -> list[PanelMember]:
    """Those whose duty it is to take the lot on, as far as the actor may know who can."""
    wanted = [duty.value for duty in WANTED.get(facts.stage, ())]
    if not wanted:
        return []
    return [
        PanelMember(
            name=row.name,
            duty=row.duty,
            out_because=row.out_because,
            lay=row.lay,
            answer=row.answer,
        )
        for row in await fetch(_Panellist, _PANEL, facts.lot, wanted)
    ]


async def _before_opening(facts: LotFacts) -> list[Missing]:
    """The opening that comes next. Who is out has an interest in a bidder: few may know."""
    if facts.stage is not LotStage.BIDDING:
        return []
    panel = await _panel(facts)
    if panel:
        return openers_missing(panel)
    return openers_too_few(await fetch_value("SELECT openers_left($1)", facts.lot))


def _bare_missing(facts: LotFacts) -> list[Missing]:
    if facts.conflict is Conflict.DECLARATION_MISSING:
        return [Missing(who="you", what="Declare whether you have an interest in each bidder.")]
    return [Missing(who="you", what="Leave this tender until the conflicts guardian has decided.")]


def _progress(  # noqa: PLR0913, PLR0917  # what was read, part by part
    facts: LotFacts,
    counts: _Counts,
    evaluators: list[EvaluatorRow],
    panel: list[PanelMember],
    coverage: list[Coverage],
    buyers: list[Buyer],
    lacking: int,
) -> Progress:
    return Progress(
        stage=facts.stage,
        unopened=counts.unopened,
        scores_needed=counts.scores_needed,
        evaluators=[
            Evaluator(
                name=row.name,
                given=row.given,
                needed=row.needed,
                locked=row.locked_at is not None,
            )
            for row in evaluators
        ],
        fewest_on_a_criterion=min((row.evaluators for row in coverage), default=0),
        evaluators_minimum=facts.evaluators_minimum,
        agreed=counts.agreed,
        passed=counts.passed,
        approved=counts.approved,
        approved_by_lay_member=counts.approved_by_lay_member,
        approval_quorum=facts.approval_quorum,
        standstill_ends_at=facts.standstill_ends_at,
        now=facts.now,
        panel=panel,
        on_hold=facts.on_hold,
        buyers=buyers,
        kpis_lacking=lacking,
    )


def _view(facts: LotFacts, standstill: _Standstill | None, left: list[Missing]) -> EvaluationView:
    return EvaluationView(
        tender=facts.tender,
        lot=facts.number,
        title=facts.title,
        stage=shown_stage(
            facts.stage,
            standstill_end=facts.standstill_ends_at,
            now=facts.now,
            on_hold=facts.on_hold,
        ).value,
        round=facts.round,
        version=facts.version,
        bids=None,
        evaluators=[],
        agreed_scores=None,
        agreed_scores_needed=None,
        missing=[MissingView(who=item.who, what=item.what) for item in left],
        recommendation=None,
        standstill=None
        if standstill is None
        else StandstillView(
            rule_set=standstill.rule_set,
            began_at=standstill.began_at,
            ends_at=standstill.ends_at,
            over=standstill.ends_at <= facts.now,
        ),
        abandoned_because=facts.abandoned_because,
    )
