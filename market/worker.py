"""`market worker`: everything that is done beside requests, each task for itself."""

import asyncio
from collections.abc import Sequence

import structlog

from market import database
from market.background import Task, Workbench, workbench
from market.events.sequencing import Sequencer
from market.mail.noticing import Noticing, Reminding
from market.mail.posting import Posting
from market.notices import KINDS
from market.runtime import CannotStart, Runtime
from market.transparency.keeping import Keeper
from market.transparency.restarting import Contradicted, ensure_covers
from market.transparency.stamping import TimeStamper
from market.transparency.witness import Witness
from market.webhooks.delivering import webhook_tasks
from tenders.closing import ManifestFixing

_LOG = structlog.get_logger("market.worker")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


def tasks(bench: Workbench) -> tuple[Task, ...]:
    """Everything the worker does: one line a task."""
    return (
        Sequencer(bench),
        Keeper(bench, Witness(bench.settings.folder)),
        ManifestFixing(bench),
        *webhook_tasks(bench),
        TimeStamper(bench),
        Noticing(bench, KINDS),
        Reminding(bench, KINDS),
        Posting(bench, KINDS),
    )


async def work(runtime: Runtime, covering: Sequence[str] = ()) -> None:
    """Do every task until cancelled; `covering` are checkpoints that were kept elsewhere.

    Raises:
        CannotStart: this process does not know the worker role's way into the database, or the log
            contradicts such a checkpoint, so that nothing may be signed on top of it.
    """
    if runtime.worker is None:
        message = (
            "MARKET_WORKER_URL is not set: the worker needs the role market_worker, which reads"
            " the whole log. Give it a password and name it there."
        )
        raise CannotStart(message)
    await database.open_pool(runtime.settings, runtime.connection)
    try:
        async with workbench(runtime.settings, runtime.worker, runtime.vault) as bench:
            async with bench.database.connection() as connection:
                await ensure_covers(connection, runtime.vault, covering)
            async with asyncio.TaskGroup() as group:
                for task in tasks(bench):
                    group.create_task(keep_doing(task), name=task.name)
    except Contradicted as error:
        raise CannotStart(str(error)) from error
    finally:
        await database.close_pool()


async def keep_doing(task: Task) -> None:
    """Repeat one task for ever; what fails is logged, waited after, and stops no other task."""
    pause = _FIRST_PAUSE
    while True:
        try:
            rest = await task.run()
        except Exception as error:  # noqa: BLE001  # whatever it is, the next pass may do better
            _LOG.warning("task failed", task=task.name, because=repr(error)[:500], again_in=pause)
            rest, pause = pause, min(pause * 2, _LONGEST_PAUSE)
        else:
            pause = _FIRST_PAUSE
        await asyncio.sleep(rest)
