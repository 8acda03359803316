"""The report on a recommendation: what those who approve an award decide on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, structs

from evaluation.rules.exact import Exact
from evaluation.rules.low_prices import Indicator, LowPrice
from evaluation.rules.notice_content import BidResult, DecidedBid, JudgedLot, Published
from evaluation.rules.notices import failings, published, result_of
from evaluation.rules.robustness.report import Flip


class RecommendedBid(Struct, frozen=True, kw_only=True):
    """Which bid is recommended, and why."""

    number: int
    pseudonym: str
    supplier: str
    reason: str
    recommended_at: datetime


class ReportedBid(Struct, frozen=True, kw_only=True):
    """A bid with its scores and the reasons for them, its sums and its place, or why it has none.

    `result` is null where the bid could not be scored; then `failure` says why. `failings` are why
    it did not pass on quality.
    """

    pseudonym: str
    variant: int
    supplier: str
    passed: bool
    failings: list[str]
    failure: str | None
    dropped_out: str | None
    result: BidResult | None


class ReportedFlip(Struct, frozen=True, kw_only=True):
    """A single agreed mark which, one step of the scale higher or lower, makes others first."""

    pseudonym: str
    criterion: str
    agreed: Exact
    instead: Exact
    winners: list[str]


class ReportedLowPrice(Struct, frozen=True, kw_only=True):
    """A price that the published indicators flag, and what was decided of it."""

    pseudonym: str
    flags: list[str]
    outcome: str | None
    reason: str | None


class HandledConflict(Struct, frozen=True, kw_only=True):
    """What the guardian decided of somebody's interest in a bidder of the lot."""

    person: str
    bidder: str
    outcome: str
    reason: str
    mitigation: str
    decided_at: datetime


class ReportedDissent(Struct, frozen=True, kw_only=True):
    """An evaluator who does not share a score that was agreed, and why."""

    pseudonym: str
    criterion: str
    evaluator: str
    reason: str


class RecommendationReport(Published, frozen=True, kw_only=True):
    """All that approvers decide on: the ranking, the reasons for it, and how firmly it stands.

    `ranking` is the number of the ranking that the recommendation is about, `margin` lies between
    its first two bids. `marks_that_flip` is null where its figures are frozen from an earlier one.
    """

    recommendation: RecommendedBid
    ranking: int
    ranked_at: datetime
    bids: list[ReportedBid]
    margin: Exact | None
    marks_that_flip: list[ReportedFlip] | None
    low_prices: list[ReportedLowPrice]
    conflicts: list[HandledConflict]
    dissent: list[ReportedDissent]


class LowPriceDecided(Struct, frozen=True, kw_only=True):
    """A decision about a price that appeared abnormally low."""

    outcome: str
    reason: str


class Findings(Struct, frozen=True, kw_only=True):
    """What was found beside the scores. Prices and decisions are by pseudonym."""

    ranking: int
    ranked_at: datetime
    flips: Sequence[Flip] | None
    low_prices: Mapping[str, Sequence[LowPrice]]
    decided: Mapping[str, LowPriceDecided]
    conflicts: Sequence[HandledConflict]
    dissent: Sequence[ReportedDissent]


def report_on(
    lot: JudgedLot,
    recommended: RecommendedBid,
    bids: Mapping[str, DecidedBid],
    found: Findings,
) -> RecommendationReport:
    """Put the report together; every figure of a bid is made as in its notice.

    `bids` are by pseudonym, in the order of their places.
    """
    return RecommendationReport(
        **structs.asdict(published(lot)),
        recommendation=recommended,
        ranking=found.ranking,
        ranked_at=found.ranked_at,
        bids=[_bid(lot, pseudonym, bid) for pseudonym, bid in bids.items()],
        margin=_margin(bids.values()),
        marks_that_flip=None if found.flips is None else [_flip(one) for one in found.flips],
        low_prices=[
            _low(pseudonym, found.low_prices.get(pseudonym, ()), found.decided.get(pseudonym))
            for pseudonym in bids
            if pseudonym in found.low_prices or pseudonym in found.decided
        ],
        conflicts=list(found.conflicts),
        dissent=list(found.dissent),
    )


def _bid(lot: JudgedLot, pseudonym: str, bid: DecidedBid) -> ReportedBid:
    return ReportedBid(
        pseudonym=pseudonym,
        variant=bid.variant,
        supplier=bid.supplier,
        passed=bid.passed,
        failings=failings(lot, bid),
        failure=bid.failure,
        dropped_out=bid.dropped_out,
        result=result_of(lot, bid, with_price=True) if bid.agreed else None,
    )


def _margin(bids: Iterable[DecidedBid]) -> Exact | None:
    """How far the first two lie apart; under an index the lower figure may be the better."""
    placed = sorted((bid.place, bid.total) for bid in bids if bid.place and bid.total is not None)
    return Exact.of(abs(placed[0][1] - placed[1][1])) if len(placed) > 1 else None


def _flip(one: Flip) -> ReportedFlip:
    return ReportedFlip(
        pseudonym=one.key,
        criterion=one.criterion,
        agreed=Exact.of(one.agreed),
        instead=Exact.of(one.instead),
        winners=list(one.winners),
    )


def _low(
    pseudonym: str, flags: Iterable[LowPrice], decided: LowPriceDecided | None
) -> ReportedLowPrice:
    return ReportedLowPrice(
        pseudonym=pseudonym,
        flags=[_flag(one) for one in flags],
        outcome=None if decided is None else decided.outcome,
        reason=None if decided is None else decided.reason,
    )


def _flag(one: LowPrice) -> str:
    than = (
        "the mean of the other bids"
        if one.indicator is Indicator.BELOW_MEAN
        else "the next price above it"
    )
    return (
        f"{Exact.of(one.per_cent_below).display} per cent below {than}; {one.published} per cent"
        " was published."
    )
