"""Letters, report and ranking of random competitions never disagree, nor tell what they may not."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from html import unescape

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.routes.letter_forms import letter_page
from evaluation.rules.exact import Exact, pounds
from evaluation.rules.letters import letter_about
from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.notice_content import (
    Agreed,
    BidResult,
    DecidedBid,
    JudgedLot,
    LotAward,
    NoticeContent,
    NoticeOutcome,
)
from evaluation.rules.notices import notice_for
from evaluation.rules.ranking import Offer, RankedOffer
from evaluation.rules.recommendation import Findings, RecommendedBid, report_on
from evaluation.rules.recommendation_letter import letter_of
from tenders.rules.award_methods import MethodName, TieRule
from tenders.rules.rule_sets import RuleSetName
from tests.evaluation.rules.test_letters import SENT, told
from tests.evaluation.rules.test_notices import AWARD

NAMES = ("First Trust", "Second Limited", "Third Charity", "Fourth Partnership", "Fifth Company")
METHODS = (
    MethodName.LOWEST_PRICE_RATIO,
    MethodName.ONE_SIDED_INTERPOLATION,
    MethodName.DEVIATION_FROM_MEAN,
    MethodName.UTILITY_INDEX,
)
VALUES = st.sampled_from([Decimal(2), Decimal(5), Decimal(10)])
BIDS = st.lists(
    st.tuples(VALUES, VALUES, st.integers(100_000, 900_000), st.integers(0, 9)),
    min_size=1,
    max_size=len(NAMES),
)


class Competition(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and the ranking it came of, all by the bidder's name."""

    lot: JudgedLot
    bids: Mapping[str, DecidedBid]
    ranked: Mapping[str, RankedOffer]


@st.composite
def competitions(draw: st.DrawFn) -> Competition:
    """Bids that pass are ranked by a real method; one in ten has no price, or dropped out."""
    name = draw(st.sampled_from(METHODS))
    rule_set = draw(st.sampled_from(RuleSetName)).value
    fields = {
        field: value
        for field, value in msgspec.structs.asdict(AWARD).items()
        if field in {one.name for one in msgspec.structs.fields(JudgedLot)}
    }
    lot = JudgedLot(**{**fields, "rule_set": rule_set, "method": name.value})
    decided, offers = {}, []
    for supplier, (one, two, price, fate) in zip(NAMES, draw(BIDS), strict=False):
        quality = Fraction(one) * 4 + Fraction(two) * 2
        passed = quality >= 30
        decided[supplier] = DecidedBid(
            supplier=supplier,
            agreed={
                code: Agreed(value=value, reason=f"{supplier} on {code}: words of the panel.")
                for code, value in (("Q1", one), ("Q2", two))
            },
            quality_points=quality,
            passed=passed,
            failed_because=() if passed else ("minimum_quality",),
            failure="Its price envelope is missing." if passed and fate == 8 else None,
            dropped_out=f"{supplier} withdrew." if passed and fate == 9 else None,
        )
        if passed and fate < 8:
            offers.append(Offer(key=supplier, quality_points=quality, price=Decimal(price) / 100))
    parameters = Parameters(price_weight=lot.price_weight, tie_rule=TieRule.HIGHER_QUALITY)
    rows = method_of(name, 1).rank(offers, parameters).rows if offers else ()
    index = name is MethodName.UTILITY_INDEX
    for row in rows:
        decided[row.key] = msgspec.structs.replace(
            decided[row.key],
            price=row.price,
            price_points=None if index else row.price_points,
            total=row.total,
            place=row.rank,
        )
    return Competition(lot=lot, bids=decided, ranked={row.key: row for row in rows})


def agrees(shown: BidResult, row: RankedOffer) -> None:
    """What is shown of a bid is what the ranking computed, to the last digit."""
    assert shown.place == row.rank
    assert shown.total == Exact.of(row.total)
    assert shown.quality_points == Exact.of(row.quality_points)
    if shown.price_points is not None:
        assert shown.price_points == Exact.of(row.price_points)


@settings(deadline=None, max_examples=150)
@given(competitions())
def test_letters_report_and_ranking_never_disagree_and_tell_nothing_of_other_losers(
    held: Competition,
) -> None:
    first = [name for name, row in held.ranked.items() if row.rank == 1]
    if len(first) != 1:
        return  # nothing is recommended while the first place is shared
    winner = held.bids[first[0]]
    award = LotAward(
        **msgspec.structs.asdict(held.lot),
        standstill_ends_at=datetime(2026, 7, 13, 23, tzinfo=UTC),
        winner=winner,
    )
    report = report_on(
        held.lot,
        RecommendedBid(
            number=1,
            pseudonym=winner.supplier,
            supplier=winner.supplier,
            reason="It alone ranks first.",
            recommended_at=SENT,
        ),
        held.bids,
        Findings(
            ranking=1,
            ranked_at=SENT,
            flips=[],
            low_prices={},
            decided={},
            conflicts=[],
            dissent=[],
        ),
    )
    reported = told(letter_of(report))
    for one in report.bids:
        bid, notice = (
            held.bids[one.supplier],
            notice_for(award, held.bids[one.supplier], wins=one.supplier == winner.supplier),
        )
        # the report, the notice and the ranking hold the same figures
        assert one.result == notice.own
        assert one.result is not None
        if one.supplier in held.ranked:
            agrees(one.result, held.ranked[one.supplier])
        else:
            assert (one.result.place, one.result.total, one.result.price) == (None, None, None)
        assert notice.winner == report.recommendation.supplier
        assert (notice.outcome is NoticeOutcome.SUCCESSFUL) == (bid is winner)
        if notice.winning is not None:
            agrees(notice.winning, held.ranked[winner.supplier])
            assert notice.winning.price is None
        text, page = _laid_out(notice, one.result, reported)
        _tells_nothing_else(held, bid, winner, text + page + msgspec.json.encode(notice).decode())


def _laid_out(notice: NoticeContent, own: BidResult, reported: str) -> tuple[str, str]:
    """What is laid out is what the record says, in the letter, on the page and in the report."""
    letter = letter_about(notice, SENT)
    text, page = told(letter), unescape(letter_page(letter))
    said = [score.reason for score in own.scores]
    if own.total is not None:
        said.append(f"Total: {own.total.display}. Place: {own.place}.")
    for words in said:
        assert words in text
        assert words in page
        assert words in reported
    return text, page


def _tells_nothing_else(held: Competition, bid: DecidedBid, winner: DecidedBid, whole: str) -> None:
    """Of other losers not a word, and no price but one's own."""
    for other in held.bids.values():
        if other is bid:
            continue
        if other is not winner:
            assert other.supplier not in whole
        if other.price is not None and other.price != bid.price:
            assert f"{pounds(other.price).amount} GBP" not in whole
            assert f'"{pounds(other.price).amount}"' not in whole
