"""Signing in and out."""

from datetime import datetime
from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.people import credentials
from market.people.commands.identity import credentials_of, note_refused_password
from market.people.errors import WrongCredentials
from market.people.queries import roles_of
from market.people.rules import normal_email
from market.people.schemas import SessionGiven, SignIn


@command
async def begin_session(
    actor: Actor, person: UUID, organisation: UUID | None, lifetime: int
) -> SessionGiven:
    """Open a session for somebody whose password was found right; see `sign_in`."""
    if organisation is None:
        organisation = await fetch_value(
            "SELECT organisation FROM membership WHERE person = $1 AND ended_at IS NULL"
            " ORDER BY started_at, organisation LIMIT 1",
            person,
        )
    roles = await roles_of(person, organisation)
    if organisation is not None and not roles:
        raise WrongCredentials
    token = credentials.new_secret("mkt_")
    session = uuid4()
    # sessions use the real clock: a sandbox that is shifted forward does not sign everybody out
    expires_at: datetime = await fetch_value(
        "INSERT INTO session (id, token_digest, person, organisation, started_at, expires_at)"
        " VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + make_interval(secs => $5))"
        " RETURNING expires_at",
        session,
        credentials.digest(token),
        person,
        organisation,
        float(lifetime),
    )
    await record(actor, "session.started", "session", session)
    return SessionGiven(
        id=session,
        token=token,
        expires_at=expires_at,
        person=person,
        organisation=organisation,
        roles=roles,
    )


async def sign_in(actor: Actor, given: SignIn, lifetime: int) -> SessionGiven:
    """Give a session for an address and its password.

    The password is checked between two transactions, since hashing is slow on purpose.

    Raises:
        WrongCredentials: for an unknown address, a wrong password or a foreign organisation alike.
    """
    try:
        address = normal_email(given.email)
    except ValueError:
        address = ""
    found = await credentials_of(actor, address)
    stored = None if found is None else found.password_hash
    if not await credentials.password_fits(given.password, stored) or found is None:
        # the event names whose account was tried, not who tried: that is unknown
        trying = Actor(request=actor.request)
        await note_refused_password(trying, None if found is None else found.id)
        raise WrongCredentials
    signing_in = Actor(person=found.id, organisation=given.organisation, request=actor.request)
    return await begin_session(signing_in, found.id, given.organisation, lifetime)


@command
async def end_session(actor: Actor, session_id: UUID) -> None:
    """Revoke a session of one's own; ending an ended one changes nothing.

    Raises:
        NotFound: the session is not the actor's.
    """
    known = await fetch_value(
        "SELECT id FROM session WHERE id = $1 AND person = $2", session_id, actor.person
    )
    if known is None:
        raise NotFound
    await execute(
        "UPDATE session SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL",
        session_id,
    )
    await record(actor, "session.ended", "session", session_id)
