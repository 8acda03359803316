"""Integers too large, too long or negative, wherever a request may hold one: refused, never 500."""

from typing import Any

import msgspec
import pytest

from market.pages import encode_cursor
from tests.makers.evaluation import lot_to_score
from tests.makers.tenders import drafted_tender, published_tender, requirement_of
from tests.makers.world import World

STRANGE = ("2147483648", "9223372036854775808", "9" * 30, "9" * 5000, "0", "-1", "-2147483649")


@pytest.mark.parametrize("number", STRANGE)
async def test_no_integer_in_a_request_is_more_than_a_refusal(world: World, number: str) -> None:
    tender = await published_tender(world)
    manager, lots = tender.manager, f"{tender.path}/lots/{number}"
    for path in (
        f"{tender.path}/requirement/versions/{number}",
        f"{lots}/evaluation",
        f"{lots}/evaluation/bids",
        f"{lots}/evaluation/scores",
        f"{lots}/evaluation/ranking",
        f"{lots}/award-notices",
        f"{lots}/award",
    ):
        answer = await manager.get(path)
        assert answer.status_code == 404, (path[:100], answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
    for path, body in (
        ("bids", {"quality": {"answers": []}, "price": {"prices": []}}),
        ("evaluation/bids/A/scores", {"criterion": "Q1", "value": "5", "reason": "x" * 30}),
        ("evaluation/bids/A/agreed-scores", {"criterion": "Q1", "value": "5", "reason": "x" * 30}),
        ("evaluation/locks", {}),
        ("evaluation/quality-lock", {}),
        ("evaluation/price-opening", {}),
        ("evaluation/ranking", {}),
        ("recommendations", {"pseudonym": "A", "reason": "x" * 30}),
        ("approvals", {"outcome": "approved", "reason": "x" * 30}),
        ("award-notices", {}),
        ("contract", {"reference": "x", "starts": "2030-01-01", "ends": "2031-01-01"}),
        ("abandonment", {"reason": "x" * 30}),
    ):
        answer = await manager.post(f"{lots}/{path}", body, version=1)
        assert answer.status_code in {403, 404}, (path, answer.text)


@pytest.mark.parametrize("number", STRANGE)
async def test_no_limit_or_version_is_more_than_a_refusal(world: World, number: str) -> None:
    tender = await drafted_tender(world)
    manager = tender.manager
    for path in ("/tenders", "/tenders/mine", "/organisations", f"{tender.path}/record"):
        answer = await manager.get(path, params={"limit": number})
        assert answer.status_code == 400, (path, answer.text)
    for version in (number, "999999999"):
        for method, path, body in (
            ("PUT", "/requirement", tender.requirement),
            ("PUT", "/timetable", {}),
            ("POST", "/review-requests", {}),
            ("POST", "/publication", {}),
            ("POST", "/abandonment", {"reason": "It is not needed."}),
        ):
            answer = await manager.request(
                method, f"{tender.path}{path}", json=body, version=version
            )
            assert 400 <= answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize("number", STRANGE)
async def test_no_integer_in_a_body_is_more_than_a_refusal(world: World, number: str) -> None:
    tender = await drafted_tender(world, lots=1)
    right = requirement_of(1)
    lot = right["lots"][0]
    items = [{**lot["price_items"][0], "quantity": number}, *lot["price_items"][1:]]
    method = {**right["award_method"], "version": "@"}
    bodies: list[dict[str, Any]] = [
        {**right, "approval_quorum": "@"},
        {**right, "evaluators_minimum": "@"},
        {**right, "award_method": method},
        {**right, "lots": [{**lot, "number": "@"}]},
        {**right, "lots": [{**lot, "term_months": "@"}]},
    ]
    version = (await tender.author.get(tender.path)).json()["version"]
    for body in bodies:
        content = _with_number(body, number)
        answer = await tender.author.request(
            "PUT",
            f"{tender.path}/requirement",
            content=content,
            version=version,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 422}, answer.text
    priced = {**right, "lots": [{**lot, "price_items": items}]}
    answer = await tender.author.put(f"{tender.path}/requirement", priced, version=version)
    assert answer.status_code < 500, answer.text


def _with_number(body: dict[str, Any], number: str) -> bytes:
    return msgspec.json.encode(body).replace(b'"@"', number.encode())


@pytest.mark.parametrize("number", STRANGE[:-3])
async def test_no_integer_in_a_cursor_is_more_than_a_refusal(world: World, number: str) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    cursor = encode_cursor("A", "Q1.1", "0", number, str(lot.tender.moderator.id))
    answer = await lot.tender.moderator.get(
        f"{lot.path}/evaluation/scores", params={"cursor": cursor}
    )
    assert answer.status_code == 400, answer.text
