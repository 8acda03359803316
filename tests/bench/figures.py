"""The figures: what was measured, what was aimed at, a table to read and a file to compare."""

import statistics
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

FASTER = 5.0
"""How many times faster than the figures of comparison everything is meant to be."""


class Cost(Struct, frozen=True, kw_only=True):
    """What one request took: of each round the median seconds, and the mean on a processor."""

    latency: list[float]
    processor: list[float]

    @property
    def milliseconds(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(self.latency) * 1000

    @property
    def processor_milliseconds(self) -> float:
        """The median of the rounds' means."""
        return statistics.median(self.processor) * 1000


class Asked(Struct, frozen=True):
    """A statement, and the median of its milliseconds as seen from the client."""

    sql: str
    milliseconds: float


class Figure(Struct, frozen=True, kw_only=True):
    """An operation as the market does it, as a bare handler does, and its statements alone.

    `goal` is how much time on a processor it may cost in that of the bare handler, and `reference`
    the milliseconds to be FASTER times faster than.
    """

    operation: str
    market: Cost
    handler: Cost
    statements: Cost
    asked: list[Asked]
    goal: float
    reference: float

    @property
    def ratio(self) -> float:
        """The market's time on a processor in the bare handler's: the median of the rounds'."""
        pairs = zip(self.market.processor, self.handler.processor, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    def missed(self) -> list[str]:
        """The goals that were not reached, in words."""
        said = []
        if self.ratio > self.goal:
            said.append(f"{self.operation}: {self.ratio:.2f} x the handler's, goal {self.goal}")
        if self.market.milliseconds > (most := self.reference / FASTER):
            took = self.market.milliseconds
            said.append(f"{self.operation}: {took:.2f} ms, goal {most:.2f} ms")
        return said


def table(figures: list[Figure]) -> str:
    """The figures as lines of text."""
    lines = [
        f"{'':28}{'milliseconds at concurrency 1':^35}|{'ms on a processor':^35}",
        " " * 28 + "  market  handler      SQL    goal |   market  handler      SQL   ratio",
    ]
    lines += [
        f"{one.operation:28}{one.market.milliseconds:8.2f}{one.handler.milliseconds:9.2f}"
        f"{one.statements.milliseconds:9.2f}{one.reference / FASTER:8.2f} "
        f"|{one.market.processor_milliseconds:9.2f}{one.handler.processor_milliseconds:9.2f}"
        f"{one.statements.processor_milliseconds:9.2f}{one.ratio:8.2f}"
        for one in figures
    ]
    return "\n".join(lines)


def statements_of(figures: list[Figure]) -> str:
    """Every statement of each operation and how long it takes, as lines of text."""
    lines = []
    for figure in figures:
        lines += ["", figure.operation]
        lines += [f"  {one.milliseconds:8.3f} ms  {one.sql[:160]}" for one in figure.asked]
    return "\n".join(lines)


def say(text: str) -> None:
    """Print a line now, whoever captures it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def keep(path: Path, name: str, figures: object) -> None:
    """Put figures under a name into the file of all figures, beside those of other measurements."""
    found = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    found[name] = msgspec.to_builtins(figures)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
