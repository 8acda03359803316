"""The one way to the database: engine, pool, and the transaction a command or query runs in."""

import asyncio
import contextlib
import functools
import re
from asyncio import CancelledError
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.exceptions import (
    InFailedSQLTransactionError,
    InterfaceError,
    InternalClientError,
    LockNotAvailableError,
    PostgresConnectionError,
    PostgresError,
    QueryCanceledError,
    TargetServerAttributeNotMatched,
)
from piccolo.engine.postgres import PostgresEngine

from market.actor import Actor
from market.errors import REFUSALS, Busy, MarketError, OutcomeUnknown, Refused
from market.settings import Settings

RULE_BROKEN = "MK001"
"""The SQLSTATE by which the database's guards refuse; the constraint name says which promise."""

SESSION = {"application_name": "market", "timezone": "UTC", "random_page_cost": "1.1"}
"""What every session of the app role is told of itself.

What is asked for is in memory or on a solid disk, where a page found by an index costs little more
than the next one. By its default PostgreSQL plans for a disk that turns: it then reads whole tables
of a few pages, and prepared statements go on so while hundreds of bids arrive.
"""

_LOST = (
    PostgresConnectionError,
    InterfaceError,
    OSError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    InternalClientError,  # the server's farewell arrived just as the next statement was sent
)
UNREACHABLE = (
    PostgresError,
    InterfaceError,
    OSError,
    TimeoutError,
    TargetServerAttributeNotMatched,  # servers answer, but none of them is the primary
)
"""What connecting raises where nobody can be reached who may be written to."""
_BROKEN_COMMIT = (*_LOST, TimeoutError, QueryCanceledError)

T = TypeVar("T")

_SWALLOWED = "Nothing can be committed: an error inside the transaction was swallowed."
_PARAMETER = re.compile(r"\$([1-9][0-9]*)")


class Connection(asyncpg.Connection):
    """A pooled connection without the reset round trip.

    Safe because nothing here sets session state: settings are local to a transaction, and there
    are no listeners, cursors or advisory session locks. A test holds this.
    """

    def get_reset_query(self) -> str:
        """Nothing to reset."""
        return ""


class Engine(PostgresEngine):
    """Piccolo's engine, minus the connection it opens while modules are imported."""

    async def check_version(self) -> None:
        """Do not connect at import; the migrations check the server's version."""

    async def prep_database(self) -> None:
        """Create no extensions: the schema is core PostgreSQL only."""


DB = Engine(config={})


class Unit:
    """One transaction of one actor; Piccolo and the functions below find its connection here."""

    __slots__ = ("_later", "actor", "connection", "recorded", "writes")

    def __init__(self, connection: Any, actor: Actor, *, writes: bool) -> None:
        """Hold the connection for the actor."""
        self.connection = connection
        self.actor = actor
        self.writes = writes
        self.recorded = 0
        self._later: list[tuple[str, tuple[Any, ...]]] = []

    def later(self, insert: str, *arguments: Any) -> None:
        """Leave an INSERT that nothing in this transaction waits for to its end; see `flush`."""
        self._later.append((insert, arguments))

    async def flush(self) -> None:
        """Send what was left for the end: what goes to different tables in one statement.

        The parts of one statement are carried out in no order that could be relied on, so rows of
        one table (events, above all) go one after the other.
        """
        while self._later:
            together: dict[str, tuple[Any, ...]] = {}
            while self._later and self._later[0][0] not in together:
                insert, arguments = self._later.pop(0)
                together[insert] = arguments
            await self._insert(together)

    async def _insert(self, together: Mapping[str, tuple[Any, ...]]) -> None:
        statement = _in_one(tuple((insert, len(given)) for insert, given in together.items()))
        values = [one for given in together.values() for one in given]
        try:
            await self.connection.execute(statement, *values)
        except InFailedSQLTransactionError as error:
            raise NoTransaction(_SWALLOWED) from error


@functools.lru_cache(maxsize=512)
def _in_one(inserts: tuple[tuple[str, int], ...]) -> str:
    """One statement of several, each given with how many parameters it has."""
    shifted: list[str] = []
    by = 0
    for insert, count in inserts:
        shifted.append(_shifted(insert, by))
        by += count
    *first, last = shifted
    parts = ", ".join(f"part_{place} AS ({insert})" for place, insert in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _shifted(insert: str, by: int) -> str:
    """The same statement with its parameters counted from further on."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", insert)


class NoTransaction(RuntimeError):
    """The programme asked for the transaction outside one, or for one inside one."""


def current() -> Unit:
    """Give the transaction this code runs in.

    Raises:
        NoTransaction: outside a command or query.
    """
    unit = DB.current_transaction.get()
    if not isinstance(unit, Unit):
        message = "This needs a transaction: call it from a command or inside `reading`."
        raise NoTransaction(message)
    return unit


_SNAPSHOT = "ISOLATION LEVEL REPEATABLE READ"


def _opening(actor: Actor, *, writes: bool, snapshot: bool, claims: UUID | None) -> str:
    """Begin the transaction, say who acts and claim a request's key, in one round trip.

    The values are UUIDs, not text.
    """
    person = "" if actor.person is None else str(actor.person)
    organisation = "" if actor.organisation is None else str(actor.organisation)
    session = "" if actor.session is None else str(actor.session)
    mode = "READ WRITE" if writes else "READ ONLY"
    if snapshot or not writes:
        mode = f"{_SNAPSHOT} {mode}"
    by = "" if actor.credential is None else f"; SET LOCAL market.credential = '{actor.credential}'"
    key = "" if claims is None else f"; SELECT claim_request_key('{person}', '{claims}')"
    return (
        f"BEGIN TRANSACTION {mode}; SET LOCAL market.person = '{person}';"
        f" SET LOCAL market.organisation = '{organisation}';"
        f" SET LOCAL market.session = '{session}'{by}{key}"
    )


@asynccontextmanager
async def unit_of_work(
    actor: Actor, *, writes: bool, snapshot: bool = False, claims: UUID | None = None
) -> AsyncIterator[Unit]:
    """Run one transaction. Nesting is a bug, so it raises; the connection always goes back.

    What only reads sees one snapshot throughout; what writes does when `snapshot` is asked for.
    With `claims` it begins only where that key of a request is free and has no answer yet.
    """
    if DB.current_transaction.get() is not None:
        message = "A transaction is already open: a command must not call a command."
        raise NoTransaction(message)
    if DB.pool is None:
        message = "The pool is not open."
        raise NoTransaction(message)
    limit = DB.config.get("acquire_timeout", 10)
    try:
        # the pool's own timeout would cost every request a task
        async with asyncio.timeout(limit):
            connection = await DB.pool.acquire()
    except UNREACHABLE as error:
        raise Busy from error
    unit = Unit(connection, actor, writes=writes)
    token = None
    done = False
    try:
        opening = _opening(actor, writes=writes, snapshot=snapshot, claims=claims)
        await _begin(connection, opening)
        token = DB.current_transaction.set(unit)  # type: ignore[arg-type]  # quacks as Piccolo's own
        yield unit
        await unit.flush()
        await _commit(connection, writes=writes)
        done = True
    except _LOST as error:
        if not (isinstance(error, InternalClientError) or _is_lost(connection)):
            raise
        raise Busy from error  # before COMMIT was sent, so nothing of it remains
    finally:
        if token is not None:
            DB.current_transaction.reset(token)
        if not done:
            await _roll_back(connection)
        await DB.pool.release(connection, timeout=limit)


async def _begin(connection: Any, opening: str) -> None:
    """Begin the transaction.

    Raises:
        Busy: the server is a standby; its connection is dropped, for another may be the primary.
    """
    try:
        await connection.execute(opening)
    except asyncpg.FeatureNotSupportedError as error:  # no READ WRITE during recovery
        _drop(connection)
        raise Busy from error


async def wait_until_kept() -> None:
    """Let the commit of this transaction wait until what it has seen is kept, on standbys too.

    What another transaction committed is seen before its standby has confirmed it where the wait
    for that was cancelled, and a transaction that writes nothing waits for nobody. So one that
    acknowledges what it only found writes a message into the write-ahead log, which changes
    nothing, and waits for that and all that came before it.
    """
    await current().connection.execute("SELECT pg_logical_emit_message(true, 'market', '')")


async def _roll_back(connection: Any) -> None:
    """Undo, or drop the connection when even that fails, so the pool never gets a half-used one."""
    try:
        await connection.execute("ROLLBACK")
    except (PostgresError, *_LOST, TimeoutError, CancelledError):
        _drop(connection)


def _is_lost(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except InterfaceError:  # the pool took it away when it broke
        return True


def _drop(connection: Any) -> None:
    """Close a connection at once; one that was lost, the pool has taken away already."""
    with contextlib.suppress(InterfaceError):
        connection.terminate()


async def _commit(connection: Any, *, writes: bool) -> None:
    """Commit, and tell a commit that failed from one whose outcome nobody knows.

    A cancelled wait for a synchronous standby comes back as success with a warning (SQLSTATE
    01000): that is an unknown outcome too.

    Raises:
        OutcomeUnknown: the connection broke, or the standby's answer was not waited for.
    """
    if not writes:
        await _send_commit(connection, unknown=Busy)
        return
    warnings: list[str] = []

    def note(_: object, message: Any) -> None:
        if message.severity_en == "WARNING" and message.sqlstate == "01000":
            warnings.append(message.message)

    connection.add_log_listener(note)
    try:
        await _send_commit(connection, unknown=OutcomeUnknown)
    finally:
        with contextlib.suppress(InterfaceError):  # a lost connection has none any more
            connection.remove_log_listener(note)
    if warnings:
        raise OutcomeUnknown


async def _send_commit(connection: Any, *, unknown: type[MarketError]) -> None:
    """Commit, or raise what it means here that the connection broke meanwhile."""
    try:
        tag = await connection.execute("COMMIT")
    except _BROKEN_COMMIT as error:
        _drop(connection)
        raise unknown from error
    if tag != "COMMIT":
        raise NoTransaction(_SWALLOWED)


def named_refusal(error: PostgresError) -> MarketError | None:
    """The refusal that a broken promise of the database stands for."""
    constraint = getattr(error, "constraint_name", None)
    if constraint is not None and (refusal := REFUSALS.get(constraint)) is not None:
        return refusal(str(error.args[0]) if error.sqlstate == RULE_BROKEN else None)
    if error.sqlstate == RULE_BROKEN:
        return Refused(str(error.args[0]))
    if isinstance(error, LockNotAvailableError | QueryCanceledError):
        return Busy()
    return None


@asynccontextmanager
async def reading(actor: Actor) -> AsyncIterator[None]:
    """Read in one snapshot, as the actor, changing nothing."""
    try:
        async with unit_of_work(actor, writes=False):
            yield
    except PostgresError as error:
        if (refusal := named_refusal(error)) is not None:
            raise refusal from error
        raise


async def fetch(kind: type[T], sql: str, *arguments: Any) -> list[T]:
    """Run plain SQL in the current transaction and give typed rows."""
    rows = await current().connection.fetch(sql, *arguments)
    return [_convert(kind, row) for row in rows]


async def fetch_one(kind: type[T], sql: str, *arguments: Any) -> T | None:
    """Run plain SQL in the current transaction and give its first row, typed, or None."""
    row = await current().connection.fetchrow(sql, *arguments)
    return None if row is None else _convert(kind, row)


async def fetch_value(sql: str, *arguments: Any) -> Any:
    """Run plain SQL in the current transaction and give the first column of its first row."""
    return await current().connection.fetchval(sql, *arguments)


async def execute(sql: str, *arguments: Any) -> int:
    """Run plain SQL in the current transaction and say how many rows it touched."""
    tag: str = await current().connection.execute(sql, *arguments)
    count = tag.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


def _convert(kind: type[T], row: Any) -> T:
    return msgspec.convert(dict(row), kind)


async def open_pool(settings: Settings, parameters: dict[str, Any]) -> None:
    """Open the pool as the app role, with every time limit the settings name.

    A connection stays open however long nothing is asked over it: what it has planned is wanted
    when bids come in at once, before a deadline.
    """
    DB.config = dict(parameters)
    await DB.start_connection_pool(
        min_size=settings.pool_minimum,
        max_size=settings.pool_maximum,
        connection_class=Connection,
        max_inactive_connection_lifetime=0,
        command_timeout=settings.statement_timeout + 5,
        server_settings={
            **SESSION,
            "statement_timeout": f"{int(settings.statement_timeout * 1000)}ms",
            "lock_timeout": f"{int(settings.lock_timeout * 1000)}ms",
            "idle_in_transaction_session_timeout": "30s",
            "tcp_keepalives_idle": "60",
        },
    )


async def close_pool() -> None:
    """Close the pool, if one is open."""
    if DB.pool is not None:
        await DB.close_connection_pool()
