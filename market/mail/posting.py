"""The worker task that sends: claimed one mail at a time, at least once, never in a transaction."""

import asyncio
import base64
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import msgspec
import structlog

from market.background import Workbench
from market.mail.kinds import DIGEST, NoticeKind, Sending, by_name
from market.mail.rules.answers import Verdict
from market.mail.rules.contents import Enclosed, Setting, digest, single
from market.mail.rules.messages import Envelope, Mail, message_of
from market.mail.rules.preferences import effective
from market.mail.rules.rendering import Checkpoint
from market.mail.rules.texts import one_line
from market.mail.rules.times import GIVEN_UP, MOST_ATTEMPTS, OLDEST, first_due, pause
from market.mail.rules.tokens import PATH, PURPOSE, Leaving, leaving_token
from market.mail.schemas import NoticeState
from market.mail.smtp import Line, NotDelivered, longest_delivery
from market.observation.measures import MAILS_FAILED

_LOG = structlog.get_logger("market.mail.posting")
BATCH: Final = 50
"""How many mails one connection carries before it is made anew."""
_IDLE: Final = 1.0
_WITHOUT_SERVER: Final = 30.0
_MOST_IN_DIGEST: Final = 100
_SKIPPED_AT_ONCE: Final = 1000

# One mail: a notice by itself, or those of one person's digest. What leads a digest is the first
# of its notices by id, so that two workers never hold two of one digest and wait for each other.
_CLAIM = """
WITH leader AS (
    SELECT n.id, n.person, n.digest_at, n.mailing FROM notice n
    WHERE n.state = 'waiting' AND n.send_after <= clock_timestamp()
      AND (n.claimed_until IS NULL OR n.claimed_until <= clock_timestamp())
      AND (n.digest_at IS NULL OR NOT EXISTS (
          SELECT 1 FROM notice e WHERE e.state = 'waiting' AND e.person = n.person
          AND e.digest_at = n.digest_at AND e.mailing IS NOT DISTINCT FROM n.mailing
          AND e.id < n.id))
    ORDER BY n.send_after, n.id LIMIT 1 FOR UPDATE SKIP LOCKED
), enclosed AS (
    SELECT m.id FROM notice m, leader l WHERE m.id = l.id OR l.digest_at IS NOT NULL
      AND m.state = 'waiting' AND m.person = l.person AND m.digest_at = l.digest_at
      AND m.mailing IS NOT DISTINCT FROM l.mailing
    ORDER BY m.id LIMIT $3
)
UPDATE notice n SET claimed_until = clock_timestamp() + $1, attempts = n.attempts + 1,
    mailing = coalesce(n.mailing, CASE WHEN n.digest_at IS NULL THEN n.id ELSE $2 END)
FROM leader l
WHERE n.id IN (SELECT e.id FROM enclosed e) AND n.state = 'waiting'
  AND (n.claimed_until IS NULL OR n.claimed_until <= clock_timestamp())
  AND n.mailing IS NOT DISTINCT FROM l.mailing
RETURNING n.id
"""

_CLAIMED = """
SELECT n.id, n.kind, n.facts, n.made_at, n.digest_at, n.mailing, n.attempts, n.claimed_until,
    n.person, p.name, p.email, o.name AS organisation, clock_timestamp() AS now,
    EXISTS (SELECT 1 FROM membership m WHERE m.person = n.person
        AND m.organisation = n.organisation AND m.ended_at IS NULL) AS member,
    coalesce((SELECT f.choices FROM notice_preferences f WHERE f.person = n.person), '{}')
        AS choices
FROM notice n JOIN person p ON p.id = n.person JOIN organisation o ON o.id = n.organisation
WHERE n.id = ANY ($1) ORDER BY n.made_at, n.id
"""

_CHECKPOINT = "SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1"

_SETTLE = """
UPDATE notice SET state = $2, last_error = $3, claimed_until = NULL
WHERE id = ANY ($1) AND state = 'waiting'
"""

_LATER = """
UPDATE notice SET send_after = clock_timestamp() + $2, last_error = $3, claimed_until = NULL
WHERE id = ANY ($1) AND state = 'waiting' AND claimed_until = $4
"""

_SKIP_ALL = """
UPDATE notice SET state = 'skipped', last_error = $1 WHERE id IN (
    SELECT id FROM notice WHERE state = 'waiting' LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


class MailServerDown(Exception):
    """The mail server cannot be used at present; the notices wait."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that this worker sends, and what decides whether it still should."""

    id: UUID
    kind: str
    facts: dict[str, Any]
    made_at: datetime
    digest_at: datetime | None
    mailing: UUID
    attempts: int
    claimed_until: datetime
    person: UUID
    name: str
    email: str
    organisation: str
    now: datetime
    member: bool
    choices: dict[str, Sending]

    @property
    def late(self) -> timedelta:
        """How long ago it was first to be sent."""
        return self.now - first_due(self.made_at, self.digest_at)


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """The notices of one mail, and the newest checkpoint to send with them."""

    notices: Sequence[Claimed]
    checkpoint: Checkpoint | None


class Posting:
    """Sends what waits. Any number of workers may run it: each mail is claimed by one of them.

    A mail is sent at least once: who is stopped between the server's answer and the commit leaves
    a claim that runs out, and the mail is sent again under the same Message-ID. `mails_per_minute`
    is kept by each worker for itself.
    """

    name = "posting"

    def __init__(self, bench: Workbench, kinds: Sequence[NoticeKind]) -> None:
        """Send notices of these kinds as the settings say."""
        self._database = bench.database
        self._settings = bench.settings
        self._vault = bench.vault
        self._kinds = by_name(tuple(kinds))
        self._secret = bench.vault.derive_secret(PURPOSE)
        self._ready_at = 0.0

    async def run(self) -> float:
        """Send until nothing is due, or so many mails that others deserve a turn.

        Raises:
            MailServerDown: after what was tried has been put off.
        """
        if not self._settings.sends_mail:
            return await self._skip_all()
        line = Line(self._settings)
        try:
            for _ in range(BATCH):
                await self._keep_pace()
                parcel = await self._claim()
                if parcel is None:
                    return _IDLE
                await self._post(line, parcel)
        finally:
            await line.close()
        return 0

    async def _keep_pace(self) -> None:
        wait = self._ready_at - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _skip_all(self) -> float:
        reason = "No mail server is set, so the market sends no mail."
        async with self._database.transaction() as connection:
            tag = await connection.execute(_SKIP_ALL, reason, _SKIPPED_AT_ONCE)
        return 0 if tag == f"UPDATE {_SKIPPED_AT_ONCE}" else _WITHOUT_SERVER

    async def _claim(self) -> Parcel | None:
        """Take one mail for oneself, for longer than its delivery can last."""
        lease = timedelta(seconds=longest_delivery(self._settings) * 2 + 60)
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_CLAIM, lease, uuid4(), _MOST_IN_DIGEST)
            if not rows:
                return None
            claimed = await connection.fetch(_CLAIMED, [row["id"] for row in rows])
            found = await connection.fetchrow(_CHECKPOINT)
        return Parcel(
            notices=[_read(row) for row in claimed],
            checkpoint=None
            if found is None
            else Checkpoint(
                size=found["size"],
                root=base64.b64encode(found["root"]).decode("ascii"),
                note=found["note"],
            ),
        )

    # ---------------------------------------------------------------------------------- one mail

    async def _post(self, line: Line, parcel: Parcel) -> None:
        """Send one mail with what still is to be sent of it, and keep what became of it."""
        sendable = []
        for notice in parcel.notices:
            enclosed = await self._enclosed(notice)
            if enclosed is not None:
                sendable.append((notice, enclosed))
        if not sendable:
            return
        notices = [notice for notice, _ in sendable]
        try:
            mail = self._written(notices, [one for _, one in sendable], parcel.checkpoint)
            self._ready_at = (
                asyncio.get_running_loop().time() + 60 / self._settings.mails_per_minute
            )
            await line.deliver(mail)
        except ValueError as error:  # an address that is none
            await self._settle(notices, NoticeState.FAILED, str(error))
        except NotDelivered as refusal:
            if refusal.verdict is Verdict.NEVER:
                await self._settle(notices, NoticeState.FAILED, refusal.reason)
                return
            await self._put_off(notices, refusal.reason)
            if refusal.verdict is Verdict.SERVER:
                raise MailServerDown(refusal.reason) from refusal
        else:
            await self._settle(notices, NoticeState.SENT, None)

    async def _enclosed(self, notice: Claimed) -> Enclosed | None:
        """Write the letter of a notice that is still to be sent; None for one that is not."""
        kind = self._kinds.get(notice.kind)
        because = _over(kind, notice)
        if because is not None or kind is None:
            await self._settle([notice], NoticeState.SKIPPED, because)
            return None
        if notice.late > GIVEN_UP:
            await self._settle([notice], NoticeState.FAILED, "It could not be sent in two days.")
            return None
        try:
            letter = kind.letter(notice.facts)
        except Exception as error:  # noqa: BLE001  # one kind's fault, and nobody else's
            reason = one_line(f"{type(error).__name__}: {error}", 200)
            if notice.attempts >= MOST_ATTEMPTS:
                await self._settle([notice], NoticeState.FAILED, reason)
            else:
                _LOG.warning("letter failed", kind=kind.name, notice=str(notice.id), because=reason)
                await self._put_off([notice], reason)
            return None
        return Enclosed(kind=kind, letter=letter, organisation=notice.organisation)

    def _written(
        self,
        notices: Sequence[Claimed],
        enclosed: Sequence[Enclosed],
        checkpoint: Checkpoint | None,
    ) -> Mail:
        """Write the mail.

        Raises:
            ValueError: the address is none.
        """
        first = notices[0]
        of_digest = first.digest_at is not None
        leaving = Leaving(person=first.person, name=DIGEST if of_digest else first.kind)
        url = self._settings.issuer
        unsubscribe = f"{url}{PATH}?token={leaving_token(self._secret, leaving)}"
        setting = Setting(
            market=self._vault.name,
            public_url=url,
            sandbox=self._vault.sandbox,
            checkpoint=checkpoint,
        )
        content = (
            single(enclosed[0], setting, unsubscribe)
            if first.digest_at is None
            else digest(enclosed, setting, unsubscribe, first.digest_at)
        )
        envelope = Envelope(
            sender=self._settings.mail_from or "",
            name=first.name,
            address=first.email,
            message_id=str(_message_id(notices)),
            date=first.now,
            unsubscribe=unsubscribe,
        )
        return message_of(content, envelope)

    async def _settle(
        self, notices: Sequence[Claimed], state: NoticeState, because: str | None
    ) -> None:
        """Keep what became of notices, also where somebody else has claimed them meanwhile."""
        if state is NoticeState.FAILED:
            MAILS_FAILED.inc()
            # not why: what a server answers names the person's address; the notice's row has it
            _LOG.warning("mail failed", notices=[str(one.id) for one in notices])
        async with self._database.transaction() as connection:
            reason = None if because is None else one_line(because, 300)
            await connection.execute(_SETTLE, [one.id for one in notices], state.value, reason)

    async def _put_off(self, notices: Sequence[Claimed], because: str) -> None:
        """Try them again later, all at one time, so that they stay one mail."""
        attempts = max(one.attempts for one in notices)
        wait = pause(attempts, random.random())  # noqa: S311  # jitter, no secret
        async with self._database.transaction() as connection:
            for claimed_until in {one.claimed_until for one in notices}:
                await connection.execute(
                    _LATER, [one.id for one in notices], wait, because, claimed_until
                )


def _read(row: Any) -> Claimed:
    return msgspec.convert(
        dict(row)
        | {
            "facts": msgspec.json.decode(row["facts"]),
            "choices": msgspec.json.decode(row["choices"]),
        },
        Claimed,
    )


def _message_id(notices: Sequence[Claimed]) -> UUID:
    """Name the mail: by its notice, or, of a digest, by all that it holds.

    The same when it is sent again, and another when it says something else: who drops what they
    have already got under a name loses nothing.
    """
    first = notices[0]
    if first.digest_at is None:
        return first.mailing
    return uuid5(first.mailing, ",".join(sorted(str(one.id) for one in notices)))


def _over(kind: NoticeKind | None, notice: Claimed) -> str | None:
    """Why a notice is not to be sent any more, where that is so."""
    if kind is None:
        return "The market has no notices of this kind any more."
    if not notice.member and not kind.to_outsiders:
        return "You no longer belong to the organisation it was for."
    if effective(kind, notice.choices) is Sending.OFF:
        return "You have switched notices of this kind off."
    if notice.attempts == 1 and notice.late > OLDEST:
        return "It was more than a day old when mail could be sent."
    return None
