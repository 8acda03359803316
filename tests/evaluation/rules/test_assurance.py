from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.assurance import (
    PAIRS,
    Act,
    Finding,
    FindingKind,
    Hidden,
    LookedAt,
    act_phrase,
    act_sentence,
    finding_sentence,
    spoken_time,
    statement,
    withheld_sentence,
)
from tenders.rules.duties import Duty

SUMMER = datetime(2030, 7, 3, 9, 15, tzinfo=UTC)
LOOKED = LookedAt(people=13, duties=14, pairs=1, acts=62, bidders=3)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30
)
FINDINGS = st.builds(
    Finding,
    kind=st.sampled_from(FindingKind),
    name=NAMES,
    duties=st.lists(st.sampled_from(Duty), min_size=1, max_size=3, unique=True).map(tuple),
    act=st.sampled_from(Act),
    bidder=st.none() | NAMES,
    participant=st.none() | NAMES,
    helper=NAMES,
    times=st.integers(0, 500),
    first_at=st.none() | st.just(SUMMER),
)


def test_times_are_london_s() -> None:
    assert spoken_time(SUMMER) == "3 July 2030 at 10:15"
    assert spoken_time(datetime(2030, 1, 3, 23, 59, tzinfo=UTC)) == "3 January 2030 at 23:59"


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("lot", [None, 4])
def test_every_act_is_said_in_words(act: Act, times: int, lot: int | None) -> None:
    said = act_phrase(act, lot=lot, versions=[1, 2], times=times)
    assert "{" not in said
    assert "  " not in said
    assert not said.endswith(" ")


def test_what_somebody_did_is_said_with_how_often_and_when() -> None:
    def said(act: Act, times: int, later: timedelta = timedelta(0), lot: int | None = 2) -> str:
        return act_sentence(
            "Eve",
            act,
            lot=lot,
            versions=[1, 3],
            times=times,
            first_at=SUMMER,
            last_at=SUMMER + later,
        )

    assert said(Act.SCORED, 9, timedelta(hours=1)) == (
        "Eve gave 9 scores in lot 2, from 3 July 2030 at 10:15 to 3 July 2030 at 11:15."
    )
    assert said(Act.SCORED, 1) == "Eve gave 1 score in lot 2, on 3 July 2030 at 10:15."
    assert said(Act.WROTE, 2, lot=None).startswith("Eve wrote versions 1 and 3 of the requirement,")
    assert said(Act.GAVE_DUTY, 1, lot=None).startswith("Eve gave 1 duty, on")
    assert said(Act.ABANDONED, 1, lot=None).startswith("Eve abandoned the tender, on")
    assert said(Act.ABANDONED, 1).startswith("Eve abandoned lot 2, on")


@given(FINDINGS)
def test_a_finding_names_who_it_is_about_and_never_a_bidder_that_is_not_told(
    finding: Finding,
) -> None:
    sentence = finding_sentence(finding)
    assert sentence.endswith((".", "?")) or finding.helper is not None
    if finding.kind is FindingKind.HELPER_BID:
        assert finding.helper is not None
        assert finding.helper in sentence
        assert (finding.bidder or "A bidder") in sentence
    else:
        assert finding.name is not None
        assert finding.name in sentence
    if finding.kind in {FindingKind.FLOOR_PAIR, FindingKind.DEFAULT_PAIR}:
        for duty in finding.duties:
            assert duty.spoken() in sentence


@given(
    st.lists(FINDINGS, max_size=6),
    st.builds(
        LookedAt,
        people=st.integers(0, 99),
        duties=st.integers(0, 99),
        pairs=st.integers(0, 99),
        acts=st.integers(0, 9_999),
        bidders=st.none() | st.integers(0, 50),
    ),
    st.none() | st.sampled_from(Hidden),
)
def test_the_statement_agrees_with_what_was_found_and_counted(
    findings: list[Finding], looked: LookedAt, hidden: Hidden | None
) -> None:
    first, *rest = statement(findings, looked, hidden)
    pairs = sum(finding.kind in PAIRS for finding in findings)
    acts = len(findings) - pairs
    assert first.startswith(
        "No forbidden pair exists"
        if not pairs
        else "1 forbidden pair exists"
        if pairs == 1
        else f"{pairs} forbidden pairs exist"
    )
    assert ("Nobody was found to have acted" in first) == (acts == 0)
    assert acts == 0 or f" {acts} kind" in first
    assert sorted(rest[: len(findings)]) == sorted(map(finding_sentence, findings))
    counted = rest[len(findings)]
    for count in (looked.people, looked.duties, looked.pairs, looked.acts):
        assert f"{count} " in counted
    assert ("bidder" in counted) == (looked.bidders is not None)
    assert (rest[-1] == withheld_sentence(hidden)) if hidden else (rest[-1] == counted)
    # a statement that leaves bidders out does not say that it is about the whole tender
    assert ("what this statement covers" in first) == (hidden is not None)


def test_a_clear_statement_can_be_read_out() -> None:
    assert statement([], LOOKED, None) == (
        (
            "No forbidden pair exists in this tender. Nobody was found to have acted without being"
            " entitled to."
        ),
        (
            "This was computed from the market's records: 13 people, 14 duties held or exercised,"
            " 1 pair of duties of one person, 62 acts and 3 bidders."
        ),
    )
    [said, *_] = statement([], LOOKED, Hidden.UNTIL_OPENING)
    assert said.startswith("No forbidden pair exists in what this statement covers.")
