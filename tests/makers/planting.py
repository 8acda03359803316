"""What malice could do: rows written by a superuser with the guards switched off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.makers.evaluation import EvaluatedLot
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person


@asynccontextmanager
async def unguarded(superuser: Any, *tables: str) -> AsyncIterator[None]:
    """Switch the guards of some tables off, as only a migration may, and on again."""
    await superuser.execute("SET market.migrating = 'on'")
    for table in tables:
        await superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        triggers = await superuser.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal",
            table,
        )
        for trigger in triggers:
            await superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger[0]}")
    await superuser.execute("RESET market.migrating")


async def plant_duty(
    superuser: Any, tender: PublishedTender, person: Person, duty: str, at: datetime | None = None
) -> None:
    """Give a duty that no guard looked at."""
    async with unguarded(superuser, "duty"):
        await superuser.execute(
            "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by, assigned_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, market_now()))",
            uuid4(),
            tender.id,
            person.id,
            person.organisation,
            duty,
            tender.manager.id,
            at,
        )


async def plant_exemption(  # noqa: PLR0913  # the parts of one exemption, each by its name
    superuser: Any,
    tender: PublishedTender,
    person: Person,
    pair: tuple[str, str],
    *,
    granted_ago: timedelta,
    lasts: timedelta,
) -> UUID:
    """Write an exemption that was granted some time ago; give its id."""
    made, (one, other) = uuid4(), sorted(pair)
    async with unguarded(superuser, "exemption"):
        await superuser.execute(
            "INSERT INTO exemption (id, tender, person, one, other, reason, granted_by,"
            " granted_at, expires_at) VALUES ($1, $2, $3, $4, $5, 'Nobody else can judge it.', $6,"
            " market_now() - $7::interval, market_now() - $7::interval + $8::interval)",
            made,
            tender.id,
            person.id,
            one,
            other,
            tender.guardian.id,
            granted_ago,
            lasts,
        )
    return made


async def plant_score(superuser: Any, lot: EvaluatedLot, person: Person) -> None:
    """Score a bid now, whoever the person is."""
    async with unguarded(superuser, "score"):
        await superuser.execute(
            "INSERT INTO score (id, lot, bid, criterion, evaluator, number, value, reason,"
            " scored_at) SELECT gen_random_uuid(), m.lot, m.bid, c.id, $2, 77, 5,"
            " 'It was written in past every rule.', market_now()"
            " FROM manifest_entry m JOIN criterion c ON c.lot = m.lot WHERE m.lot = $1 LIMIT 1",
            lot.id,
            person.id,
        )


async def plant_requirement(superuser: Any, tender: PublishedTender, person: Person) -> None:
    """Write another version of the requirement, in which nobody becomes an author."""
    async with unguarded(superuser, "requirement_version"):
        await superuser.execute(
            "INSERT INTO requirement_version (id, tender, number, content, digest, edited_by,"
            " organisation, edited_at) SELECT gen_random_uuid(), tender, number + 1, content,"
            " digest, $2, $3, market_now() FROM requirement_version WHERE tender = $1"
            " ORDER BY number DESC LIMIT 1",
            tender.id,
            person.id,
            person.organisation,
        )


async def plant_confirmation(superuser: Any, tender: PublishedTender, person: Person) -> None:
    """Confirm the opening, whoever the person is."""
    async with unguarded(superuser, "opening_confirmation"):
        await superuser.execute(
            "INSERT INTO opening_confirmation (id, tender, person, confirmed_at)"
            " VALUES ($1, $2, $3, market_now())",
            uuid4(),
            tender.id,
            person.id,
        )


async def join(superuser: Any, person: Person, organisation: UUID, role: str) -> None:
    """Make somebody a member of another organisation."""
    async with unguarded(superuser, "membership"):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role, started_at)"
            " VALUES ($1, $2, $3, $4, market_now())",
            uuid4(),
            person.id,
            organisation,
            role,
        )


async def leave(superuser: Any, person: Person) -> None:
    """End every membership of somebody, now."""
    async with unguarded(superuser, "membership"):
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", person.id
        )
