"""API processes whose clocks are hours off: the deadline is the database's, to the second."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path

import httpx
import pytest

from tests.faults.bidders import Bidders
from tests.faults.keeping import compare
from tests.faults.postgres import serving
from tests.faults.scene import Scene
from tests.faults.storms import (
    Broken,
    Deployment,
    ask_some_again,
    describe,
    open_bids,
    say,
    storm,
)

SECONDS = 10.0
BIDDERS = 30
HOURS = (-7, 7)


def faketime() -> Path:
    """The library that makes a process see another time; without it these tests are skipped."""
    folders = [Path("/usr/lib"), Path("/usr/local/lib")]
    found = chain.from_iterable(
        folder.glob(f"{between}faketime/libfaketimeMT.so.1")
        for folder in folders
        for between in ("", "*/")
    )
    library = next(found, None)
    if library is None:
        pytest.skip("libfaketime is not installed: nothing can make a process see another time.")
    return library


async def test_processes_with_clocks_hours_off_take_early_bids_and_refuse_late_ones(
    scene: Scene, tmp_path: Path
) -> None:
    wrong = [
        {"LD_PRELOAD": str(faketime()), "FAKETIME": f"{hours:+d}h", "DONT_FAKE_MONOTONIC": "1"}
        for hours in HOURS
    ]
    server = scene.prepared.copied(tmp_path / "data")
    deployment = Deployment(scene, tmp_path, server, count=len(HOURS), beside=wrong)

    async def breaking(_: Bidders, closes_at: float) -> None:
        await asyncio.sleep(max(0, closes_at - time.monotonic()))

    with serving(server):
        async with deployment.running():
            async with httpx.AsyncClient() as client:
                for address, hours in zip(deployment.addresses, HOURS, strict=True):
                    crowd = Bidders(scene, [address], time.monotonic() + 60)
                    await deployment.answering(crowd, scene)
                    await crowd.close()
                    answer = await client.get(f"{address}/api/v1/clock")
                    seen = parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
                    assert abs(seen - timedelta(hours=hours)) < timedelta(minutes=1)
                    now = datetime.fromisoformat(answer.json()["now"])
                    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
            told = await storm(
                scene, deployment, server, breaking, seconds=SECONDS, bidders=BIDDERS
            )
            kept = await compare(server, scene, told.given)
            await ask_some_again(scene, deployment, told, 10)
            opened = await open_bids(scene, deployment)
    say(f"\nclocks off by {HOURS} hours: {describe(told, kept, Broken())}")
    assert told.faults == []
    assert kept.good, kept
    assert len(told.given) > BIDDERS / 3, "hardly anybody came in time"
    assert told.refused["bidding-closed"] > 0, "nobody tried too late"
    assert opened["remaining"] == opened["failed"] == 0
    first = scene.tender.deadline - timedelta(seconds=SECONDS + 1)
    assert all(
        first <= datetime.fromisoformat(one.answer["received_at"]) < scene.tender.deadline
        for one in told.given
    )
