"""What the operator is told before somebody is erased."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from market.erasure.rules import Held, Kept


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be erased; `erased_at` says that they have been."""

    id: UUID
    email: str
    name: str
    erased_at: datetime | None


class Change(msgspec.Struct, frozen=True):
    """How many rows of a table an erasure changes."""

    name: str
    row_count: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would take, and what forbids it.

    `alone_in` are the organisations whose only administrator the person is.
    """

    today: date
    kept: tuple[Kept, ...]
    holds: tuple[Held, ...]
    alone_in: tuple[str, ...]
    changes: tuple[Change, ...]
    events: int
