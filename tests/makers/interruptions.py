"""Interruptions of the market in tests, without waiting for one."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tenders.pulse import beat
from tests.makers.clock import advance_to
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World

TOLERATED = 30
REASON = "The market could not be reached for some minutes."


async def fall_silent(superuser: Any, seconds: int) -> None:
    """Let the last beat of any process be so long ago."""
    await superuser.execute(
        "UPDATE service_beat SET beaten_at = clock_timestamp() - make_interval(secs => $1),"
        " tolerated = $2",
        seconds,
        TOLERATED,
    )


async def interrupt(
    world: World, tender: PublishedTender, superuser: Any, *, before: timedelta, seconds: int = 300
) -> None:
    """Let an interruption of so many seconds end so long before the deadline."""
    await advance_to(world, tender.deadline - before)
    await fall_silent(superuser, seconds)
    await beat(TOLERATED)


async def proposals_of(tender: PublishedTender) -> list[dict[str, Any]]:
    """The tender's proposals, as its manager reads them."""
    answer = await tender.manager.get(f"{tender.path}/extension-proposals")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def decide(
    person: Person, proposal: dict[str, Any], extended: datetime | None = None, **changes: Any
) -> httpx.Response:
    """Accept with a new deadline, or decline without, whatever the answer."""
    body: dict[str, Any] = {"outcome": "declined", "reason": REASON}
    if extended is not None:
        body = {**body, "outcome": "accepted", "deadline": extended.isoformat()}
    return await person.post(
        f"/extension-proposals/{proposal['id']}/decision",
        {**body, **changes},
        headers={"Idempotency-Key": str(uuid4())},
    )
