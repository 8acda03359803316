"""What the command line does to the market's keys in the database, as the role that migrates."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from market.keys.errors import KeyStillNeeded
from market.sealing import CannotUnwrap, KeptColumn, ServerCustodian
from market.vault import Vault

BATCH: Final = 200
"""How many rows are rewrapped in one transaction."""


class Rewrapped(msgspec.Struct, frozen=True, kw_only=True):
    """What came of rewrapping one column. What failed is left as it was."""

    column: KeptColumn
    done: int
    failed: tuple[UUID, ...]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """The latest backup or rehearsal of the keys."""

    act: str
    keys: int
    failed: int
    done_at: datetime


@asynccontextmanager
async def as_owner(connection: Any) -> AsyncIterator[None]:
    """One transaction in the name of the role that owns the schema."""
    async with connection.transaction():
        await connection.execute("SET LOCAL ROLE market_owner")
        yield


async def record_signing_keys(connection: Any, vault: Vault) -> None:
    """Write down the signing keys that the vault has and the database has not, the oldest first.

    From when the next one began, a key is published as retired.
    """
    known = {row[0] for row in await connection.fetch("SELECT public_key FROM signing_key")}
    for key in reversed((vault.signing_key, *vault.retired_signing_keys)):
        if key.public() in known:
            continue
        async with as_owner(connection):
            identity = uuid4()
            written = await connection.execute(
                "INSERT INTO signing_key (id, public_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                identity,
                key.public(),
            )
            if written.endswith("1"):  # not another process's, which did the same just now
                await connection.execute(
                    "INSERT INTO event (action, subject_kind, subject, request, details) VALUES"
                    " ('signing_key.began', 'signing_key', $1, 'keys',"
                    " jsonb_build_object('key_id', $2::text))",
                    identity,
                    key.key_id,
                )


async def record_act(connection: Any, act: str, *, keys: int, failed: int) -> None:
    """Write down that the keys were backed up or rehearsed."""
    async with as_owner(connection):
        identity = uuid4()
        await connection.execute(
            "INSERT INTO key_act (id, act, keys, failed) VALUES ($1, $2, $3, $4)",
            identity,
            act,
            keys,
            failed,
        )
        await connection.execute(
            "INSERT INTO event (action, subject_kind, subject, request, details) VALUES"
            " ('keys.tended', 'key_act', $1, 'keys',"
            " jsonb_build_object('act', $2::text, 'keys', $3::int, 'failed', $4::int))",
            identity,
            act,
            keys,
            failed,
        )


async def latest_acts(connection: Any) -> list[Act]:
    """The latest backup and the latest rehearsal, if there were any."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (act) act, keys, failed, done_at FROM key_act"
        " ORDER BY act, done_at DESC"
    )
    return [msgspec.convert(dict(row), Act) for row in rows]


async def wrapped_columns(connection: Any) -> set[tuple[str, str]]:
    """What the database itself says is wrapped, table and column."""
    rows = await connection.fetch("SELECT name, wrapped FROM wrapped_column")
    return {(row["name"], row["wrapped"]) for row in rows}


async def counts(connection: Any, kept: Sequence[KeptColumn]) -> Mapping[str, int]:
    """How many secrets are wrapped under each key-encryption key, by its id."""
    found: dict[str, int] = {}
    for column in kept:
        rows = await connection.fetch(
            f"SELECT wrapped_under(t.{column.column}) AS key_id, count(*) AS count"  # noqa: S608  # names of our own
            f" FROM {column.table} t WHERE t.{column.column} IS NOT NULL GROUP BY 1"
        )
        for row in rows:
            found[row["key_id"]] = found.get(row["key_id"], 0) + row["count"]
    return found


async def rewrap(connection: Any, custodian: ServerCustodian, column: KeptColumn) -> Rewrapped:
    """Wrap under the current key-encryption key what is wrapped under another, in one column.

    A few rows in each transaction, so that after a break the same call goes on where it stopped,
    and nobody waits for long. What does not unwrap is left as it is, and named.
    """
    done, failed, after = 0, [], UUID(int=0)
    while True:
        async with as_owner(connection):
            await connection.execute("SELECT set_config('market.rewrapping', 'on', true)")
            rows = await connection.fetch(_batch(column), custodian.current, after, BATCH)
            for row in rows:
                identity, wrapped, *of = row
                try:
                    anew = _anew(custodian, column, wrapped, of)
                except CannotUnwrap:
                    failed.append(identity)
                    continue
                await connection.execute(
                    f"UPDATE {column.table} SET {column.column} = $2 WHERE id = $1",  # noqa: S608  # names of our own
                    identity,
                    anew,
                )
                done += 1
            if rows:
                after = rows[-1][0]
                await connection.execute(
                    "INSERT INTO event (action, subject_kind, subject, request, details) VALUES"
                    " ('keys.rewrapped', 'wrapped_column', gen_random_uuid(), 'keys',"
                    " jsonb_build_object('table', $1::text, 'rows', $2::int))",
                    column.table,
                    len(rows),
                )
        if len(rows) < BATCH:
            return Rewrapped(column=column, done=done, failed=tuple(failed))


def _batch(column: KeptColumn) -> str:
    of = "".join(f", {expression}" for expression in column.of)
    return (
        f"SELECT t.id, t.{column.column}{of} FROM {column.table} t {column.joined}"  # noqa: S608  # names of our own
        f" WHERE t.{column.column} IS NOT NULL AND wrapped_under(t.{column.column}) <> $1"
        " AND t.id > $2 ORDER BY t.id LIMIT $3 FOR UPDATE OF t"
    )


def _anew(
    custodian: ServerCustodian, column: KeptColumn, wrapped: bytes, of: Sequence[Any]
) -> bytes:
    purpose = column.purpose(*of)
    if column.sealing_keys:
        return custodian.rewrap(wrapped, purpose)
    return custodian.rekeep(wrapped, purpose)


async def retire(connection: Any, kept: Sequence[KeptColumn], key_id: str) -> None:
    """Put a key-encryption key out of use for good, under which nothing is wrapped any more.

    Whoever would wrap under it waits meanwhile and is refused afterwards, a process that still has
    the old keys included: what is dropped is needed by nothing.

    Raises:
        KeyStillNeeded: something is wrapped under it.
    """
    async with as_owner(connection):
        tables = ", ".join(sorted({column.table for column in kept}))
        await connection.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
        needed = (await counts(connection, kept)).get(key_id, 0)
        if needed:
            message = (
                f"{needed} secrets are wrapped under {key_id!r}: say `market keys rewrap` first."
            )
            raise KeyStillNeeded(message)
        identity = uuid4()
        written = await connection.execute(
            "INSERT INTO retired_wrapping_key (id, key_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            identity,
            key_id,
        )
        if written.endswith("1"):
            await connection.execute(
                "INSERT INTO event (action, subject_kind, subject, request, details) VALUES"
                " ('wrapping_key.retired', 'wrapping_key', $1, 'keys',"
                " jsonb_build_object('key_id', $2::text))",
                identity,
                key_id,
            )
