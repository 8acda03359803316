"""What each bidder is told of an award, made out of the reasons and figures that were recorded."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import structs

from evaluation.rules.exact import Exact, pounds, significant, value_text
from evaluation.rules.notice_content import (
    Agreed,
    BidResult,
    CriterionResult,
    DecidedBid,
    GroupResult,
    JudgedLot,
    LotAward,
    NoticeContent,
    NoticeCriterion,
    NoticeGroup,
    NoticeOutcome,
    Published,
)
from market.money import fraction_of, plain_text
from tenders.rules.criteria import Criterion, walk

_LONDON: Final = ZoneInfo("Europe/London")


def notice_for(award: LotAward, bid: DecidedBid, *, wins: bool) -> NoticeContent:
    """Make the notice of one bid out of what was recorded; nothing is written by hand."""
    outcome = _outcome(bid, wins=wins)
    return NoticeContent(
        **structs.asdict(published(award)),
        recipient=bid.supplier,
        variant=bid.variant,
        outcome=outcome,
        decision=_decision(award, bid, outcome),
        own=result_of(award, bid, with_price=True) if bid.agreed else None,
        winner=award.winner.supplier,
        winning_variant=award.winner.variant,
        winning=None if wins else result_of(award, award.winner, with_price=False),
        relative_advantages=[] if wins or not bid.agreed else _advantages(award, bid),
        standstill_ends_at=award.standstill_ends_at,
        standstill=_standstill(award.standstill_ends_at),
    )


def published(lot: JudgedLot) -> Published:
    """Give to the outside what was bought, and how tenders were judged."""
    return Published(
        reference=lot.reference,
        title=lot.title,
        buyers=list(lot.buyers),
        lot=lot.lot,
        lot_title=lot.lot_title,
        criteria=[
            NoticeCriterion(
                code=leaf.code,
                title=leaf.title,
                weight=leaf.weight,
                pass_fail=leaf.pass_fail,
                minimum=leaf.minimum,
            )
            for leaf in lot.leaves
        ],
        groups=[
            NoticeGroup(
                code=group.code, title=group.title, weight=group.weight, criteria=_under(group)
            )
            for group in lot.groups
        ],
        scale=list(lot.scale),
        quality_weight=_whole(lot.quality_weight),
        price_weight=_whole(lot.price_weight),
        highest=value_text(lot.highest),
        minimum_quality=plain_text(lot.minimum_quality),
        method=lot.method,
        method_version=lot.method_version,
        tie_rule=lot.tie_rule,
        rule_set=lot.rule_set,
    )


def _outcome(bid: DecidedBid, *, wins: bool) -> NoticeOutcome:
    if wins:
        return NoticeOutcome.SUCCESSFUL
    if not bid.agreed:
        return NoticeOutcome.NOT_OPENED
    if not bid.passed:
        return NoticeOutcome.BELOW_MINIMUM
    if bid.dropped_out is not None:
        return NoticeOutcome.DROPPED_OUT
    return NoticeOutcome.WITHOUT_PRICE if bid.total is None else NoticeOutcome.UNSUCCESSFUL


def _decision(award: LotAward, bid: DecidedBid, outcome: NoticeOutcome) -> str:
    winner, your = award.winner, _named("Your tender", bid)
    match outcome:
        case NoticeOutcome.SUCCESSFUL:
            return (
                f"{your} for lot {award.lot}, {award.lot_title}, has been successful. The"
                " buyers intend to make the contract with you once the standstill is over."
            )
        case NoticeOutcome.NOT_OPENED:
            why = f"{your} could not be scored: {bid.failure}"
        case NoticeOutcome.BELOW_MINIMUM:
            because = " ".join(failings(award, bid))
            sealed = "" if award.round > 1 else " Your price was not opened, and never will be."
            why = f"{your} did not pass on quality. {because}{sealed}"
        case NoticeOutcome.DROPPED_OUT:
            why = f"{your} is no longer in the competition: {bid.dropped_out}"
        case NoticeOutcome.WITHOUT_PRICE:
            why = f"{your} could not be ranked: {bid.failure}"
        case _:
            why = f"{your} was ranked number {bid.place} with {_reached(bid, ' of 100')}."
    its = _named("whose tender", winner)
    return f"{why} The lot is awarded to {winner.supplier}, {its} has {_reached(winner)}."


def _named(tender: str, bid: DecidedBid) -> str:
    """Tell a variant from its bidder's main bid, which may have a notice of its own."""
    return f"{tender}, variant {bid.variant}," if bid.variant else tender


def _reached(bid: DecidedBid, of_all: str = "") -> str:
    """Points or, where one figure ranks the bids, that figure."""
    total = bid.total or Fraction(0)
    if bid.price_points is None:
        return f"the figure {significant(total)}"
    return f"{Exact.of(total).display}{of_all} points"


def result_of(lot: JudgedLot, bid: DecidedBid, *, with_price: bool) -> BidResult:
    """Give a scored bid's scores, sums and place to the outside; its price to its own bidder only.

    Notices and the report on a recommendation are both made of this, so they cannot disagree.
    """
    points = {
        leaf.code: fraction_of(leaf.weight) * Fraction(bid.agreed[leaf.code].value) / lot.highest
        for leaf in lot.leaves
    }
    return BidResult(
        scores=[
            CriterionResult(
                criterion=leaf.code,
                value=value_text(bid.agreed[leaf.code].value),
                level=_level(lot, leaf, bid.agreed[leaf.code].value),
                points=Exact.of(points[leaf.code]),
                reason=bid.agreed[leaf.code].reason,
            )
            for leaf in lot.leaves
        ],
        subtotals=[
            GroupResult(
                criterion=group.code,
                points=Exact.of(sum((points[code] for code in _under(group)), Fraction(0))),
            )
            for group in lot.groups
        ],
        quality_points=Exact.of(bid.quality_points),
        quality_percentage=Exact.of(_percentage(lot, bid)),
        price=None if bid.price is None or not with_price else pounds(bid.price),
        price_points=None if bid.price_points is None else Exact.of(bid.price_points),
        total=None if bid.total is None else Exact.of(bid.total),
        place=bid.place,
    )


def _level(lot: JudgedLot, leaf: Criterion, value: Fraction | Decimal) -> str | None:
    """What the published scale calls a value, or whether what is passed or failed was passed."""
    if leaf.pass_fail:
        return "passed" if value else "failed"
    return next((step.title for step in lot.scale if fraction_of(step.value) == value), None)


def failings(lot: JudgedLot, bid: DecidedBid) -> list[str]:
    """Say in words, one sentence each, why a bid did not pass on quality."""
    return [_failing(lot, bid, *one.partition(":")[::2]) for one in bid.failed_because]


def _failing(lot: JudgedLot, bid: DecidedBid, kind: str, code: str) -> str:
    leaf = next((leaf for leaf in lot.leaves if leaf.code == code), None)
    if leaf is None or kind not in {"failed", "below_minimum"}:
        if not bid.agreed:
            return "It could not be scored."
        return (
            f"It reached {Exact.of(_percentage(lot, bid)).display} per cent of the points for"
            f" quality; at least {plain_text(lot.minimum_quality)} per cent were needed."
        )
    if kind == "failed":
        return f"It failed {leaf.code}, {leaf.title}, which is passed or failed."
    given = value_text(bid.agreed[code].value)
    return (
        f"It was given {given} for {leaf.code}, {leaf.title}; at least {leaf.minimum} was needed."
    )


def _under(group: Criterion) -> list[str]:
    return [one.code for _, one, _ in walk("", group.children) if not one.children]


def _advantages(award: LotAward, bid: DecidedBid) -> list[str]:
    """Compare criterion by criterion, in the panel's own words, then on price."""
    sentences = [
        _advantage(leaf, award.winner.agreed[leaf.code], bid.agreed[leaf.code])
        for leaf in award.leaves
    ]
    if bid.price_points is not None and award.winner.price_points is not None:
        sentences.append(
            f"Price, {_whole(award.price_weight)} points: the successful tender has"
            f" {Exact.of(award.winner.price_points).display} and yours"
            f" {Exact.of(bid.price_points).display}."
        )
    return sentences


def _advantage(leaf: Criterion, winning: Agreed, own: Agreed) -> str:
    if winning.value > own.value:
        better = "The successful tender has the advantage"
    elif winning.value < own.value:
        better = "Your tender has the advantage"
    else:
        better = "Neither tender has the advantage"
    return (
        f"{leaf.code}, {leaf.title}, {leaf.weight} points: the successful tender was given"
        f" {value_text(winning.value)} and yours {value_text(own.value)}. {better}."
        f" The panel said of the successful tender: {winning.reason.strip()}"
        f" Of yours: {own.reason.strip()}"
    )


def _percentage(lot: JudgedLot, bid: DecidedBid) -> Fraction:
    return 100 * bid.quality_points / lot.quality_weight


def _standstill(ends_at: datetime) -> str:
    local = ends_at.astimezone(_LONDON)
    return (
        "The standstill ends, and the contract may be made, no earlier than"
        f" {local:%H:%M} London time on {local.day} {local:%B %Y}."
    )


def _whole(weight: Fraction) -> str:
    """Write a weight: weights come from decimal text, so they end."""
    return plain_text(Decimal(weight.numerator) / Decimal(weight.denominator))
