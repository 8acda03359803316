"""Worker tasks that make notices: of events, in the order of the log, and of what time brings."""

import random
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from market.background import Workbench
from market.mail.kinds import NoticeKind, Sending, by_name
from market.mail.rules.preferences import effective
from market.mail.rules.texts import one_line
from market.mail.rules.times import MOST_ATTEMPTS, OLDEST, next_digest, pause
from market.mail.schemas import NoticeState
from market.observation.measures import NOTICE_FAULTS

_LOG = structlog.get_logger("market.mail.noticing")
BATCH: Final = 500
"""How many positions of the log one pass looks at, at most."""
_LONGEST_PASS: Final = 5.0
"""Seconds after which a pass commits what it has: the cursor is not held for long."""
_IDLE: Final = 0.5
_PATIENCE: Final = "5s"
"""How long the SQL of one kind may take."""
_LARGEST_FACTS: Final = 16 * 1024
_LONGEST_KEY: Final = 200
_MENDED_AT_ONCE: Final = 20
LOG, TIME = 1, 2
"""The rows of the table `noticing`."""

_EVENTS = """
SELECT p.position, e.id, e.action, e.recorded_at, clock_timestamp() AS now
FROM event_position p JOIN event e ON e.id = p.event
WHERE p.position > $1 AND p.position <= $1 + $2 ORDER BY p.position
"""

_DUE_FAULTS = """
SELECT f.kind, f.event AS id, e.recorded_at, clock_timestamp() AS now
FROM notice_fault f JOIN event e ON e.id = f.event
WHERE f.state = 'waiting' AND f.retry_at <= clock_timestamp()
ORDER BY f.retry_at LIMIT $1 FOR UPDATE OF f SKIP LOCKED
"""

_NOTE_FAULT = """
INSERT INTO notice_fault AS f (id, kind, event, state, attempts, retry_at, last_error, noted_at)
VALUES (gen_random_uuid(), $1, $2, 'waiting', 1, clock_timestamp() + $3, $4, clock_timestamp())
ON CONFLICT (kind, event) DO UPDATE SET
    attempts = CASE f.state WHEN 'waiting' THEN f.attempts + 1 ELSE 1 END,
    state = CASE WHEN f.state = 'waiting' AND f.event IS NOT NULL AND f.attempts + 1 >= $5
        THEN 'given_up' ELSE 'waiting' END,
    retry_at = excluded.retry_at, last_error = excluded.last_error, noted_at = excluded.noted_at
RETURNING state
"""

_MEND = """
UPDATE notice_fault SET state = 'mended', noted_at = clock_timestamp()
WHERE kind = $1 AND event IS NOT DISTINCT FROM $2 AND state = 'waiting'
"""

_MAKE = """
INSERT INTO notice (id, kind, person, organisation, key, event, facts, state, send_after,
    digest_at, last_error)
SELECT gen_random_uuid(), $1, r.person, r.organisation, r.key, $2, r.facts::jsonb, r.state,
    coalesce(r.digest_at, clock_timestamp()), r.digest_at, r.because
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::text[]) AS r(person, organisation, key, facts, state, digest_at, because)
ON CONFLICT (kind, person, key) DO NOTHING
"""


class Faulty(Exception):
    """A kind's SQL or letter is not as it must be; the message says what is wrong."""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a kind's SQL."""

    person: UUID
    organisation: UUID
    key: str
    facts: dict[str, Any]


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What gives rise to notices: an event, or the time it is."""

    event: UUID | None
    now: datetime
    recorded_at: datetime | None = None

    @property
    def old(self) -> bool:
        """Whether it is so long ago, by the real clock, that it is not mailed any more."""
        return self.recorded_at is not None and self.now - self.recorded_at > OLDEST


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a notice when it is made."""

    state: NoticeState
    digest_at: datetime | None = None
    because: str | None = None


class Maker:
    """Makes the notices of one kind at one occasion, and keeps account of where that fails."""

    def __init__(self, bench: Workbench) -> None:
        """Make them as the settings say."""
        self._mailing = bench.settings.sends_mail
        self._hour = bench.settings.digest_hour

    async def make(self, connection: Any, kind: NoticeKind, occasion: Occasion) -> None:
        """Make a kind's notices in the current transaction; where it fails, note that instead.

        What can be made is made: a letter that fails at one recipient keeps nobody else's back.
        Nothing is raised but the loss of the connection.
        """
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
                faults = await self._made(connection, kind, occasion)
                await connection.execute("SET LOCAL statement_timeout = DEFAULT")
        except Exception as error:  # whatever a kind's own SQL does, it is that kind's fault alone
            if connection.is_closed():
                raise
            faults = [_said(error)]
        if faults:
            await self._note(connection, kind, occasion, faults[0])
        else:
            await connection.execute(_MEND, kind.name, occasion.event)

    async def _made(self, connection: Any, kind: NoticeKind, occasion: Occasion) -> list[str]:
        """Make the notices that can be made, and say what was wrong with the others."""
        arguments = () if occasion.event is None else (occasion.event,)
        recipients: list[Recipient] = []
        faults: list[str] = []
        for row in await connection.fetch(kind.recipients, *arguments):
            try:
                recipients.append(_recipient(kind, row))
            except Faulty as fault:
                faults.append(str(fault))
        fates = await self._fates(connection, kind, occasion, recipients)
        if recipients:
            await connection.execute(
                _MAKE,
                kind.name,
                occasion.event,
                [one.person for one in recipients],
                [one.organisation for one in recipients],
                [one.key for one in recipients],
                [msgspec.json.encode(one.facts).decode() for one in recipients],
                [fate.state.value for fate in fates],
                [fate.digest_at for fate in fates],
                [fate.because for fate in fates],
            )
        return faults

    async def _fates(
        self,
        connection: Any,
        kind: NoticeKind,
        occasion: Occasion,
        recipients: Sequence[Recipient],
    ) -> list[Fate]:
        """Decide for each recipient whether, and when, the notice is mailed."""
        rows = await connection.fetch(
            "SELECT person, choices FROM notice_preferences WHERE person = ANY ($1)",
            [one.person for one in recipients],
        )
        choices = {
            row["person"]: msgspec.json.decode(row["choices"], type=dict[str, Sending])
            for row in rows
        }
        return [
            self._fate(occasion, effective(kind, choices.get(one.person, {}))) for one in recipients
        ]

    def _fate(self, occasion: Occasion, sending: Sending) -> Fate:
        because = None
        if sending is Sending.OFF:
            because = "You have switched notices of this kind off."
        elif not self._mailing:
            because = "No mail server is set, so the market sends no mail."
        elif occasion.old:
            because = "It was more than a day old when it was noticed."
        if because is not None:
            return Fate(state=NoticeState.SKIPPED, because=because)
        at = next_digest(occasion.now, self._hour) if sending is Sending.DIGEST else None
        return Fate(state=NoticeState.WAITING, digest_at=at)

    async def _note(
        self, connection: Any, kind: NoticeKind, occasion: Occasion, reason: str
    ) -> None:
        """Keep that a kind failed, to be tried again later, or given up for good."""
        attempts = await connection.fetchval(
            "SELECT attempts FROM notice_fault WHERE kind = $1 AND event IS NOT DISTINCT FROM $2"
            " AND state = 'waiting'",
            kind.name,
            occasion.event,
        )
        wait = pause((attempts or 0) + 1, random.random())  # noqa: S311  # jitter, no secret
        state = await connection.fetchval(
            _NOTE_FAULT, kind.name, occasion.event, wait, reason, MOST_ATTEMPTS
        )
        outcome = "failed" if state == "waiting" else "given_up"
        NOTICE_FAULTS.labels(kind.name, outcome).inc()
        tell = _LOG.warning if state == "waiting" else _LOG.error
        event = None if occasion.event is None else str(occasion.event)
        tell("kind of notice", kind=kind.name, at=event, outcome=outcome, because=reason)


def _recipient(kind: NoticeKind, row: Any) -> Recipient:
    """Read one row of a kind's SQL, and see that its letter can be written.

    Raises:
        Faulty: it cannot, or the row is not of the form that `NoticeKind.recipients` describes.
    """
    try:
        facts = row["facts"] or "{}"
        recipient = msgspec.convert(
            {"person": row["person"], "organisation": row["organisation"], "key": row["key"]}
            | {"facts": msgspec.json.decode(facts)},
            Recipient,
        )
        kind.letter(recipient.facts)
    except Exception as error:  # likewise
        raise Faulty(_said(error)) from error
    if not 0 < len(recipient.key) <= _LONGEST_KEY or len(facts) > _LARGEST_FACTS:
        message = (
            f"A key has 1 to {_LONGEST_KEY} characters, and facts at most {_LARGEST_FACTS} bytes."
        )
        raise Faulty(message)
    return recipient


def _said(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}", 300)


class Noticing:
    """Makes notices of events, by position. Any number of workers may run it; one does at a time.

    The position it has reached is held while it works and moved in the transaction that makes the
    notices, so that no event is passed over and none noticed twice.
    """

    name = "noticing"

    def __init__(self, bench: Workbench, kinds: Sequence[NoticeKind]) -> None:
        """Make notices of these kinds."""
        self._database = bench.database
        self._maker = Maker(bench)
        self._kinds = by_name(tuple(kinds))
        self._by_action: dict[str, list[NoticeKind]] = {}
        for kind in kinds:
            for action in kind.actions:
                self._by_action.setdefault(action, []).append(kind)

    async def run(self) -> float:
        """Go on in the log, then try again what failed before."""
        more = await self._go_on()
        await self._mend()
        return 0 if more else _IDLE

    async def _go_on(self) -> bool:
        began = time.monotonic()
        async with self._database.transaction() as connection:
            position = await connection.fetchval(
                "SELECT position FROM noticing WHERE id = $1 FOR UPDATE SKIP LOCKED", LOG
            )
            if position is None:  # another worker does it
                return False
            reached = position
            events = await connection.fetch(_EVENTS, position, BATCH)
            for event in events:
                for kind in self._by_action.get(event["action"], ()):
                    await self._maker.make(connection, kind, _occasion(event))
                reached = event["position"]
                if time.monotonic() - began > _LONGEST_PASS:
                    break
            if reached != position:
                await connection.execute(
                    "UPDATE noticing SET position = $2, passed_at = clock_timestamp()"
                    " WHERE id = $1",
                    LOG,
                    reached,
                )
        return len(events) == BATCH or (bool(events) and reached != events[-1]["position"])

    async def _mend(self) -> None:
        async with self._database.transaction() as connection:
            for fault in await connection.fetch(_DUE_FAULTS, _MENDED_AT_ONCE):
                kind = self._kinds.get(fault["kind"])
                if kind is None:  # the market has it no more, so nobody misses its notices
                    await connection.execute(_MEND, fault["kind"], fault["id"])
                else:
                    await self._maker.make(connection, kind, _occasion(fault))


def _occasion(row: Any) -> Occasion:
    return Occasion(event=row["id"], now=row["now"], recorded_at=row["recorded_at"])


class Reminding:
    """Makes the notices that time brings about, by asking the SQL of kinds without actions.

    Every `reminder_interval` seconds, whatever the number of workers. A kind that fails is asked
    less often, and is never given up: what it would have found is still there.
    """

    name = "reminding"

    def __init__(self, bench: Workbench, kinds: Sequence[NoticeKind]) -> None:
        """Make notices of these kinds."""
        self._database = bench.database
        self._maker = Maker(bench)
        self._interval = bench.settings.reminder_interval
        self._kinds = [kind for kind in kinds if not kind.actions]

    async def run(self) -> float:
        """Ask each of them, where it is time."""
        async with self._database.transaction() as connection:
            now = await connection.fetchval(
                "SELECT clock_timestamp() FROM noticing WHERE id = $1"
                " AND passed_at <= clock_timestamp() - make_interval(secs => $2)"
                " FOR UPDATE SKIP LOCKED",
                TIME,
                self._interval,
            )
            if now is None:
                return min(self._interval, 5.0)
            resting = {
                row["kind"]
                for row in await connection.fetch(
                    "SELECT kind FROM notice_fault WHERE event IS NULL AND state = 'waiting'"
                    " AND retry_at > clock_timestamp()"
                )
            }
            for kind in self._kinds:
                if kind.name not in resting:
                    await self._maker.make(connection, kind, Occasion(event=None, now=now))
            await connection.execute(
                "UPDATE noticing SET passed_at = clock_timestamp() WHERE id = $1", TIME
            )
        return min(self._interval, 5.0)
