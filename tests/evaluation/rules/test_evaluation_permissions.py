from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest

from evaluation.errors import LotNotThere
from evaluation.permissions import (
    READS_BIDS,
    READS_EVALUATION,
    SCORES_QUALITY,
    LotFacts,
    ensure_may,
    ensure_reads,
    ensure_reads_scores,
    ensure_sees,
    ensure_stage,
)
from evaluation.rules.stages import LotStage
from market.errors import NotFound, Stale
from tenders.errors import ConflictOfInterest, DeclarationMissing, DutyNeeded
from tenders.permissions.opening import Conflict
from tenders.rules.duties import Duty

FACTS = LotFacts(
    lot=uuid4(),
    tender=uuid4(),
    number=1,
    title="Intelligence",
    stage=LotStage.QUALITY_SCORING,
    version=3,
    minimum_quality=Decimal(50),
    quality_weight=Decimal(60),
    price_weight=Decimal(40),
    evaluators_minimum=2,
    approval_quorum=2,
    abandoned_because=None,
    reference="CSM-2026-ABCDEF",
    tender_title="Support",
    rule_set="pcr_2015",
    requirement=1,
    opened=True,
    duties=frozenset({Duty.QUALITY_EVALUATOR}),
    offered=frozenset(),
    suspended=frozenset(),
    conflict=None,
    standstill_ends_at=None,
    now=datetime(2026, 7, 1, tzinfo=UTC),
)


def test_without_a_duty_there_is_no_evaluation_to_see() -> None:
    for facts in (None, msgspec.structs.replace(FACTS, duties=frozenset())):
        with pytest.raises(NotFound):
            ensure_sees(facts)
        with pytest.raises(NotFound):
            ensure_may(facts, Duty.MODERATOR, to="moderate")
        with pytest.raises(NotFound):
            ensure_reads(facts, *READS_BIDS, what="its bids")


@pytest.mark.parametrize("duty", sorted(set(Duty) - {Duty.QUALITY_EVALUATOR}, key=str))
def test_only_the_duty_asked_for_may_act(duty: Duty) -> None:
    with pytest.raises(DutyNeeded, match=f"Only an? {duty.spoken()} of this tender can act"):
        ensure_may(FACTS, duty, to="act")
    assert ensure_may(FACTS, Duty.QUALITY_EVALUATOR, to="act", version=3) is FACTS


def test_a_version_read_before_is_stale() -> None:
    with pytest.raises(Stale):
        ensure_may(FACTS, Duty.QUALITY_EVALUATOR, to="act", version=2)


@pytest.mark.parametrize(
    ("conflict", "refusal"),
    [
        (Conflict.DECLARATION_MISSING, DeclarationMissing),
        (Conflict.INTEREST_UNDECIDED, ConflictOfInterest),
        (Conflict.BELONGS_TO_BIDDER, ConflictOfInterest),
    ],
)
def test_who_has_not_declared_or_has_an_interest_neither_reads_nor_acts(
    conflict: Conflict, refusal: type[Exception]
) -> None:
    facts = msgspec.structs.replace(FACTS, conflict=conflict)
    with pytest.raises(refusal):
        ensure_may(facts, Duty.QUALITY_EVALUATOR, to="act")
    with pytest.raises(refusal):
        ensure_reads(facts, *READS_BIDS, what="its bids")


def test_another_duty_does_not_read() -> None:
    facts = msgspec.structs.replace(FACTS, duties=frozenset({Duty.PRICE_EVALUATOR}))
    with pytest.raises(DutyNeeded, match="can read its bids"):
        ensure_reads(facts, *READS_BIDS, what="its bids")


@pytest.mark.parametrize("duty", sorted(READS_EVALUATION))
def test_scores_are_read_by_the_quality_panel_and_by_others_once_quality_is_locked(
    duty: Duty,
) -> None:
    scored = msgspec.structs.replace(FACTS, duties=frozenset({duty}))
    locked = msgspec.structs.replace(scored, stage=LotStage.QUALITY_LOCKED)
    assert ensure_reads_scores(locked) is locked
    if duty in SCORES_QUALITY:
        assert ensure_reads_scores(scored) is scored
    else:
        with pytest.raises(DutyNeeded, match="its scores before quality is locked"):
            ensure_reads_scores(scored)


def test_an_act_out_of_its_stage_says_where_the_lot_is_and_where_it_must_be() -> None:
    with pytest.raises(LotNotThere, match="at the stage quality scoring; to be ranked it must be"):
        ensure_stage(FACTS, LotStage.PRICE_OPENED, to="be ranked")
    ensure_stage(FACTS, LotStage.QUALITY_SCORING, LotStage.RANKED, to="be seen")


def test_before_the_opening_the_facts_say_that_nothing_is_opened() -> None:
    assert FACTS.standing.duties == FACTS.duties
    closed = msgspec.structs.replace(FACTS, opened=False)
    assert closed.standing.status != FACTS.standing.status
