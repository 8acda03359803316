"""The last seconds before a deadline while everything breaks: no acknowledged bid is lost.

`STORM_ROUNDS` says how many rounds (2), `STORM_BIDDERS` how many suppliers (200), `STORM_SECONDS`
how long before the deadline they begin (12), `STORM_PROCESSES` how many API processes (2).
"""

import os
from pathlib import Path

import pytest

from tests.faults.bidders import Bidders
from tests.faults.keeping import check, compare
from tests.faults.postgres import FORGETFUL, serving
from tests.faults.scene import BIDDERS, Scene
from tests.faults.storms import (
    Broken,
    Deployment,
    ask_some_again,
    break_things,
    describe,
    fell,
    open_bids,
    say,
    storm,
)

ROUNDS = int(os.environ.get("STORM_ROUNDS", "2"))
SECONDS = float(os.environ.get("STORM_SECONDS", "12"))
PROCESSES = int(os.environ.get("STORM_PROCESSES", "2"))


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
async def test_nothing_acknowledged_is_lost_when_everything_is_killed_before_a_deadline(
    scene: Scene, tmp_path: Path, number: int
) -> None:
    server, broken = scene.prepared.copied(tmp_path / "data"), Broken()
    deployment = Deployment(scene, tmp_path, server, count=PROCESSES, workers=1)

    async def breaking(_: Bidders, closes_at: float) -> None:
        await break_things(deployment, server, closes_at + 1, broken)

    with serving(server):
        async with deployment.running():
            told = await storm(
                scene, deployment, server, breaking, seconds=SECONDS, bidders=BIDDERS
            )
            kept = await compare(server, scene, told.given)
            say(f"\nround {number}: {describe(told, kept, broken)}")
            await ask_some_again(scene, deployment, told, 20)
            opened = await open_bids(scene, deployment)
            log = await check(server, scene)
    assert log.good, log.findings
    assert told.faults == []
    assert kept.good, kept
    assert set(told.refused) <= {"bidding-closed"}
    assert told.refused["bidding-closed"] > 0, "nobody tried too late"
    assert len(told.given) > BIDDERS / 2
    assert min(broken.servers, broken.processes) > 0
    bids = len({one.bid for one in told.given})
    assert opened == {"opened": bids, "failed": 0, "remaining": 0, "manifest_faults": 0}


async def test_without_synchronous_commit_the_same_storm_loses_acknowledged_bids(
    scene: Scene, tmp_path: Path
) -> None:
    """The control: a storm that loses nothing there would prove nothing here."""
    server, broken = scene.prepared.copied(tmp_path / "data", FORGETFUL), Broken()
    deployment = Deployment(scene, tmp_path, server, count=PROCESSES)

    async def breaking(bidders: Bidders, _: float) -> None:
        await bidders.acknowledged(20)
        await fell(server, broken)

    with serving(server):
        async with deployment.running():
            told = await storm(
                scene, deployment, server, breaking, seconds=SECONDS, bidders=BIDDERS
            )
            kept = await compare(server, scene, told.given)
    say(f"\nwithout synchronous_commit: {describe(told, kept, broken)}")
    assert kept.lost, "the storm is too weak: it loses nothing where something must be lost"
