"""Notices as the worker makes them: every kind's SQL, run as its role, over log and time."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from market import notices
from market.mail.kinds import Letter, NoticeKind, by_name
from tests.makers.letters import SHAPES
from tests.makers.world import Person

KINDS = by_name(notices.KINDS)


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """One notice: of which kind, to whom, and what its letter is made of."""

    kind: str
    person: UUID
    organisation: UUID
    key: str
    facts: Mapping[str, Any]

    @property
    def letter(self) -> Letter:
        """What it says."""
        return KINDS[self.kind].letter(self.facts)


class Noticing:
    """What the worker's noticing does, step by step: new events first, then what time brings."""

    def __init__(self, worker: Any, kinds: Iterable[NoticeKind] = KINDS.values()) -> None:
        """Begin at the beginning of the log, on a connection of the role market_worker."""
        self.worker = worker
        self.kinds = tuple(kinds)
        self.serial = 0
        self.told: dict[tuple[str, UUID, str], Noticed] = {}

    async def catch_up(self) -> list[Noticed]:
        """Make the notices that are new since the last time, each kind, person and key once."""
        fresh: list[Noticed] = []
        events = await self.worker.fetch(
            "SELECT id, action, serial FROM event WHERE serial > $1 ORDER BY serial", self.serial
        )
        for event in events:
            for kind in self.kinds:
                if event["action"] in kind.actions:
                    fresh += await self._ask(kind, event["id"])
            self.serial = event["serial"]
        for kind in self.kinds:
            if not kind.actions:
                fresh += await self._ask(kind)
        return fresh

    async def _ask(self, kind: NoticeKind, *event: UUID) -> list[Noticed]:
        rows = await self.worker.fetch(kind.recipients, *event)
        fresh = []
        for row in rows:
            assert set(row.keys()) == {"person", "organisation", "key", "facts"}, kind.name
            noticed = Noticed(
                kind=kind.name,
                person=row["person"],
                organisation=row["organisation"],
                key=row["key"],
                facts=json.loads(row["facts"]),
            )
            # what its letter is read by is what the golden letters are written of
            assert (kind.name, frozenset(noticed.facts)) in SHAPES, noticed
            assert noticed.letter.path is not None
            identity = (kind.name, noticed.person, noticed.key)
            if identity not in self.told:
                self.told[identity] = noticed
                fresh.append(noticed)
        return fresh


async def noticing(parameters: dict[str, Any]) -> Noticing:
    """Begin noticing on a connection of one's own, as the worker role; close `worker` after it."""
    return Noticing(await asyncpg.connect(**parameters, server_settings={"timezone": "UTC"}))


def told(noticed: Iterable[Noticed], *kinds: str) -> list[tuple[str, UUID]]:
    """Kind and person of each notice, sorted; of some kinds alone where they are named."""
    found = [(one.kind, one.person) for one in noticed if not kinds or one.kind in kinds]
    return sorted(found)


def each(kind: str, *people: Person) -> list[tuple[str, UUID]]:
    """What `told` gives where each of these people was told once."""
    return sorted((kind, person.id) for person in people)
