"""A whole competition as its change feed tells it: to the public, a bidder, its manager."""

import json
from typing import Any

import pytest

from market.actor import Actor
from market.background import Workbench
from market.demo.bidders import BIDDERS
from market.demo.cast import REGISTRAR
from market.demo.desk import Desk, Office
from market.demo.play import Play
from market.people.commands import create_operator
from tests.makers.feed import number
from tests.makers.world import World

PASSWORD = "seven grey geese inland"  # noqa: S105  # everybody's, in this journey


@pytest.fixture
async def play(world: World) -> Play:
    """The competition, about to begin."""
    invitation = await create_operator(Actor(), REGISTRAR.email, 3600, world.vault)
    assert invitation is not None
    return Play(Office(world.client, PASSWORD), invitation.secret, lambda _: None)


async def _feed(reader: Desk | World) -> list[dict[str, Any]]:
    """Everything a reader sees, from the beginning."""
    items: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        path = f"/events?after={after}&limit=500"
        if isinstance(reader, World):
            found = (await reader.public(path)).json()
        else:
            found = await reader.get(path)
        items, after, more = items + found["items"], found["next"], found["more"]
    return items


def _own(items: list[dict[str, Any]]) -> list[str]:
    return [one["type"] for one in items if one["type"].startswith("bid.")]


async def test_the_feed_tells_the_public_and_a_rival_nothing_before_its_time(
    play: Play, world: World, bench: Workbench
) -> None:
    for _, chapter in play.until_published():
        await chapter()
    await number(bench)
    before = await _feed(world)
    await play.bid()
    await number(bench)
    # the public sees nothing of it at all; each bidder its own bids
    assert await _feed(world) == before
    rival = play.desks[BIDDERS[0].key]
    mine = await _feed(rival)
    assert _own(mine) == ["bid.submitted"] * len(BIDDERS[0].answers)
    bids = [one for one in mine if one["type"].startswith("bid.")]
    assert {one["tender_number"] for one in mine} == {None}
    assert {one["organisation"] for one in bids} == {bids[0]["organisation"]}
    for key, desk in play.desks.items():
        if key not in {one.key for one in BIDDERS}:
            seen = await _feed(desk)
            assert _own(seen) == [], key
            assert {one["tender_number"] for one in seen} == {None}, key
    for title, chapter in play.after_publication()[1:]:
        await chapter()
        await number(bench)
        public = await _feed(world)
        assert not any(one["whole"] for one in public), title
        assert {one["tender_number"] for one in public} == {None}, title
        assert not {"bids", "notices", "reason", "bid", "criterion", "bidder"} & {
            key for one in public for key in one["details"]
        }, title
    await _tells_how_it_ended(play, world, before)


async def _tells_how_it_ended(play: Play, world: World, before: list[dict[str, Any]]) -> None:
    public = await _feed(world)
    assert public[: len(before)] == before
    aside = {"clock.shifted", "ownership.link_stated"}
    later = [one["type"] for one in public[len(before) :] if one["type"] not in aside]
    assert later == ["tender.opened", *["notices.sent"] * 2, *["contract.made"] * 6]
    text = json.dumps(public)
    for bidder in BIDDERS:
        for prices in bidder.prices.values():
            assert not any(f'"{price}"' in text for price in prices.values())
    people = {one["person"] for desk in play.desks.values() for one in await _feed(desk)} - {None}
    assert people
    assert not any(person in text for person in people)
    manager = await _feed(play.desks["lead"])
    of_tender = [one for one in manager if one["tender"] == play.tender and one["whole"]]
    numbers = [one["tender_number"] for one in of_tender]
    assert numbers == sorted(set(numbers))
    assert None not in numbers
    assert {"bid.submitted", "score.given", "lot.awarded"} <= {one["type"] for one in of_tender}
