"""What is told of the state of the market."""

from enum import StrEnum

import msgspec


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process lives."""

    status: str
    version: str


class Mark(StrEnum):
    """What a line of the status says: as it should be, missing, or neither good nor bad."""

    GOOD = "good"
    MISSING = "missing"
    NOTE = "note"


class StatusLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at just now, what was found, and what that means."""

    name: str
    found: str
    mark: Mark
    meaning: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the market, computed for this answer."""

    environment: str
    version: str
    complete: bool
    lines: list[StatusLine]


class ProblemKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of refusal: the `type` of a problem, its status, title and meaning."""

    type: str
    status: int
    title: str
    meaning: str
