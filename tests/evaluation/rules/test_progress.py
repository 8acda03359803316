from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.joint import Buyer, BuyerPart
from evaluation.rules.progress import (
    WANTED,
    Answer,
    Evaluator,
    Out,
    PanelMember,
    Progress,
    missing,
    openers_missing,
    openers_too_few,
)
from evaluation.rules.stages import LotStage
from tenders.rules.duties import Duty

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PANEL = [
    PanelMember(name="Olive Opener", duty=Duty.OPENER),
    PanelMember(name="Eve", duty=Duty.QUALITY_EVALUATOR),
    PanelMember(name="Emil", duty=Duty.QUALITY_EVALUATOR),
    PanelMember(name="Mona Moderator", duty=Duty.MODERATOR),
    PanelMember(name="Petra Price", duty=Duty.PRICE_EVALUATOR),
    PanelMember(name="Alan Approver", duty=Duty.AWARD_APPROVER),
    PanelMember(name="Lily Lay", duty=Duty.AWARD_APPROVER, lay=True),
    PanelMember(name="Mary Manager", duty=Duty.TENDER_MANAGER),
    PanelMember(name="Colin Contract", duty=Duty.CONTRACT_MANAGER),
]
DONE = Progress(
    stage=LotStage.QUALITY_SCORING,
    unopened=0,
    scores_needed=6,
    evaluators=[Evaluator(name=name, given=6, locked=True) for name in ("Eve", "Emil")],
    evaluators_minimum=2,
    agreed=6,
    passed=1,
    approved=2,
    approved_by_lay_member=True,
    approval_quorum=2,
    standstill_ends_at=NOW,
    now=NOW,
    panel=PANEL,
)


def _left(stage: LotStage = LotStage.QUALITY_SCORING, **changes: Any) -> list[tuple[str, str]]:
    progress = msgspec.structs.replace(DONE, stage=stage, **changes)
    return [(item.who, item.what) for item in missing(progress)]


def test_an_incomplete_opening_comes_first() -> None:
    assert _left(unopened=2) == [("openers", "Open 2 quality envelopes that are left.")]


def test_each_evaluator_who_has_not_locked_is_named_with_what_is_left() -> None:
    evaluators = [
        Evaluator(name="Eve", given=2, locked=False),
        Evaluator(name="Emil", given=6, locked=False),
        Evaluator(name="Eda", given=6, locked=True),
    ]
    assert _left(evaluators=evaluators) == [
        ("Eve", "Give 4 of 6 scores, and lock."),
        ("Emil", "Lock the scores."),
    ]


def test_too_few_evaluators_are_the_tender_manager_s_to_find() -> None:
    assert _left(evaluators_minimum=3) == [
        (
            "tender manager",
            (
                "Find 1 more quality evaluators. The scoring waits: three unconflicted quality"
                " evaluators are needed and two are left. Give the duty of quality evaluator to"
                " another person."
            ),
        )
    ]


def test_the_moderator_records_what_is_left_and_then_locks() -> None:
    assert _left(agreed=4) == [("moderator", "Record 2 of 6 agreed scores.")]
    assert _left() == [("moderator", "Lock the quality of the lot.")]


@pytest.mark.parametrize(
    ("stage", "who"),
    [
        (LotStage.BIDDING, "openers"),
        (LotStage.QUALITY_LOCKED, "price evaluator"),
        (LotStage.PRICE_OPENED, "price evaluator"),
        (LotStage.RANKED, "moderator"),
        (LotStage.AWARDED, "tender manager"),
        (LotStage.NOTIFIED, "contract manager"),
    ],
)
def test_each_stage_names_who_is_next(stage: LotStage, who: str) -> None:
    [(next_one, _)] = _left(stage)
    assert next_one == who


def test_without_a_bid_that_passed_the_lot_can_only_be_given_up() -> None:
    [(who, what)] = _left(LotStage.QUALITY_LOCKED, passed=0)
    assert who == "tender manager"
    assert "Abandon" in what


def test_approvals_are_missed_by_number_and_by_lay_member() -> None:
    stage = LotStage.RECOMMENDED
    assert [what for _, what in _left(stage, approved=1, approved_by_lay_member=False)] == [
        "1 of 2 approvals.",
        "The approval of a lay member.",
    ]
    assert _left(stage) == []


def test_in_the_standstill_everybody_waits() -> None:
    ends_at = NOW + timedelta(seconds=1)
    [(who, what)] = _left(LotStage.NOTIFIED, standstill_ends_at=ends_at)
    assert who == "nobody"
    assert ends_at.isoformat() in what


def _buyer(name: str, part: BuyerPart | None, *, contracted: bool = False) -> Buyer:
    return Buyer(id=uuid4(), name=name, part=part, contracted=contracted)


def test_joint_buyers_are_waited_for_by_name() -> None:
    buyers = [
        _buyer("Luton", None),
        _buyer("Bedford", BuyerPart.TAKES_PART),
        _buyer("Corby", BuyerPart.REFUSED),
        _buyer("Milton", BuyerPart.TAKES_PART, contracted=True),
    ]
    undecided = ("award approvers of Luton", "Decide whether it takes part.")
    assert _left(LotStage.AWARDED, buyers=buyers)[1] == undecided
    assert _left(LotStage.NOTIFIED, buyers=buyers) == [
        ("contract manager", "Record the contract of Bedford."),
        undecided,
    ]
    ends_at = NOW + timedelta(seconds=1)
    assert _left(LotStage.NOTIFIED, buyers=buyers, standstill_ends_at=ends_at)[1] == undecided


def test_where_every_buyer_refused_the_manager_goes_on() -> None:
    [(who, what)] = _left(LotStage.NOTIFIED, buyers=[_buyer("Luton", BuyerPart.REFUSED)])
    assert who == "tender manager"
    assert what.startswith("Abandon the lot, or rank it again")


def test_indicators_are_asked_for_before_the_contract() -> None:
    assert _left(LotStage.NOTIFIED, kpis_lacking=2) == [
        ("contract manager", "Set two more key performance indicators."),
        ("contract manager", "Record the contract."),
    ]


@pytest.mark.parametrize("stage", [LotStage.CONTRACTED, LotStage.ABANDONED])
def test_a_lot_at_its_end_misses_nothing(stage: LotStage) -> None:
    assert _left(stage) == []


# -- when too few are left ------------------------------------------------------------------------


def _panel(**out: Out | None) -> list[PanelMember]:
    """The panel, in which those whose first names are given are out."""
    return [
        msgspec.structs.replace(member, out_because=out.get(member.name.split()[0]))
        for member in PANEL
    ]


@pytest.mark.parametrize("stage", [LotStage.RANKED, LotStage.RECOMMENDED])
def test_an_award_that_no_quorum_can_make_waits_and_says_for_whom(stage: LotStage) -> None:
    found = _left(stage, panel=_panel(Alan=Out.INTEREST_UNDECIDED))
    assert found[-1] == (
        "tender manager",
        (
            "The award waits: two unconflicted award approvers are needed and one is left;"
            " recused: Alan Approver (interest in a bidder). Give the duty of award approver to"
            " another person, or let the conflicts guardian decide."
        ),
    )


def test_an_award_without_a_lay_member_waits_for_one() -> None:
    other = PanelMember(name="Olga Officer", duty=Duty.AWARD_APPROVER)
    panel = [*_panel(Lily=Out.BELONGS_TO_BIDDER), other]
    assert _left(LotStage.RECOMMENDED, panel=panel) == [
        (
            "tender manager",
            (
                "The award waits: an unconflicted lay member is needed among the award approvers"
                " and none is left; recused: Lily Lay (belongs to a bidder or its group). Give the"
                " duty of award approver to a lay member."
            ),
        )
    ]


def test_who_has_been_given_the_duty_and_has_not_taken_it_up_is_named_apart() -> None:
    panel = [
        *_panel(Alan=Out.REMOVED),
        PanelMember(
            name="Rosa Replacement", duty=Duty.AWARD_APPROVER, out_because=Out.NOT_TAKEN_UP
        ),
    ]
    [(_, what)] = _left(LotStage.RECOMMENDED, panel=panel)
    assert "recused: Alan Approver (removed from the tender)." in what
    assert "Rosa Replacement has still to declare on taking the duty." in what
    assert what.endswith("Give the duty of award approver to another person.")


def test_an_answer_is_given_once_and_again_to_the_next_recommendation() -> None:
    panel = [
        msgspec.structs.replace(member, answer=Answer.RETURNED)
        if member.name == "Alan Approver"
        else member
        for member in PANEL
    ]
    assert len(_left(LotStage.RECOMMENDED, panel=panel)) == 1
    assert len(_left(LotStage.RANKED, panel=panel)) == 1
    assert "waits" not in _left(LotStage.RANKED, panel=panel)[0][1]


@pytest.mark.parametrize(
    ("stage", "name", "what"),
    [
        (LotStage.QUALITY_SCORING, "Mona", "The moderation waits: one unconflicted moderator is"),
        (LotStage.QUALITY_LOCKED, "Petra", "The opening of prices waits: one unconflicted price"),
        (LotStage.PRICE_OPENED, "Petra", "The ranking waits: one unconflicted price evaluator is"),
        (LotStage.RANKED, "Mona", "The recommendation waits: one unconflicted moderator is"),
        (LotStage.NOTIFIED, "Colin", "The contract waits: one unconflicted contract manager is"),
        (LotStage.AWARDED, "Mary", "The sending of the notices waits: one unconflicted tender"),
    ],
)
def test_a_lot_waits_where_nobody_is_left_whose_duty_it_is(
    stage: LotStage, name: str, what: str
) -> None:
    changes = {name: Out.MUST_LEAVE}
    found = [sentence for _, sentence in _left(stage, panel=_panel(**changes))]
    [waits] = [sentence for sentence in found if sentence.startswith(what)]
    assert "needed and none is left; recused:" in waits
    assert f"{name} " in waits
    assert "(interest in a bidder, must leave)" in waits


def test_an_incomplete_opening_that_nobody_can_finish_says_so() -> None:
    found = _left(unopened=2, panel=_panel(Olive=Out.SUSPENDED))
    assert [who for who, _ in found] == ["openers", "tender manager"]
    assert "recused: Olive Opener (the duty is suspended)." in found[1][1]


def test_a_closed_tender_tells_those_who_may_know_who_is_out_and_the_manager_that_it_waits() -> (
    None
):
    panel = [
        PanelMember(name="Olive", duty=Duty.OPENER, out_because=Out.INTEREST_UNDECIDED),
        PanelMember(name="Oscar", duty=Duty.OPENER),
    ]
    [first, waits] = openers_missing(panel)
    assert first.what.startswith("Open the bids")
    assert waits.what.startswith(
        "The opening waits: two unconflicted openers are needed and one is left; recused: Olive"
    )
    [_, told] = openers_too_few(1)
    assert told.who == "tender manager"
    assert told.what.startswith(
        "The opening waits: two unconflicted openers are needed and one is left."
    )
    assert "Olive" not in told.what
    for enough in (None, 2, 3):
        assert [item.who for item in openers_too_few(enough)] == ["openers"]
    assert len(openers_missing([panel[1], panel[1]])) == 1


_MEMBERS = st.builds(
    PanelMember,
    name=st.sampled_from(["Ann", "Bob", "Cyd", "Dan"]),
    duty=st.sampled_from([Duty.AWARD_APPROVER, Duty.MODERATOR]),
    out_because=st.none() | st.sampled_from(Out),
    lay=st.booleans(),
    answer=st.sampled_from([None, Answer.APPROVED]),
)


@given(panel=st.lists(_MEMBERS, max_size=8), quorum=st.integers(1, 12))
def test_an_award_waits_exactly_when_quorum_or_lay_member_is_out_of_reach(
    panel: list[PanelMember], quorum: int
) -> None:
    found = _left(LotStage.RECOMMENDED, panel=panel, approval_quorum=quorum, approved=quorum)
    able = [m for m in panel if m.duty is Duty.AWARD_APPROVER and m.out_because is None]
    short, lay = len(able) < quorum, any(m.lay for m in able)
    waits = [what for _, what in found if what.startswith("The award waits")]
    assert len(waits) == short + (not lay)
    recused = {
        m.name
        for m in panel
        if m.duty is Duty.AWARD_APPROVER and m.out_because not in {None, Out.NOT_TAKEN_UP}
    }
    for name in recused if short else ():
        assert f"{name} (" in waits[0]


def test_every_stage_that_goes_on_knows_whose_duty_it_is() -> None:
    assert set(LotStage) - set(WANTED) == {LotStage.CONTRACTED, LotStage.ABANDONED}
