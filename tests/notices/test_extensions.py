"""The tender's manager is told of an interruption that waits for a decision."""

from datetime import timedelta
from typing import Any

from tests.makers.interruptions import interrupt
from tests.makers.noticing import Noticing, each, told
from tests.makers.tenders import published_tender
from tests.makers.world import World


async def test_an_interruption_in_the_last_hour_is_told_to_the_manager(
    world: World, notices: Noticing, superuser: Any
) -> None:
    tender = await published_tender(world, lots=1)
    await notices.catch_up()
    await interrupt(world, tender, superuser, before=timedelta(minutes=10))
    fresh = await notices.catch_up()
    assert told(fresh, "extension-proposed") == each("extension-proposed", tender.manager)
