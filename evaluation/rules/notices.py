"""What each bidder is told of an award, made out of the reasons and figures that were recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from evaluation.rules.exact import Exact, pounds, significant, value_text
from market.money import Money, fraction_of, plain_text
from tenders.rules.criteria import Criterion

_LONDON: Final = ZoneInfo("Europe/London")


class NoticeOutcome(StrEnum):
    """What became of the recipient's bid."""

    SUCCESSFUL = "successful"
    UNSUCCESSFUL = "unsuccessful"
    BELOW_MINIMUM = "below_minimum"
    NOT_OPENED = "not_opened"
    WITHOUT_PRICE = "without_price"


class Agreed(Struct, frozen=True, kw_only=True):
    """What the panel agreed of one criterion of one bid."""

    value: Fraction | Decimal
    reason: str


class DecidedBid(Struct, frozen=True, kw_only=True):
    """A bid with all that was decided of it. Price figures are absent unless it was ranked.

    `failure` says why its quality envelope, or its price envelope, did not open.
    """

    supplier: str
    variant: int = 0
    agreed: Mapping[str, Agreed]
    quality_points: Fraction
    passed: bool
    failure: str | None = None
    price: Decimal | None = None
    price_points: Fraction | None = None
    total: Fraction | None = None
    place: int | None = None


class LotAward(Struct, frozen=True, kw_only=True):
    """The award of a lot, as far as every notice tells it."""

    reference: str
    title: str
    buyers: Sequence[str]
    lot: int
    lot_title: str
    leaves: Sequence[Criterion]
    highest: Fraction
    quality_weight: Fraction
    price_weight: Fraction
    minimum_quality: Decimal
    method: str
    method_version: int
    tie_rule: str
    rule_set: str
    standstill_ends_at: datetime
    winner: DecidedBid


class NoticeCriterion(Struct, frozen=True, kw_only=True):
    """A published criterion and its weight in points out of 100."""

    code: str
    title: str
    weight: str


class CriterionResult(Struct, frozen=True, kw_only=True):
    """The agreed score of one criterion, its points, and the panel's reason."""

    criterion: str
    value: str
    points: Exact
    reason: str


class BidResult(Struct, frozen=True, kw_only=True):
    """A bid's scores. The price is given to its own bidder only."""

    scores: list[CriterionResult]
    quality_points: Exact
    quality_percentage: Exact
    price: Money | None
    price_points: Exact | None
    total: Exact | None
    place: int | None


class NoticeContent(Struct, frozen=True, kw_only=True):
    """The notice of one bidder: regulation 86 of the Public Contracts Regulations 2015.

    Criteria and weights; the decision; the recipient's scores and, beside them, the winner's with
    the reasons for both, which give the characteristics and relative advantages of the winning
    tender; the winner's name; and the exact end of the standstill. Of no other bidder anything.
    """

    reference: str
    title: str
    buyers: list[str]
    lot: int
    lot_title: str
    recipient: str
    variant: int
    outcome: NoticeOutcome
    decision: str
    criteria: list[NoticeCriterion]
    quality_weight: str
    price_weight: str
    highest: str
    minimum_quality: str
    method: str
    method_version: int
    tie_rule: str
    own: BidResult | None
    winner: str
    winning_variant: int
    winning: BidResult | None
    relative_advantages: list[str]
    rule_set: str
    standstill_ends_at: datetime
    standstill: str


def notice_for(award: LotAward, bid: DecidedBid, *, wins: bool) -> NoticeContent:
    """Make the notice of one bid out of what was recorded; nothing is written by hand."""
    outcome = _outcome(bid, wins=wins)
    return NoticeContent(
        reference=award.reference,
        title=award.title,
        buyers=list(award.buyers),
        lot=award.lot,
        lot_title=award.lot_title,
        recipient=bid.supplier,
        variant=bid.variant,
        outcome=outcome,
        decision=_decision(award, bid, outcome),
        criteria=[
            NoticeCriterion(code=leaf.code, title=leaf.title, weight=leaf.weight)
            for leaf in award.leaves
        ],
        quality_weight=_whole(award.quality_weight),
        price_weight=_whole(award.price_weight),
        highest=value_text(award.highest),
        minimum_quality=plain_text(award.minimum_quality),
        method=award.method,
        method_version=award.method_version,
        tie_rule=award.tie_rule,
        own=_result(award, bid, own=True) if bid.agreed else None,
        winner=award.winner.supplier,
        winning_variant=award.winner.variant,
        winning=None if wins else _result(award, award.winner, own=False),
        relative_advantages=[] if wins or not bid.agreed else _advantages(award, bid),
        rule_set=award.rule_set,
        standstill_ends_at=award.standstill_ends_at,
        standstill=_standstill(award.standstill_ends_at),
    )


def _outcome(bid: DecidedBid, *, wins: bool) -> NoticeOutcome:
    if wins:
        return NoticeOutcome.SUCCESSFUL
    if not bid.agreed:
        return NoticeOutcome.NOT_OPENED
    if not bid.passed:
        return NoticeOutcome.BELOW_MINIMUM
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
            reached = Exact.of(_percentage(award, bid)).display
            why = (
                f"{your} reached {reached} per cent of the points for quality; at least"
                f" {plain_text(award.minimum_quality)} per cent were needed. Your price was not"
                " opened, and never will be."
            )
        case NoticeOutcome.WITHOUT_PRICE:
            why = f"{your} could not be ranked: {bid.failure}"
        case _:
            why = f"{your} took place {bid.place} with {_reached(bid, ' of 100')}."
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


def _result(award: LotAward, bid: DecidedBid, *, own: bool) -> BidResult:
    shown_price = None if bid.price is None or not own else pounds(bid.price)
    return BidResult(
        scores=[
            CriterionResult(
                criterion=leaf.code,
                value=value_text(bid.agreed[leaf.code].value),
                points=Exact.of(
                    fraction_of(leaf.weight) * Fraction(bid.agreed[leaf.code].value) / award.highest
                ),
                reason=bid.agreed[leaf.code].reason,
            )
            for leaf in award.leaves
        ],
        quality_points=Exact.of(bid.quality_points),
        quality_percentage=Exact.of(_percentage(award, bid)),
        price=shown_price,
        price_points=None if bid.price_points is None else Exact.of(bid.price_points),
        total=None if bid.total is None else Exact.of(bid.total),
        place=bid.place,
    )


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


def _percentage(award: LotAward, bid: DecidedBid) -> Fraction:
    return 100 * bid.quality_points / award.quality_weight


def _standstill(ends_at: datetime) -> str:
    local = ends_at.astimezone(_LONDON)
    return (
        "The standstill ends, and the contract may be made, no earlier than"
        f" {local:%H:%M} London time on {local.day} {local:%B %Y}."
    )


def _whole(weight: Fraction) -> str:
    """Write a weight: weights come from decimal text, so they end."""
    return plain_text(Decimal(weight.numerator) / Decimal(weight.denominator))
