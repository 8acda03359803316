"""What the assurance report says in sentences, made of counted facts and of nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from tenders.rules.duties import Duty
from tenders.rules.rule_sets import LONDON


class Act(StrEnum):
    """What somebody did in a tender, in the order in which a tender goes."""

    BEGAN = "began"
    GAVE_DUTY = "gave_duty"
    WROTE = "wrote"
    ASKED_FOR_REVIEW = "asked_for_review"
    APPROVED_REQUIREMENT = "approved_requirement"
    RETURNED_REQUIREMENT = "returned_requirement"
    PUBLISHED = "published"
    AMENDED = "amended"
    GRANTED_EXEMPTION = "granted_exemption"
    REVOKED_EXEMPTION = "revoked_exemption"
    CONFIRMED_OPENING = "confirmed_opening"
    OPENED_QUALITY = "opened_quality"
    DECIDED_CONFLICT = "decided_conflict"
    SET_PANEL = "set_panel"
    SCORED = "scored"
    LOCKED_SCORES = "locked_scores"
    ASKED_ABOUT_QUALITY = "asked_about_quality"
    MODERATED = "moderated"
    DISSENTED = "dissented"
    DECIDED_QUALITY = "decided_quality"
    OPENED_PRICE = "opened_price"
    ASKED_ABOUT_PRICE = "asked_about_price"
    RANKED = "ranked"
    ASKED_ABOUT_LOW_PRICE = "asked_about_low_price"
    DECIDED_LOW_PRICE = "decided_low_price"
    RECORDED_DROP_OUT = "recorded_drop_out"
    RECOMMENDED = "recommended"
    APPROVED_AWARD = "approved_award"
    RETURNED_AWARD = "returned_award"
    VERIFIED_WINNER = "verified_winner"
    SENT_NOTICES = "sent_notices"
    RECORDED_CHALLENGE = "recorded_challenge"
    DECIDED_CHALLENGE = "decided_challenge"
    DECIDED_FOR_BUYER = "decided_for_buyer"
    SET_KPI = "set_kpi"
    RECORDED_BASELINE = "recorded_baseline"
    DISCLOSED = "disclosed"
    MADE_CONTRACT = "made_contract"
    SET_MILESTONE = "set_milestone"
    MET_MILESTONE = "met_milestone"
    ASSESSED_KPI = "assessed_kpi"
    PUBLISHED_KPIS = "published_kpis"
    CHANGED_CONTRACT = "changed_contract"
    REVIEWED_OUTCOME = "reviewed_outcome"
    ABANDONED = "abandoned"


class FindingKind(StrEnum):
    """What should not be, and was found."""

    FLOOR_PAIR = "floor_pair"
    DEFAULT_PAIR = "default_pair"
    MEMBER_OF_BIDDER = "member_of_bidder"
    HELPER_BID = "helper_bid"
    ACTED_WITHOUT_DUTY = "acted_without_duty"
    ACTED_BEFORE_DECLARING = "acted_before_declaring"
    ACTED_WHILE_SUSPENDED = "acted_while_suspended"
    ACTED_UNDECLARED = "acted_undeclared"
    ACTED_WITH_INTEREST = "acted_with_interest"


PAIRS: Final = frozenset(
    {
        FindingKind.FLOOR_PAIR,
        FindingKind.DEFAULT_PAIR,
        FindingKind.MEMBER_OF_BIDDER,
        FindingKind.HELPER_BID,
    }
)
"""The findings that are forbidden pairs: two things one person or organisation may not be."""


class Hidden(StrEnum):
    """Why what tells of bidders is left out."""

    UNTIL_OPENING = "until_opening"
    FROM_READER = "from_reader"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that should not be. A bidder without a name is one that is not told."""

    kind: FindingKind
    name: str | None = None
    duties: tuple[Duty, ...] = ()
    act: Act | None = None
    bidder: str | None = None
    participant: str | None = None
    helper: str | None = None
    times: int = 1
    first_at: datetime | None = None


class LookedAt(Struct, frozen=True, kw_only=True):
    """How much the statement is about. Bidders are not counted before the opening."""

    people: int
    duties: int
    pairs: int
    acts: int
    bidders: int | None


_ONCE: Final[Mapping[Act, str]] = MappingProxyType(
    {
        Act.BEGAN: "began the tender",
        Act.GAVE_DUTY: "gave {times} {duties}",
        Act.WROTE: "wrote {versions} of the requirement",
        Act.ASKED_FOR_REVIEW: "asked for the review of the requirement",
        Act.APPROVED_REQUIREMENT: "reviewed and approved {versions} of the requirement",
        Act.RETURNED_REQUIREMENT: "reviewed and returned {versions} of the requirement",
        Act.PUBLISHED: "published the tender",
        Act.AMENDED: "published {times} {amendments}",
        Act.GRANTED_EXEMPTION: "granted {times} {exemptions}",
        Act.REVOKED_EXEMPTION: "revoked {times} {exemptions}",
        Act.CONFIRMED_OPENING: "confirmed the opening of the bids",
        Act.OPENED_QUALITY: "opened {times} quality {envelopes}{of_lot}",
        Act.DECIDED_CONFLICT: "made {times} {decisions} about interests in bidders",
        Act.SET_PANEL: "assigned the evaluators{of_lot}",
        Act.ASKED_ABOUT_QUALITY: "asked bidders {times} {questions} about quality{in_lot}",
        Act.ASKED_ABOUT_PRICE: "asked bidders {times} {questions} about prices{in_lot}",
        Act.DISSENTED: "dissented from {times} agreed {scores}{in_lot}",
        Act.SCORED: "gave {times} {scores}{in_lot}",
        Act.LOCKED_SCORES: "finished scoring{lot}",
        Act.MODERATED: "recorded {times} agreed {scores}{in_lot}",
        Act.DECIDED_QUALITY: "decided the quality of {times} {bids}{in_lot}",
        Act.OPENED_PRICE: "opened {times} price {envelopes}{of_lot}",
        Act.RANKED: "ranked the bids{of_lot}",
        Act.ASKED_ABOUT_LOW_PRICE: "asked bidders {times} {questions} about low prices{in_lot}",
        Act.DECIDED_LOW_PRICE: "made {times} {decisions} about low prices{in_lot}",
        Act.VERIFIED_WINNER: "made {times} {decisions} verifying the winner{of_lot}",
        Act.RECORDED_DROP_OUT: "recorded that {times} {bids} dropped out{of_lot}",
        Act.RECOMMENDED: "made {times} {recommendations}{for_lot}",
        Act.APPROVED_AWARD: "approved the award{of_lot}",
        Act.RETURNED_AWARD: "returned the recommendation{for_lot}",
        Act.SENT_NOTICES: "sent {times} award {notices}{for_lot}",
        Act.RECORDED_CHALLENGE: "recorded {times} {challenges}{of_lot}",
        Act.DECIDED_CHALLENGE: "decided {times} {challenges}{of_lot}",
        Act.DECIDED_FOR_BUYER: "decided for a buyer about the award{of_lot}",
        Act.SET_KPI: "set {times} {indicators}{for_lot}",
        Act.RECORDED_BASELINE: "recorded cost and access before the contract{for_lot}",
        Act.DISCLOSED: "disclosed the record of the evaluation{of_lot}",
        Act.MADE_CONTRACT: "recorded the contract{for_lot}",
        Act.SET_MILESTONE: "set {times} {milestones}{for_lot}",
        Act.MET_MILESTONE: "recorded {times} {milestones} as met{for_lot}",
        Act.ASSESSED_KPI: "made {times} {assessments} of indicators{for_lot}",
        Act.PUBLISHED_KPIS: "published what was measured{for_lot}",
        Act.CHANGED_CONTRACT: "recorded {times} {changes} of contracts{for_lot}",
        Act.REVIEWED_OUTCOME: "reviewed the outcome{of_lot}",
        Act.ABANDONED: "abandoned{lot_or_tender}",
    }
)
_NOUNS: Final = (
    "amendment",
    "assessment",
    "bid",
    "change",
    "decision",
    "envelope",
    "exemption",
    "indicator",
    "milestone",
    "notice",
    "question",
    "challenge",
    "recommendation",
    "score",
)


def act_phrase(
    act: Act, *, lot: int | None = None, versions: Sequence[int] = (), times: int = 1
) -> str:
    """Say what was done, without who did it: "gave 9 scores in lot 1"."""
    plural = "" if times == 1 else "s"
    words = {f"{noun}s": f"{noun}{plural}" for noun in _NOUNS}
    named = "" if lot is None else f" lot {lot}"
    return _ONCE[act].format(
        times=times,
        duties="duty" if times == 1 else "duties",
        versions=_versions(versions),
        lot=named,
        of_lot=named and f" of{named}",
        in_lot=named and f" in{named}",
        for_lot=named and f" for{named}",
        lot_or_tender=named or " the tender",
        **words,
    )


def act_sentence(  # noqa: PLR0913  # the parts of one sentence, each by its name
    name: str,
    act: Act,
    *,
    lot: int | None,
    versions: Sequence[int],
    times: int,
    first_at: datetime,
    last_at: datetime,
) -> str:
    """Say who did what, and when, by the clock on the wall in London."""
    done = f"{name} {act_phrase(act, lot=lot, versions=versions, times=times)}"
    first, last = spoken_time(first_at), spoken_time(last_at)
    return f"{done}, on {first}." if first == last else f"{done}, from {first} to {last}."


def finding_sentence(finding: Finding) -> str:
    """Say one thing that was found, naming the person and, where it may be told, the bidder."""
    name = finding.name or "Somebody"
    duties = _listed([duty.spoken() for duty in finding.duties])
    bidder = finding.bidder or "a bidder"
    match finding.kind:
        case FindingKind.FLOOR_PAIR:
            return f"{name} was both {duties} of this tender, which nobody may be."
        case FindingKind.DEFAULT_PAIR:
            return (
                f"{name} was both {duties} of this tender, and no exemption by the conflicts"
                f" guardian covered {_moment(finding)}, when the second began."
            )
        case FindingKind.MEMBER_OF_BIDDER:
            part = (
                "They did nothing with the bids."
                if not finding.times
                else f"They acted on the bids {_times(finding.times)}."
            )
            return (
                f"{name} had the duty of {duties} and was at the same time a member, employee or"
                f" director of {bidder}, or of its group. {part}"
            )
        case FindingKind.HELPER_BID:
            through = "" if finding.participant is None else f" together with {finding.participant}"
            bidding = finding.bidder or "A bidder"
            return (
                f"{bidding} bid{through}, although among them, or in their groups, is one that"
                f" helps to run this tender: {finding.helper or 'an organisation'}."
            )
        case _:
            return f"{name} {_did(finding)} {_amiss(finding, duties, bidder)}."


def _did(finding: Finding) -> str:
    what = "acted" if finding.act is None else f"acted ({finding.act.value.replace('_', ' ')})"
    return f"{what} {_times(finding.times)}, first on {_moment(finding)},"


def _amiss(finding: Finding, duties: str, bidder: str) -> str:
    match finding.kind:
        case FindingKind.ACTED_WITHOUT_DUTY:
            return f"without having the duty of {duties}"
        case FindingKind.ACTED_BEFORE_DECLARING:
            return f"before declaring on taking the duty of {duties}"
        case FindingKind.ACTED_WHILE_SUSPENDED:
            return f"while their duty of {duties} was suspended"
        case FindingKind.ACTED_UNDECLARED:
            return "before having declared against every bidder"
        case _:
            return f"with an interest in {bidder} that the conflicts guardian had not excused"


_HIDDEN: Final[Mapping[Hidden, str]] = MappingProxyType(
    {
        Hidden.UNTIL_OPENING: (
            "Who bids, declarations against bidders and decisions about interests in them are"
            " withheld until the opening; this statement does not cover them yet."
        ),
        Hidden.FROM_READER: (
            "Who bids, declarations against bidders and decisions about interests in them are"
            " withheld from you until you have declared and have no interest in a bidder; this"
            " statement does not cover them."
        ),
    }
)


def withheld_sentence(hidden: Hidden) -> str:
    """Say what is left out of the report, and why."""
    return _HIDDEN[hidden]


def statement(
    findings: Sequence[Finding], looked: LookedAt, hidden: Hidden | None
) -> tuple[str, ...]:
    """Say whether a forbidden pair exists and whether anybody acted who should not have.

    Each finding has its own sentence; what was looked at is counted; what could not be looked at
    is said.
    """
    pairs = [finding for finding in findings if finding.kind in PAIRS]
    acts = [finding for finding in findings if finding.kind not in PAIRS]
    where = "in this tender" if hidden is None else "in what this statement covers"
    return (
        f"{_pairs_found(len(pairs))} {where}. {_acts_found(len(acts))}.",
        *(finding_sentence(finding) for finding in (*pairs, *acts)),
        _looked(looked),
        *([] if hidden is None else [_HIDDEN[hidden]]),
    )


def _pairs_found(count: int) -> str:
    if not count:
        return "No forbidden pair exists"
    return "1 forbidden pair exists" if count == 1 else f"{count} forbidden pairs exist"


def _acts_found(count: int) -> str:
    if not count:
        return "Nobody was found to have acted without being entitled to"
    if count == 1:
        return "1 kind of act by somebody who was not entitled to it was found"
    return f"{count} kinds of acts by people who were not entitled to them were found"


def _looked(looked: LookedAt) -> str:
    counts = [
        "1 person" if looked.people == 1 else f"{looked.people} people",
        "1 duty held or exercised"
        if looked.duties == 1
        else f"{looked.duties} duties held or exercised",
        f"{_many(looked.pairs, 'pair')} of duties of one person",
        _many(looked.acts, "act"),
        *([] if looked.bidders is None else [_many(looked.bidders, "bidder")]),
    ]
    return f"This was computed from the market's records: {_listed(counts)}."


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def spoken_time(moment: datetime) -> str:
    """Say a moment as people in London do: "3 July 2030 at 10:15"."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%B %Y at %H:%M}"


def _moment(finding: Finding) -> str:
    return "an unknown day" if finding.first_at is None else spoken_time(finding.first_at)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _versions(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {_listed([str(number) for number in numbers])}"


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:  # noqa: PLR2004  # one word needs no "and"
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
