"""The whole first competition over HTTP, from a draft to contracts, held against its promises."""

import base64
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from market.actor import Actor
from market.demo.artefacts import write_artefacts
from market.demo.bidders import BIDDERS
from market.demo.cast import REGISTRAR
from market.demo.desk import Office
from market.demo.play import Play
from market.demo.requirement import REQUIREMENT
from market.people.commands import create_operator
from market.signing import SignedStatement, verify_receipt
from tenders.rules.award_methods import MethodName
from tests.makers.world import World

PASSWORD = "six bright kites at noon"  # noqa: S105  # everybody's, in this journey


@pytest.fixture
async def play(world: World) -> Play:
    """The competition, played to its end."""
    office = Office(world.client, PASSWORD)
    invitation = await create_operator(Actor(), REGISTRAR.email, 3600, world.vault)
    assert invitation is not None
    performance = Play(office, invitation.secret, lambda _: None)
    for _, chapter in performance.chapters():
        await chapter()
    return performance


async def test_a_competition_runs_from_draft_to_contract_and_its_record_holds(
    play: Play, superuser: Any, tmp_path: Path
) -> None:
    stages = [row["stage"] for row in await superuser.fetch("SELECT stage FROM lot")]
    assert stages == ["contracted", "contracted"]
    await _shares_follow_the_population(play)
    _ranking_can_be_computed_again(play)
    await _failed_prices_stay_sealed(play, superuser)
    await _receipts_verify_and_match_what_was_opened(play)
    _notices_are_each_bidder_s_own(play)
    await _refusals_are_on_record(superuser)
    _the_report_goes_through_every_method(play, tmp_path)


async def test_the_demonstration_can_be_played_a_second_time(play: Play) -> None:
    again = Play(play.office, None, lambda _: None)
    for _, chapter in again.chapters():
        await chapter()
    assert again.tender != play.tender
    assert again.kept["award-lot-1"]["supplier"] == play.kept["award-lot-1"]["supplier"]


async def _shares_follow_the_population(play: Play) -> None:
    buyers = play.kept["tender"]["buyers"]
    whole = sum(buyer["population"] for buyer in buyers)
    assert whole == 461940 + 213052 + 275882
    assert sum(Fraction(buyer["share"]) for buyer in buyers) == 100
    for buyer in buyers:
        assert abs(
            Fraction(buyer["share"]) - Fraction(100 * buyer["population"], whole)
        ) < Fraction(1, 100)


def _ranking_can_be_computed_again(play: Play) -> None:
    """Out of the published requirement and the story's figures alone, in fractions."""
    highest = max(Fraction(value["value"]) for value in REQUIREMENT["scale"])
    for lot in REQUIREMENT["lots"]:
        weights: dict[str, Fraction] = {}
        for criterion in lot["criteria"]:
            for leaf in criterion.get("children") or [criterion]:
                weights[leaf["code"]] = Fraction(leaf["weight"])
        price_weight = weights.pop("P")
        points, prices = {}, {}
        for bidder in BIDDERS:
            given = bidder.scores.get(lot["number"])
            if given is None:
                continue
            quality = sum(weights[code] * given[code][3] / highest for code in weights)
            if quality / sum(weights.values()) * 100 < Fraction(lot["minimum_quality"]):
                continue
            points[bidder.name] = quality
            prices[bidder.name] = sum(
                Fraction(item["quantity"]) * Fraction(bidder.prices[lot["number"]][item["code"]])
                for item in lot["price_items"]
            )
        totals = {
            name: points[name] + price_weight * min(prices.values()) / prices[name]
            for name in points
        }
        shown = {
            bid["supplier"]: Fraction(
                int(bid["total"]["numerator"]), int(bid["total"]["denominator"])
            )
            for bid in play.kept[f"ranking-lot-{lot['number']}"]["bids"]
            if bid.get("total")
        }
        assert shown == totals
        winner = play.kept[f"award-lot-{lot['number']}"]["supplier"]
        assert winner == max(totals, key=lambda name: totals[name])


def _the_report_goes_through_every_method(play: Play, folder: Path) -> None:
    """Side by side; the one that was published comes out as the real ranking did."""
    written = write_artefacts(play, folder / "demo")
    report = written[-1].read_text(encoding="utf-8")
    for name in set(MethodName) - {MethodName.FIXED_PRICE}:
        assert report.count(f"| {name.value.replace('_', ' ')} |") == 2
    for number in (1, 2):
        ranking = play.kept[f"ranking-lot-{number}"]["bids"]
        ranked = [(bid["supplier"][:60], bid["total"]) for bid in ranking if bid["place"]]
        tried = play.kept[f"methods-lot-{number}"][0]
        assert [(bid["key"], bid["total"]) for bid in tried["bids"]] == ranked
        assert f"![totals](charts/lot-{number}-totals.svg)" in report
    assert len([path for path in written if path.suffix == ".svg"]) == 8
    letters = [path for path in written if path.suffix == ".pdf"]
    assert letters
    assert all(path.read_bytes().startswith(b"%PDF-") for path in letters)


async def _failed_prices_stay_sealed(play: Play, superuser: Any) -> None:
    failed = await superuser.fetch("SELECT bid FROM quality_decision WHERE NOT passed")
    assert len(failed) == 2
    opened = await superuser.fetchval(
        "SELECT count(*) FROM opened_envelope WHERE kind = 'price' AND bid = ANY ($1::uuid[])",
        [row["bid"] for row in failed],
    )
    assert opened == 0
    for number in (1, 2):
        for bid in play.kept[f"ranking-lot-{number}"]["bids"]:
            assert bool(bid.get("price")) == bool(bid.get("place"))


async def _receipts_verify_and_match_what_was_opened(play: Play) -> None:
    keys = (await play.office.client.get("/api/v1/signing-keys")).json()["keys"]
    public = base64.urlsafe_b64decode(keys[0]["x"] + "==")
    assert len(play.receipts) == 7
    for given in play.receipts.values():
        signed = msgspec.convert(given["receipt"], SignedStatement)
        receipt = verify_receipt(signed, public)
        assert signed.sandbox
        assert str(receipt.bid) == given["bid"]


def _notices_are_each_bidder_s_own(play: Play) -> None:
    for bidder in BIDDERS:
        for number in bidder.answers:
            notices = play.kept[f"notice-{bidder.key}-lot-{number}"]
            items = notices["items"] if isinstance(notices, dict) else notices
            assert len(items) == 1
            text = str(items[0])
            winner = play.kept[f"award-lot-{number}"]["supplier"]
            assert winner in text
            for other in BIDDERS:
                if other.name not in {bidder.name, winner}:
                    assert other.name not in text


async def _refusals_are_on_record(superuser: Any) -> None:
    refusals = await superuser.fetch(
        "SELECT v.details FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'request.refused'"
    )
    assert any("award" in row["details"] for row in refusals)


async def test_somebody_who_is_not_signed_in_reads_the_published_tender_and_no_more(
    play: Play,
) -> None:
    client: httpx.AsyncClient = play.office.client
    base = f"/api/v1/tenders/{play.tender}"
    assert (await client.get(base)).status_code == 200
    assert (await client.get(f"{base}/requirement")).status_code == 200
    for path in ("duties", "bidders", "record", "lots/1/evaluation", "lots/1/evaluation/ranking"):
        assert (await client.get(f"{base}/{path}")).status_code == 401, path
