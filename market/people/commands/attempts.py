"""Counting attempts to prove who one is, before each is checked; the lock-out is rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import msgspec
from asyncpg.exceptions import DeadlockDetectedError, PostgresError, UniqueViolationError

from market.actor import Actor
from market.database import execute, fetch, fetch_value, named_refusal, unit_of_work
from market.errors import Busy
from market.people import credentials
from market.people.errors import SignInLocked
from market.people.rules import AttemptKind, Tally, client_network, failures_after, lock_for
from market.vault import Vault

_REPEATS = 5

_HOLD = """
SELECT 1 FROM sign_in_attempt WHERE (kind, key_digest) IN (('account', $1), ('address', $2))
ORDER BY kind FOR UPDATE
"""

# read after the rows are held: the clock of a statement that waited may be the one before the wait
_TALLIES = """
SELECT id, kind, failures, extract(epoch FROM clock_timestamp() - counted_at)::float8 AS quiet_for,
    extract(epoch FROM locked_until - clock_timestamp())::float8 AS locked_for
FROM sign_in_attempt WHERE (kind, key_digest) IN (('account', $1), ('address', $2))
"""

_COUNT = "UPDATE sign_in_attempt SET failures = $2 WHERE id = $1"

# Of many addresses that are tried once, each takes the place of one that is forgotten: there are
# never more rows than accounts and addresses that were tried within the last half hour.
_TAKE_OVER = """
UPDATE sign_in_attempt SET kind = $1, key_digest = $2, failures = 1 WHERE id = (
    SELECT id FROM sign_in_attempt
    WHERE greatest(counted_at, locked_until) < clock_timestamp() - interval '16 minutes'
        AND id <> ALL ($3::uuid[])
    ORDER BY greatest(counted_at, locked_until) LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id
"""

_BEGIN = """
INSERT INTO sign_in_attempt (id, kind, key_digest, failures, counted_at)
VALUES ($1, $2, $3, 1, clock_timestamp())
"""

_CLEAR = """
UPDATE sign_in_attempt SET failures = 0, locked_until = NULL
WHERE id = $1 AND key_digest = $2 AND failures > 0
"""

# the lock falls only if this attempt brought it and no other came in between
_TAKE_BACK = """
UPDATE sign_in_attempt SET failures = failures - 1,
    locked_until = CASE WHEN failures = $3 THEN NULL ELSE locked_until END
WHERE id = $1 AND key_digest = $2 AND failures > 0
"""


_FORGET = """
UPDATE sign_in_attempt SET failures = 0, locked_until = NULL
WHERE kind = 'account' AND key_digest = $1 AND failures > 0
"""


class _Begun(Exception):
    """A row was begun by another request while this one waited for the others."""


class _Row(Tally, frozen=True, kw_only=True):
    id: UUID
    kind: AttemptKind


class _Counted(msgspec.Struct, frozen=True, kw_only=True):
    row: UUID
    key: bytes
    failures: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, counted as a failure of an account and of a client's address beforehand."""

    account: _Counted
    address: _Counted

    @property
    def locks_for(self) -> int:
        """For how many seconds the account is locked if it fails."""
        return lock_for(AttemptKind.ACCOUNT, self.account.failures)


async def count_attempt(actor: Actor, vault: Vault, tried: str) -> Attempt:
    """Count an attempt on an account, named by its address, in a transaction of its own.

    It is counted before anything is checked, so that many at the same time are not checked all
    at once. What is tried need not exist: nobody learns from a lock whether it does. This is no
    command: it changes nothing that the record tells of, and a refusal is recorded once it is one.

    Raises:
        SignInLocked: the account, or the client's address, had too many failures.
        Busy: the database asked for a rerun every time.
    """
    keys = {
        AttemptKind.ACCOUNT: credentials.attempt_key(vault, AttemptKind.ACCOUNT, tried),
        AttemptKind.ADDRESS: credentials.attempt_key(
            vault, AttemptKind.ADDRESS, client_network(actor.address)
        ),
    }
    for _ in range(_REPEATS):
        try:
            async with _alone(actor):
                counted = await _count(keys)
        except (_Begun, UniqueViolationError, DeadlockDetectedError):
            continue  # the row was begun by another request: now it is there to be counted on
        return Attempt(account=counted[AttemptKind.ACCOUNT], address=counted[AttemptKind.ADDRESS])
    raise Busy


@asynccontextmanager
async def _alone(actor: Actor) -> AsyncIterator[None]:
    """A transaction of its own, in nobody's name."""
    try:
        async with unit_of_work(Actor(request=actor.request), writes=True):
            yield
    except (UniqueViolationError, DeadlockDetectedError):
        raise
    except PostgresError as error:
        refusal = named_refusal(error)
        if refusal is None:
            raise
        raise refusal from error


async def _count(keys: dict[AttemptKind, bytes]) -> dict[AttemptKind, _Counted]:
    held = await execute(_HOLD, keys[AttemptKind.ACCOUNT], keys[AttemptKind.ADDRESS])
    rows = {
        row.kind: row
        for row in await fetch(_Row, _TALLIES, keys[AttemptKind.ACCOUNT], keys[AttemptKind.ADDRESS])
    }
    if len(rows) > held:
        raise _Begun  # to lock it now would be out of order: two would wait for each other
    locked = max((row.locked_for or 0 for row in rows.values()), default=0)
    if locked > 0:
        raise SignInLocked(seconds=int(locked) + 1)
    known = [row.id for row in rows.values()]
    return {
        kind: await _count_on(kind, key, rows.get(kind), known)
        for kind, key in sorted(keys.items())
    }


async def _count_on(kind: AttemptKind, key: bytes, row: _Row | None, held: list[UUID]) -> _Counted:
    """Count on the row there is, or on one that is forgotten, but is not the other one held."""
    failures = failures_after(row)
    if row is not None:
        await execute(_COUNT, row.id, failures)
        return _Counted(row=row.id, key=key, failures=failures)
    begun: UUID | None = await fetch_value(_TAKE_OVER, kind.value, key, held)
    if begun is None:
        begun = uuid4()
        await execute(_BEGIN, begun, kind.value, key)
    return _Counted(row=begun, key=key, failures=failures)


async def forgive(attempt: Attempt) -> None:
    """Clear an account's failures in the transaction in which its owner was let in.

    Of the client's address only this attempt is taken back: who knows one password would
    otherwise have as many tries at another as they like.
    """
    await execute(_CLEAR, attempt.account.row, attempt.account.key)
    await _take_back(attempt.address)


async def forget_failures(vault: Vault, email: str) -> None:
    """Clear an account's failures in the transaction in which its password was set anew."""
    await execute(_FORGET, credentials.attempt_key(vault, AttemptKind.ACCOUNT, email))


async def take_back(attempt: Attempt) -> None:
    """Count an attempt out again in the current transaction: it did not fail, and let nobody in.

    A right password alone clears nothing where a code is asked for as well: who knows the one
    would have as many tries at the other as they like.
    """
    await _take_back(attempt.account)
    await _take_back(attempt.address)


async def take_back_alone(actor: Actor, attempt: Attempt) -> None:
    """Do what `take_back` does in a transaction of its own."""
    async with _alone(actor):
        await take_back(attempt)


async def _take_back(counted: _Counted) -> None:
    await execute(_TAKE_BACK, counted.row, counted.key, counted.failures)
