"""One short storm: bids in the last seconds while an API process and PostgreSQL are killed.

The long ones, and the controls that must lose something, are in `tests/faults`.
"""

from pathlib import Path

from tests.faults.bidders import Bidders
from tests.faults.keeping import compare
from tests.faults.postgres import serving
from tests.faults.scene import Scene, scene
from tests.faults.storms import (
    Broken,
    Deployment,
    ask_some_again,
    describe,
    fell,
    open_bids,
    storm,
)

__all__ = ["scene"]

BIDDERS = 30
SECONDS = 5.0


async def test_every_acknowledged_bid_outlives_the_death_of_an_api_process_and_of_postgresql(
    scene: Scene, tmp_path: Path
) -> None:
    server, broken = scene.prepared.copied(tmp_path / "data"), Broken()
    deployment = Deployment(scene, tmp_path, server, count=2)

    async def breaking(bidders: Bidders, _: float) -> None:
        await bidders.acknowledged(BIDDERS // 4)
        deployment.processes[0].kill()
        await fell(server, broken)

    with serving(server):
        async with deployment.running():
            told = await storm(
                scene, deployment, server, breaking, seconds=SECONDS, bidders=BIDDERS
            )
            kept = await compare(server, scene, told.given)
            await ask_some_again(scene, deployment, told, 5)
            opened = await open_bids(scene, deployment)
    assert kept.good, describe(told, kept, broken)
    assert told.faults == []
    assert set(told.refused) <= {"bidding-closed"}
    assert broken.servers == 1
    bids = len({one.bid for one in told.given})
    assert opened == {"opened": bids, "failed": 0, "remaining": 0, "manifest_faults": 0}
