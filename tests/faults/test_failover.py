"""The primary dies in the middle of a storm, a standby takes over, and the bidders carry on.

`FAILOVER_ROUNDS` says how many times (1). The connection between the two servers falls silent
before the primary dies: that is when a standby that nobody waits for lacks what was acknowledged.
"""

import asyncio
import os
import time
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from msgspec import Struct

from tests.faults.bidders import Bidders, Told
from tests.faults.keeping import Kept, compare
from tests.faults.postgres import Postgres, serving
from tests.faults.scene import BIDDERS, Scene
from tests.faults.storms import (
    Broken,
    Deployment,
    ask_some_again,
    describe,
    open_bids,
    say,
    storm,
)

ROUNDS = int(os.environ.get("FAILOVER_ROUNDS", "1"))
SECONDS = 14.0
_SILENCE = 1.0
_LEADERLESS = 1.0
"""Seconds in which there is a standby alone: whoever connects finds nobody to write to."""
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
_SYNCHRONOUS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Failover(Struct):
    """What happened when the primary died."""

    during_silence: int = 0
    killed_at: float = 0.0
    promoted_after: float = 0.0

    def back_after(self, told: Told) -> float:
        """Seconds from the death of the primary to the next acknowledgement."""
        later = [one.answered_at for one in told.given if one.answered_at > self.killed_at]
        return min(later, default=float("inf")) - self.killed_at


async def set_standbys(primary: Postgres, names: str) -> None:
    """Say whose confirmation commits wait for."""
    await primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
    await primary.execute("SELECT pg_reload_conf()")


async def until(server: Postgres, question: str) -> None:
    """Wait until a server answers a question with something else than nothing."""
    async with asyncio.timeout(30):
        while not await server.execute(question):  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.05)


async def fail_over(
    scene: Scene, folder: Path, *, synchronous: bool
) -> tuple[Told, Kept, Failover, Broken]:
    """One storm in which the primary dies for good."""
    primary = scene.prepared.copied(folder / "primary")
    broken, failing = Broken(servers=1), Failover()
    with serving(primary):
        standby = primary.standby(folder / "standby", "standby")
        with serving(standby):
            deployment = Deployment(scene, folder, primary, standby, count=2)

            async def breaking(bidders: Bidders, _: float) -> None:
                await bidders.acknowledged(BIDDERS // 4)
                assert primary.halt("walsender") == 1
                await asyncio.sleep(0.05)  # for what had been confirmed, and was being answered
                before = len(bidders.told.given)
                await asyncio.sleep(_SILENCE)
                failing.during_silence = len(bidders.told.given) - before
                failing.killed_at = time.monotonic()
                await asyncio.to_thread(primary.kill)
                await asyncio.sleep(_LEADERLESS)
                await asyncio.to_thread(standby.promote)
                failing.promoted_after = time.monotonic() - failing.killed_at

            async with deployment.running():
                if synchronous:
                    await set_standbys(primary, "standby")
                    await until(primary, _SYNCHRONOUS)
                told = await storm(
                    scene, deployment, primary, breaking, seconds=SECONDS, bidders=BIDDERS
                )
                kept = await compare(standby, scene, told.given)
                if synchronous:
                    await ask_some_again(scene, deployment, told, 20)
                    opened = await open_bids(scene, deployment)
                    bids = len({one.bid for one in told.given})
                    assert opened == {
                        "opened": bids,
                        "failed": 0,
                        "remaining": 0,
                        "manifest_faults": 0,
                    }
    return told, kept, failing, broken


def _figures(told: Told, kept: Kept, failing: Failover, broken: Broken) -> str:
    return (
        f"standby primary after {failing.promoted_after:.2f} s, bids acknowledged again after"
        f" {failing.back_after(told):.2f} s; {failing.during_silence} acknowledged in"
        f" {_SILENCE:.0f} s of silence; {describe(told, kept, broken)}"
    )


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
async def test_when_the_primary_dies_the_synchronous_standby_has_every_acknowledged_bid(
    scene: Scene, tmp_path: Path, number: int
) -> None:
    told, kept, failing, broken = await fail_over(scene, tmp_path, synchronous=True)
    say(f"\nfailover {number}: {_figures(told, kept, failing, broken)}")
    assert told.faults == []
    assert kept.good, kept
    assert failing.during_silence == 0, "acknowledged without the standby"
    assert set(told.refused) <= {"bidding-closed"}
    assert failing.back_after(told) < 30


async def test_when_nobody_waits_for_the_standby_the_same_death_loses_acknowledged_bids(
    scene: Scene, tmp_path: Path
) -> None:
    """The control: asynchronous replication must lose what the silence swallowed."""
    told, kept, failing, broken = await fail_over(scene, tmp_path, synchronous=False)
    say(f"\nasynchronous: {_figures(told, kept, failing, broken)}")
    assert failing.during_silence > 0, "nothing was acknowledged in the silence"
    assert kept.lost, "the failover is too gentle: it loses nothing where something must be lost"


async def test_a_bid_that_no_standby_confirmed_is_acknowledged_when_one_has_and_not_before(
    scene: Scene, tmp_path: Path
) -> None:
    """A cancelled wait is an unknown outcome; repeating the key waits again, and then tells."""
    primary = scene.prepared.copied(tmp_path / "primary")
    with serving(primary):
        standby = primary.standby(tmp_path / "standby", "standby")
        deployment = Deployment(scene, tmp_path, primary, count=1)
        bidder, key = scene.bidders[0], str(uuid4())
        headers = {"Authorization": f"Bearer {bidder.token}", "Idempotency-Key": key}
        path = f"{deployment.addresses[0]}/api/v1{scene.tender.path}/lots/1/bids"
        async with deployment.running(), httpx.AsyncClient(timeout=30) as client:
            crowd = Bidders(scene, deployment.addresses, time.monotonic() + 60)
            await deployment.answering(crowd, scene)
            await crowd.close()
            await set_standbys(primary, "standby")  # which is away
            superuser = await asyncpg.connect(**primary.parameters())

            async def give() -> httpx.Response:
                body = scene.body("Once, and for certain.", "10.00")
                return await client.post(path, json=body, headers=headers)

            async def cancelled() -> httpx.Response:
                asked = asyncio.create_task(give())
                while not (waiting := await superuser.fetchval(_WAITING)):
                    assert not asked.done(), f"answered without a standby: {asked.result().text}"
                    await asyncio.sleep(0.02)
                await superuser.execute("SELECT pg_cancel_backend($1)", waiting)
                return await asked

            for _ in range(3):
                answer = await cancelled()
                assert answer.status_code == 503, answer.text
                assert answer.json()["type"].endswith("outcome-unknown")
            waiting = asyncio.create_task(give())
            while not await superuser.fetchval(_WAITING):
                assert not waiting.done(), waiting.result().text
                await asyncio.sleep(0.02)
            with serving(standby):
                answer = await waiting
                assert answer.status_code == 201, answer.text
                assert await standby.execute("SELECT count(*) FROM bid_version") == 1
            assert await superuser.fetchval("SELECT count(*) FROM bid_version") == 1
            await superuser.close()


async def test_an_api_that_reaches_a_standby_alone_answers_busy_until_it_is_the_primary(
    scene: Scene, tmp_path: Path
) -> None:
    primary = scene.prepared.copied(tmp_path / "primary")
    with serving(primary):
        standby = primary.standby(tmp_path / "standby", "standby")
        with serving(standby):
            deployment = Deployment(scene, tmp_path, standby, count=1)
            async with deployment.running():
                crowd = Bidders(scene, deployment.addresses, time.monotonic() + 60)
                await deployment.answering(crowd, scene)
                giving = asyncio.create_task(crowd.bid(scene.bidders[0], 1, 0, 0))
                async with asyncio.timeout(30):
                    while crowd.told.answers["503 busy"] < 2:  # noqa: ASYNC110  # of many counts
                        await asyncio.sleep(0.05)
                await asyncio.to_thread(primary.kill)
                await asyncio.to_thread(standby.promote)
                await giving
                assert crowd.told.faults == []
                assert (await compare(standby, scene, crowd.told.given)).good
                assert len(crowd.told.given) == 1
                await crowd.close()
