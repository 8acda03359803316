"""Who somebody is: known by a password, or about to be registered."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, reading
from market.errors import Fault, Malformed, NotSignedIn
from market.events.commands import record
from market.people import credentials
from market.people.commands.attempts import Attempt, count_attempt, take_back_alone
from market.people.errors import ConfirmationWrong, WrongCredentials
from market.people.rules import normal_email
from market.vault import Vault


class Credentials(msgspec.Struct, frozen=True):
    """What a password is checked against; none for somebody who has no password."""

    id: UUID
    email: str
    name: str
    password_hash: str | None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A person whose password was found right, the hash it fits, and the attempt it took."""

    person: Credentials
    password_hash: str
    attempt: Attempt


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
            Credentials, "SELECT id, email, name, password_hash FROM person WHERE email = $1", email
        )


async def my_credentials(actor: Actor) -> Credentials:
    """Look up who is signed in, in a transaction of its own."""
    async with reading(actor):
        found = await fetch_one(
            Credentials,
            "SELECT id, email, name, password_hash FROM person WHERE id = $1",
            actor.person,
        )
    if found is None:
        raise NotSignedIn
    return found


@command
async def note_refusal(
    actor: Actor, tried: UUID | None, because: str, locks_for: int | None = None
) -> None:
    """Record a refused proof; for an unknown address as well, so that both take as long."""
    subject_kind = "address" if tried is None else "person"
    await record(
        actor,
        "session.refused",
        subject_kind,
        tried or uuid4(),
        because=because,
        locked_for=locks_for,
    )


async def check_password(actor: Actor, vault: Vault, typed: str, password: str) -> Proof:
    """Find out whether somebody without a session knows the password of an account.

    The attempt is counted first and stays a failure until the caller takes it back or forgives
    it. Hashing is slow on purpose, so this runs before a command, in no transaction. What was
    typed need not be an address: that takes as long, and locks alike.

    Raises:
        SignInLocked: the account or the client's address had too many failures.
        WrongCredentials: unknown address or wrong password, which is recorded.
    """
    try:
        tried = email = normal_email(typed)
    except ValueError:
        tried, email = typed.strip().lower(), ""
    attempt = await count_attempt(actor, vault, tried)
    # the event names whose account was tried, not who tried: that is unknown
    trying = Actor(request=actor.request)
    found = await credentials_of(trying, email)
    return await _proved(trying, found, password, attempt)


async def _proved(
    trying: Actor, found: Credentials | None, password: str, attempt: Attempt
) -> Proof:
    stored = None if found is None else found.password_hash
    fits = await credentials.password_fits(password, stored)
    if not fits or found is None or stored is None:
        tried = None if found is None else found.id
        await note_refusal(trying, tried, "password", attempt.locks_for or None)
        raise WrongCredentials
    return Proof(person=found, password_hash=stored, attempt=attempt)


async def check_own_password(actor: Actor, vault: Vault, password: str) -> Proof:
    """Find out whether whoever is signed in knows their password; a failure counts.

    Raises:
        SignInLocked: the account or the client's address had too many failures.
        ConfirmationWrong: it is another password, which is recorded.
    """
    found = await my_credentials(actor)
    attempt = await count_attempt(actor, vault, found.email)
    try:
        return await _proved(actor.continued(), found, password, attempt)
    except WrongCredentials:
        raise ConfirmationWrong from None


async def prove_identity(
    actor: Actor, vault: Vault, *, email: str, name: str, password: str
) -> tuple[UUID, NewPerson | None]:
    """Find out who somebody without a session is, or make ready to register them.

    Gives the person's id and, where the address is not registered yet, what `register` writes.

    Raises:
        SignInLocked: the account or the client's address had too many failures.
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
    """
    if await credentials_of(actor, email) is not None:
        proof = await check_password(actor, vault, email, password)
        await take_back_alone(actor, proof.attempt)
        return proof.person.id, None
    faults = await credentials.weaknesses(password, email=email, name=name)
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
