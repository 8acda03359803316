"""What becomes of a ranking when one drops out, and what is said of it: for every method."""

from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.allocation import LotState, PlacedBid, Undecided, allocation
from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.ranking import Offer, ScoredOffer
from evaluation.rules.robustness.charts import CHARTS, chart
from evaluation.rules.robustness.draws import Variation
from evaluation.rules.robustness.report import Ranked, robustness
from tenders.rules.award_methods import AwardMethod, MethodName, QualityTaken, is_relative
from tenders.rules.lot_limits import LimitRule, LotLimit
from tests.evaluation.rules.test_every_method import WEIGHT, competitions, published

FEW = Variation(draws=200)


@given(competitions(smallest=2), st.data())
def test_frozen_figures_keep_their_order_and_the_next_moves_up(
    competition: tuple[AwardMethod, list[Offer]], data: st.DataObject
) -> None:
    method, offers = competition
    chosen = method_of(method.name, method.version)
    parameters = Parameters.published(method, WEIGHT)
    before = chosen.rank(offers, parameters).rows
    gone = data.draw(st.sampled_from(offers)).key
    by_key = {offer.key: offer for offer in offers}
    standing = [
        ScoredOffer(offer=by_key[row.key], price_points=row.price_points, total=row.total)
        for row in before
        if row.key != gone
    ]
    after = chosen.place(standing, parameters).rows
    assert [row.key for row in after] == [row.key for row in before if row.key != gone]
    ranks = {row.key: row.rank for row in before}
    assert all(ranks[row.key] - row.rank in {0, 1} for row in after)
    if not is_relative(method):
        left = [offer for offer in offers if offer.key != gone]
        assert chosen.rank(left, parameters).rows == after


def _ranked(name: MethodName, bids: int, taken: QualityTaken = QualityTaken.AS_SCORED) -> Ranked:
    fixed = name is MethodName.FIXED_PRICE
    weights = {"Q1": Fraction(40), "Q2": Fraction(60 if fixed else 20)}
    agreed = {
        f"<Bid & {place}>": {"Q1": Fraction((5, 10, 2)[place]), "Q2": Fraction((10, 5, 5)[place])}
        for place in range(bids)
    }
    offers = []
    for place, (key, values) in enumerate(agreed.items()):
        points = {code: weights[code] * value / 10 for code, value in values.items()}
        offers.append(
            Offer(
                key=key,
                quality_points=sum(points.values(), Fraction(0)),
                price=Decimal(100 if fixed else 100 + 10 * place),
                criterion_points=points,
            )
        )
    return Ranked(
        method=published(name, quality=taken),
        price_weight=Fraction(0 if fixed else 40),
        minimum_quality=Fraction(30),
        offers=offers,
        weights=weights,
        agreed=agreed,
        scale=[Fraction(value) for value in (0, 2, 5, 10)],
        evaluators=["Eve", "Emil"],
        marks=[[Fraction(5), Fraction(10)], [Fraction(2), None], [Fraction(0), Fraction(5)]],
    )


@pytest.mark.parametrize("taken", QualityTaken)
@pytest.mark.parametrize("bids", [1, 2, 3])
@pytest.mark.parametrize("name", MethodName)
def test_every_ranking_has_its_report_and_charts(
    name: MethodName, bids: int, taken: QualityTaken
) -> None:
    ranked = _ranked(name, bids, taken)
    report = robustness(ranked, FEW)
    first = {row.key for row in report.rows if row.rank == 1}
    assert (report.margin is None) == (bids == 1)
    assert {one.without for one in report.without} == {offer.key for offer in ranked.offers}
    assert all(set(flip.winners) != first for flip in report.flips)
    assert sum(one.wins for one in report.frequencies) == pytest.approx(1)
    assert report.leniency[0] == -5
    assert report.leniency[1] == 5
    for chart_name in CHARTS:
        ET.fromstring(chart(chart_name, report))  # noqa: S314  # our own


def test_a_mark_that_takes_the_only_bid_below_the_minimum_leaves_nobody_first() -> None:
    ranked = _ranked(MethodName.LOWEST_PRICE_RATIO, 1)
    low = Ranked(
        **{
            **{field: getattr(ranked, field) for field in Ranked.__struct_fields__},
            "minimum_quality": Fraction(60),
        }
    )
    flips = robustness(low, FEW).flips
    assert {(flip.criterion, flip.winners) for flip in flips} == {("Q1", ()), ("Q2", ())}


# -- lots that are allocated together -------------------------------------------------------------


def _bid(lot: int, supplier: str, place: int, *, recommended: bool = False) -> PlacedBid:
    return PlacedBid(
        lot=lot,
        pseudonym=f"{supplier} in {lot}",
        supplier=supplier,
        place=place,
        tied=False,
        recommended=recommended,
    )


def test_what_is_recommended_counts_and_stays() -> None:
    lots = [LotState(number=number, ranked=True) for number in (1, 2, 3)]
    bids = [
        *(_bid(1, supplier, place) for place, supplier in enumerate("ab", start=1)),
        *(_bid(2, supplier, place) for place, supplier in enumerate("ac", start=1)),
        _bid(3, "a", 1, recommended=True),
        _bid(3, "b", 2),
    ]
    for rule in LimitRule:
        found = allocation(lots, bids, LotLimit(lots=1, rule=rule))
        assert {lot: bid.supplier if bid else None for lot, bid in found.items()} == {
            1: "b",
            2: "c",
            3: "a",
        }


def test_lots_wait_for_each_other() -> None:
    lots = [LotState(number=1, ranked=True), LotState(number=2, ranked=False)]
    with pytest.raises(Undecided, match="wait for 2"):
        allocation(lots, [_bid(1, "a", 1)], LotLimit(lots=1, rule=LimitRule.BEST_RANKS))
