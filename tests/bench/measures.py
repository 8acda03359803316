"""What is measured of processes: time on a processor and memory, with all their children."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable
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
