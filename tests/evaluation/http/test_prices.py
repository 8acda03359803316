from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from typing import Any

import pytest

from market.sealing import Address, CannotUnwrap, Custodian, EnvelopeKind, WrappedKey
from market.vault import Vault
from tests.makers.evaluation import (
    AGREED,
    EvaluatedLot,
    contracted_lot,
    locked_lot,
    lot_to_score,
    priced_lot,
    ranked_lot,
    scored_lot,
)
from tests.makers.world import World


async def _ranking(lot: EvaluatedLot) -> dict[str, Any]:
    answer = await lot.tender.price_evaluator.get(f"{lot.path}/evaluation/ranking")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def _opened_prices(superuser: Any) -> int:
    number: int = await superuser.fetchval(
        "SELECT count(*) FROM opened_envelope WHERE kind = 'price'"
    )
    return number


# -- opening prices -------------------------------------------------------------------------------


async def test_prices_open_only_after_quality_and_only_of_bids_that_passed(
    world: World, superuser: Any
) -> None:
    lot = await scored_lot(world)
    evaluator = lot.tender.price_evaluator
    early = await lot.act(evaluator, "/evaluation/price-opening")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/lot-not-there")
    assert await _opened_prices(superuser) == 0
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    early = await lot.act(evaluator, "/evaluation/price-opening")
    assert early.status_code == 409
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    moved = await lot.done(evaluator, "/evaluation/price-opening")
    assert moved["stage"] == "price_opened"
    opened = await superuser.fetch("SELECT bid FROM opened_envelope WHERE kind = 'price'")
    passed = await superuser.fetch("SELECT bid FROM quality_decision WHERE passed")
    assert {row["bid"] for row in opened} == {row["bid"] for row in passed}
    assert len(opened) == 2


async def test_only_a_price_evaluator_opens_prices_and_ranks(world: World) -> None:
    lot = await locked_lot(world)
    for person in set(lot.tender.everybody()) - {lot.tender.price_evaluator}:
        for path in ("price-opening", "ranking"):
            version = (await lot.evaluation(person))["version"]
            answer = await person.post(f"{lot.path}/evaluation/{path}", version=version)
            assert answer.status_code == 403, person.name
            assert answer.json()["type"] == "/problems/duty-needed"
    for supplier in lot.suppliers:
        answer = await supplier.post(f"{lot.path}/evaluation/price-opening", version=3)
        assert answer.status_code == 404


async def test_price_acts_need_the_present_version(world: World) -> None:
    lot = await locked_lot(world)
    evaluator = lot.tender.price_evaluator
    for path in ("price-opening", "ranking"):
        assert (await evaluator.post(f"{lot.path}/evaluation/{path}")).status_code == 428
        stale = await evaluator.post(f"{lot.path}/evaluation/{path}", version=1)
        assert stale.status_code == 412


async def test_if_no_bid_passed_no_price_opens_and_the_lead_gives_the_lot_up(
    world: World, superuser: Any
) -> None:
    low = [dict.fromkeys(values, "0") for values in AGREED]
    lot = await locked_lot(world, agreed=low)
    refused = await lot.act(lot.tender.price_evaluator, "/evaluation/price-opening")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-bid-passed")
    assert (await lot.evaluation())["missing"][0]["who"] == "tender manager"
    body = {"reason": "No bid reached the minimum quality."}
    for person in set(lot.tender.everybody()) - {lot.tender.manager}:
        version = (await lot.evaluation(person))["version"]
        answer = await person.post(f"{lot.path}/abandonment", body, version=version)
        assert answer.status_code == 403
    blank = await lot.act(lot.tender.manager, "/abandonment", {"reason": "  "})
    assert blank.status_code == 400
    moved = await lot.done(lot.tender.manager, "/abandonment", body)
    assert moved["stage"] == "abandoned"
    view = await lot.evaluation()
    assert view["abandoned_because"] == body["reason"]
    assert view["missing"] == []
    again = await lot.act(lot.tender.manager, "/abandonment", body)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/lot-not-there")
    assert await _opened_prices(superuser) == 0


async def test_a_lot_nobody_bid_for_can_be_given_up(world: World) -> None:
    lot = await locked_lot(world, prices=())
    assert (await lot.evaluation())["bids"] == 0
    refused = await lot.act(lot.tender.price_evaluator, "/evaluation/price-opening")
    assert refused.json()["type"] == "/problems/no-bid-passed"
    await lot.done(lot.tender.manager, "/abandonment", {"reason": "Nobody bid."})


async def test_a_contracted_lot_cannot_be_abandoned(world: World) -> None:
    lot = await contracted_lot(world)
    answer = await lot.act(lot.tender.manager, "/abandonment", {"reason": "Too late."})
    assert answer.status_code == 409


class _Interrupted:
    """A custodian whose keys are out of reach while the second price is opened, once."""

    def __init__(self, kept: Custodian) -> None:
        """Stand before the custodian that can open."""
        self.kept = kept
        self.prices: Iterator[int] = count(1)

    def new_wrapped_key(self, context: bytes) -> WrappedKey:
        """Make a key as the other does."""
        return self.kept.new_wrapped_key(context)

    def open_envelope(
        self, wrapped: bytes, context: bytes, address: Address, sealed: bytes
    ) -> bytes:
        """Open all but the second price asked for."""
        if address.envelope is EnvelopeKind.PRICE and next(self.prices) == 2:
            raise CannotUnwrap
        return self.kept.open_envelope(wrapped, context, address, sealed)

    def keep(self, secret: bytes, purpose: bytes) -> bytes:
        """Keep a secret as the other does."""
        return self.kept.keep(secret, purpose)

    def recall(self, kept: bytes, purpose: bytes) -> bytes:
        """Give it back as the other does."""
        return self.kept.recall(kept, purpose)


class TestInterruption:
    """Prices are opened one by one, so an opening can stop between two of them."""

    @pytest.fixture
    def vault(self, vault: Vault) -> Vault:
        """The usual vault, with a custodian that fails once."""
        return Vault(
            custodian=_Interrupted(vault.custodian),
            signing_key=vault.signing_key,
            sandbox=vault.sandbox,
            name=vault.name,
        )

    async def test_an_interrupted_price_opening_goes_on_with_the_same_version(
        self, world: World, superuser: Any
    ) -> None:
        lot = await locked_lot(world)
        evaluator = lot.tender.price_evaluator
        version = (await lot.evaluation(evaluator))["version"]
        path = f"{lot.path}/evaluation/price-opening"
        broken = await evaluator.post(path, version=version)
        assert broken.status_code == 503, broken.text
        assert await _opened_prices(superuser) == 1
        assert (await lot.evaluation())["stage"] == "quality_locked"
        resumed = await evaluator.post(path, version=version)
        assert resumed.status_code == 201, resumed.text
        assert resumed.json()["stage"] == "price_opened"
        assert await _opened_prices(superuser) == 2


# -- ranking --------------------------------------------------------------------------------------


async def test_the_ranking_can_be_computed_again_from_what_the_api_shows(world: World) -> None:
    """Out of the published requirement, the agreed scores and the prices, by fractions alone."""
    lot = await ranked_lot(world)
    base = f"{lot.tender.path}/requirement"
    published = (await world.public(base)).json()["content"]
    scores = (
        await lot.tender.moderator.get(f"{lot.path}/evaluation/scores", params={"limit": 200})
    ).json()["items"]
    ranking = await _ranking(lot)

    highest = max(Fraction(step["value"]) for step in published["scale"])
    wanted = published["lots"][0]
    leaves = [leaf for c in wanted["criteria"] for leaf in (c.get("children") or [c])]
    weights = {c["code"]: Fraction(c["weight"]) for c in leaves if c["kind"] == "quality"}
    price_weight = 100 - sum(weights.values())
    agreed = {
        (row["pseudonym"], row["criterion"]): Fraction(row["value"])
        for row in scores
        if row["agreed"] and row["current"]
    }
    quality = {
        name: sum(weights[code] * agreed[name, code] / highest for code in weights)
        for name in {name for name, _ in agreed}
    }
    minimum = Fraction(wanted["minimum_quality"]) * sum(weights.values()) / 100
    units = {
        bid["pseudonym"]: {line["item"]: Fraction(line["unit_price"]) for line in lines}
        for bid in ranking["bids"]
        if (lines := bid["price_lines"]) is not None
    }
    assert units.keys() == {name for name, points in quality.items() if points >= minimum}
    prices = {
        name: sum(Fraction(item["quantity"]) * of[item["code"]] for item in wanted["price_items"])
        for name, of in units.items()
    }
    totals = {
        name: quality[name] + price_weight * min(prices.values()) / price
        for name, price in prices.items()
    }
    order = sorted(totals, key=lambda name: -totals[name])

    shown = {bid["pseudonym"]: bid for bid in ranking["bids"]}
    for name, bid in shown.items():
        assert _exact(bid["quality_points"]) == quality[name]
        assert bid["passed"] == (name in totals)
        if name in totals:
            assert Fraction(bid["price"]["amount"]) == prices[name]
            assert _exact(bid["price_points"]) == totals[name] - quality[name]
            assert _exact(bid["total"]) == totals[name]
            assert bid["place"] == order.index(name) + 1
            assert bid["tied"] is False
        else:
            assert bid["price"] is bid["total"] is bid["place"] is bid["price_points"] is None
    assert order == list(lot.pseudonyms[:2])


def _exact(figure: dict[str, str]) -> Fraction:
    return Fraction(int(figure["numerator"]), int(figure["denominator"]))


async def test_the_ranking_names_suppliers_and_shows_price_lines_to_those_who_may_read_them(
    world: World,
) -> None:
    lot = await ranked_lot(world)
    view = await _ranking(lot)
    assert [bid["supplier"] for bid in view["bids"]] == ["Supplier 1", "Supplier 2", "Supplier 3"]
    assert view["bids"][0]["price"]["amount"] == "4757.50"
    assert view["bids"][0]["total"]["display"] == "79.11"
    assert (view["method"], view["method_version"]) == ("lowest_price_ratio", 1)
    seen = await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")
    assert [bid["price_lines"] for bid in seen.json()["bids"]] == [None, None, None]
    assert "90.00" not in seen.text


async def test_there_is_no_ranking_before_the_prices_are_ranked(world: World) -> None:
    lot = await priced_lot(world)
    answer = await lot.tender.price_evaluator.get(f"{lot.path}/evaluation/ranking")
    assert answer.status_code == 404
    early = await lot.act(lot.tender.moderator, "/evaluation/quality-lock")
    assert early.status_code == 409


async def test_a_lot_is_ranked_once(world: World) -> None:
    lot = await ranked_lot(world)
    again = await lot.act(lot.tender.price_evaluator, "/evaluation/ranking")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/lot-not-there")


@pytest.mark.parametrize(
    ("tie_rule", "places"),
    [
        # totals are equal: better quality at a higher price, and the other way round
        ("higher_quality", [1, 2]),
        ("lower_price", [2, 1]),
    ],
)
async def test_the_published_tie_rule_decides_equal_totals(
    world: World, tie_rule: str, places: list[int]
) -> None:
    # quality 60 and 50 of 60; price points 30 and 40 of 40, at prices of four thirds and one
    lot = await ranked_lot(
        world,
        prices=("40.00", "30.00"),
        agreed=(
            {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
            {"Q1.1": "10", "Q1.2": "10", "Q2": "5"},
        ),
        award_method={"name": "lowest_price_ratio", "tie_rule": tie_rule},
    )
    by_name = {bid["pseudonym"]: bid for bid in (await _ranking(lot))["bids"]}
    found = [by_name[name] for name in lot.pseudonyms]
    assert [_exact(bid["total"]) for bid in found] == [90, 90]
    assert [bid["place"] for bid in found] == places
    assert [bid["tied"] for bid in found] == [False, False]


async def test_evaluators_of_quality_never_read_a_price_before_it_is_ranked(world: World) -> None:
    lot = await lot_to_score(world)
    for person in (*lot.tender.quality_evaluators, lot.tender.moderator):
        for path in ("", "/bids", "/scores"):
            text = (await person.get(f"{lot.path}/evaluation{path}")).text
            assert "110.00" not in text
            assert "unit_price" not in text
