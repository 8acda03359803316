"""What is measured of processes: time on a processor and memory, with all their children."""

import contextlib
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_NANOSECONDS = 1e9


def family(root: int) -> list[int]:
    """A process and all that descend from it, as they are now."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children[int(fields[1])].append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children[found[-1]])
    return found


def processor_seconds(processes: Iterable[int]) -> float:
    """How long these processes have been on a processor, in seconds.

    From the scheduler's own count (`schedstat` of each thread), since the ticks of `stat` are of
    ten milliseconds, and the processes many.
    """
    total = 0
    for process in processes:
        with contextlib.suppress(OSError):
            for task in (_PROC / str(process) / "task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
    return total / _NANOSECONDS


def resident_bytes(process: int) -> int:
    """How much memory a process occupies."""
    pages = int((_PROC / str(process) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def awake() -> Iterator[None]:
    """Keep the processors awake meanwhile, by what gives way to everything else.

    Where one request waits for the next process at each step, the processors fall asleep in
    between, and what is measured is how long the machine takes to wake them: a virtual one needs
    longer for that than for a statement.
    """
    context = multiprocessing.get_context("spawn")
    idling = [context.Process(target=_idle, daemon=True) for _ in range(os.cpu_count() or 1)]
    for one in idling:
        one.start()
    try:
        yield
    finally:
        for one in idling:
            one.kill()
            one.join()


def _idle() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while True:
        pass
