"""Who somebody without a session is: known by a password, or about to be registered."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, reading
from market.errors import Fault, Malformed
from market.events.commands import record
from market.people import credentials
from market.people.errors import WrongCredentials
from market.people.rules import normal_email, password_faults


class Credentials(msgspec.Struct, frozen=True):
    """What a password is checked against."""

    id: UUID
    password_hash: str | None


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody about to be registered, with the hash of their password if they have one."""

    id: UUID
    email: str
    name: str
    password_hash: str | None


def address_of(text: str) -> str:
    """Give an e-mail address in its one form.

    Raises:
        Malformed: it is none, and why.
    """
    try:
        return normal_email(text)
    except ValueError as error:
        fault = Fault(field="email", reason=str(error))
        raise Malformed(fault.reason, faults=[fault]) from None


async def credentials_of(actor: Actor, email: str) -> Credentials | None:
    """Look up by a normal address, in a transaction of its own."""
    async with reading(actor):
        return await fetch_one(
            Credentials, "SELECT id, password_hash FROM person WHERE email = $1", email
        )


@command
async def note_refused_password(actor: Actor, tried: UUID | None) -> None:
    """Record a refused password; for an unknown address as well, so that both take as long."""
    subject_kind = "address" if tried is None else "person"
    await record(actor, "session.refused", subject_kind, tried or uuid4())


async def prove_identity(
    actor: Actor, *, email: str, name: str, password: str
) -> tuple[UUID, NewPerson | None]:
    """Find out who somebody without a session is, or make ready to register them.

    Gives the person's id and, where the address is not registered yet, what `register` writes.
    Hashing is slow on purpose, so this runs before the command, in no transaction.

    Raises:
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
    """
    known = await credentials_of(actor, email)
    if known is not None:
        if not await credentials.password_fits(password, known.password_hash):
            await note_refused_password(Actor(request=actor.request), known.id)
            raise WrongCredentials
        return known.id, None
    faults = password_faults(password, email=email, name=name)
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    hashed = await credentials.hash_password(password)
    new = NewPerson(id=uuid4(), email=email, name=name, password_hash=hashed)
    return new.id, new


async def register(actor: Actor, new: NewPerson) -> None:
    """Write somebody who was not registered, inside the command by which they come in."""
    await execute(
        "INSERT INTO person (id, email, name, password_hash, registered_at)"
        " VALUES ($1, $2, $3, $4, market_now())",
        new.id,
        new.email,
        new.name,
        new.password_hash,
    )
    await record(actor, "person.registered", "person", new.id)
