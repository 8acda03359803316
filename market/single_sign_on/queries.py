"""What can be read about identities: one's own, and whose one is."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.single_sign_on.schemas import IdentityView


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is registered."""

    id: UUID
    email: str


async def identities_of(person: UUID) -> list[IdentityView]:
    """The identities that are linked to a person now."""
    return await fetch(
        IdentityView,
        "SELECT id, issuer, subject, linked_at FROM identity_link"
        " WHERE person = $1 AND removed_at IS NULL ORDER BY linked_at, id LIMIT 200",
        person,
    )


async def my_identities(actor: Actor) -> list[IdentityView]:
    """The identities by which the actor can sign in."""
    async with reading(actor):
        return [] if actor.person is None else await identities_of(actor.person)


async def person_of(actor: Actor, issuer: str, subject: str) -> Known | None:
    """Whose identity it is, in a transaction of its own."""
    async with reading(actor):
        return await fetch_one(
            Known,
            "SELECT p.id, p.email FROM identity_link l JOIN person p ON p.id = l.person"
            " WHERE l.issuer = $1 AND l.subject = $2 AND l.removed_at IS NULL",
            issuer,
            subject,
        )


async def is_registered(actor: Actor, email: str) -> bool:
    """Whether somebody is registered with an address, in a transaction of its own."""
    async with reading(actor):
        return bool(await fetch_value("SELECT true FROM person WHERE email = $1", email))


async def real_time(actor: Actor) -> datetime:
    """The real time by the database's clock: tokens, like sessions, know of no shift."""
    async with reading(actor):
        now: datetime = await fetch_value("SELECT clock_timestamp()")
        return now
