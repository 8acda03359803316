"""Bids written straight into the database in tests, past the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import (
    close_bidding,
    declare,
    submit,
)
from tests.makers.direct import acting
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World

BID_VERSION = (
    "INSERT INTO bid_version (id, bid, number, act, made_by, received_at, quality_commitment,"
    " price_commitment) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)"
)
BID_RECEIPT = (
    "INSERT INTO bid_receipt (id, bid_version, signed) VALUES (gen_random_uuid(), $1, '{}')"
)
MANIFEST = (
    "INSERT INTO manifest_entry (id, tender, lot, bid, bid_version, pseudonym)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)"
)
FIX = "SELECT fix_manifest($1)"
OPENED = (
    "INSERT INTO opened_envelope (id, envelope, bid, kind, content, opened_by)"
    " VALUES (gen_random_uuid(), $1, $2, $3, '{}', $4)"
)
CONFIRM = "INSERT INTO opening_confirmation (id, tender, person) VALUES ($1, $2, $3)"


@asynccontextmanager
async def as_person(connection: Any, person: Person) -> AsyncIterator[None]:
    async with acting(connection, person.id, person.organisation):
        yield


@asynccontextmanager
async def violates(constraint: str) -> AsyncIterator[None]:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        yield
    assert caught.value.constraint_name == constraint


@asynccontextmanager
async def hidden() -> AsyncIterator[None]:
    """Expect row-level security to refuse the row."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        yield


async def give(  # noqa: PLR0913  # every part of a bid that a test may leave out
    connection: Any,
    tender: PublishedTender,
    person: Person,
    *,
    envelopes: tuple[str, ...] = ("quality", "price"),
    receipt: bool = True,
    received_at: datetime | None = None,
) -> UUID:
    """Write a bid row by row, inside the caller's transaction; give its version."""
    bid, version = uuid4(), uuid4()
    await connection.execute(
        "INSERT INTO bid (id, tender, lot, organisation) VALUES ($1, $2, $3, $4)",
        bid,
        tender.id,
        tender.lots[1],
        person.organisation,
    )
    await connection.execute(
        BID_VERSION, version, bid, 1, "submitted", person.id, received_at, b"c" * 32
    )
    for kind in envelopes:
        await put_in(connection, version, kind)
    if receipt:
        await connection.execute(BID_RECEIPT, version)
    return version


async def put_in(connection: Any, version: UUID, kind: str) -> None:
    await connection.execute(
        "INSERT INTO envelope (id, bid_version, kind, sealed) VALUES ($1, $2, $3, $4)",
        uuid4(),
        version,
        kind,
        b"sealed",
    )


async def closed_with_declarations(world: World, tender: PublishedTender, person: Person) -> UUID:
    given = await submit(person, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    return UUID(given["bid"])
