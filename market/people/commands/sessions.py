"""Signing in and out, confirming a sign-in, and acting for another of one's organisations."""

from datetime import datetime
from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import NotFound, NotSignedIn
from market.events.commands import record
from market.people import credentials
from market.people.commands.attempts import forgive, take_back_alone
from market.people.commands.identity import (
    Proof,
    check_own_password,
    check_password,
    note_refusal,
)
from market.people.commands.one_time_passwords import accept_code
from market.people.errors import (
    ConfirmationWrong,
    NotAMember,
    OneTimePasswordNeeded,
    OneTimePasswordWrong,
    SessionEnded,
    WrongCredentials,
)
from market.people.queries import roles_of
from market.people.rules import SignInMethod
from market.people.schemas import ConfirmSession, SessionGiven, SessionView, SignIn, SwitchTo
from market.vault import Vault

# sessions use the real clock: a sandbox that is shifted forward does not sign everybody out
_BEGIN = """
INSERT INTO session
    (id, token_digest, person, organisation, method, switched_from, started_at, confirmed_at,
     expires_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $8,
    clock_timestamp() + make_interval(secs => $7))
RETURNING expires_at
"""

_CONFIRM = """
UPDATE session SET confirmed_at = clock_timestamp()
WHERE id = $1 AND person = $2 AND revoked_at IS NULL AND expires_at > clock_timestamp()
RETURNING id, organisation, method, started_at, confirmed_at, expires_at, true AS current
"""


async def _open(  # noqa: PLR0913  # the columns of one row
    person: UUID,
    organisation: UUID | None,
    method: SignInMethod,
    lifetime: int,
    *,
    switched_from: UUID | None = None,
    proved_at: datetime | None = None,
) -> SessionGiven:
    """Write a session inside a command that has permitted it, and give its token.

    The database takes `proved_at` for a single sign-on alone.
    """
    token = credentials.new_secret("mkt_")
    session = uuid4()
    expires_at: datetime = await fetch_value(
        _BEGIN,
        session,
        credentials.digest(token),
        person,
        organisation,
        method.value,
        switched_from,
        float(lifetime),
        proved_at,
    )
    return SessionGiven(
        id=session,
        token=token,
        expires_at=expires_at,
        person=person,
        organisation=organisation,
        roles=await roles_of(person, organisation),
    )


async def _begin(  # noqa: PLR0913  # the columns of one row
    actor: Actor,
    person: UUID,
    organisation: UUID | None,
    method: SignInMethod,
    lifetime: int,
    *,
    proved_at: datetime | None = None,
) -> SessionGiven:
    if organisation is None:
        organisation = await fetch_value(
            "SELECT organisation FROM membership WHERE person = $1 AND ended_at IS NULL"
            " ORDER BY started_at, organisation LIMIT 1",
            person,
        )
    elif not await roles_of(person, organisation):
        raise WrongCredentials
    given = await _open(person, organisation, method, lifetime, proved_at=proved_at)
    await record(actor, "session.started", "session", given.id, method=method.value)
    return given


@command
async def begin_session(  # noqa: PLR0913  # the columns of one row
    actor: Actor,
    person: UUID,
    organisation: UUID | None,
    lifetime: int,
    method: SignInMethod = SignInMethod.PASSWORD,
    *,
    proved_at: datetime | None = None,
) -> SessionGiven:
    """Open a session for somebody who has proved who they are in another way than `sign_in`.

    By single sign-on it is fresh as from `proved_at`, which the identity provider said, and not at
    all where it said nothing: it may have remembered the person. Otherwise it is fresh as from now.

    Raises:
        WrongCredentials: the person is no member of the organisation.
    """
    return await _begin(actor, person, organisation, method, lifetime, proved_at=proved_at)


async def sign_in(actor: Actor, vault: Vault, given: SignIn, lifetime: int) -> SessionGiven:
    """Give a session for an address and its password, and a code where there is an authenticator.

    The password is checked between two transactions, since hashing is slow on purpose.

    Raises:
        SignInLocked: the account, whether it exists or not, or the client had too many failures.
        WrongCredentials: for an unknown address, a wrong password or a foreign organisation alike.
        OneTimePasswordNeeded: the password is right, and a code is asked for too.
        OneTimePasswordWrong: the password is right, the code is not or was used.
    """
    proof = await check_password(actor, vault, given.email, given.password)
    signing_in = Actor(
        person=proof.person.id, organisation=given.organisation, request=actor.request
    )
    try:
        return await _sign_in(signing_in, vault, proof, given, lifetime)
    except OneTimePasswordNeeded:
        await take_back_alone(actor, proof.attempt)
        raise
    except OneTimePasswordWrong:
        locks_for = proof.attempt.locks_for or None
        trying = Actor(request=actor.request)
        await note_refusal(trying, proof.person.id, "one_time_password", locks_for)
        raise


@command
async def _sign_in(
    actor: Actor, vault: Vault, proof: Proof, given: SignIn, lifetime: int
) -> SessionGiven:
    method = await accept_code(actor, vault, given.one_time_password)
    session = await _begin(actor, proof.person.id, given.organisation, method, lifetime)
    await _ensure_unchanged(proof)
    await forgive(proof.attempt)
    return session


async def _ensure_unchanged(proof: Proof) -> None:
    """Refuse where the password was changed since it was checked.

    Asked after the session is written, whose foreign key waits for a change that is under way: so
    a change either is seen here or sees the session, and ends it.
    """
    present = await fetch_value("SELECT password_hash FROM person WHERE id = $1", proof.person.id)
    if present != proof.password_hash:
        raise WrongCredentials


async def confirm_session(actor: Actor, vault: Vault, given: ConfirmSession) -> SessionView:
    """Prove anew who one is, so that the session counts as a fresh sign-in for fifteen minutes.

    Raises:
        SignInLocked: the account or the client's address had too many failures.
        ConfirmationWrong: wrong password or code, which counts as a failure; or no code.
        SessionEnded: the session was ended in the same moment.
    """
    proof = await check_own_password(actor, vault, given.password)
    try:
        return await _confirm(actor, vault, proof, given.one_time_password)
    except OneTimePasswordNeeded as error:
        await take_back_alone(actor, proof.attempt)
        raise ConfirmationWrong(error.detail) from None
    except OneTimePasswordWrong as error:
        locks_for = proof.attempt.locks_for or None
        await note_refusal(actor, proof.person.id, "one_time_password", locks_for)
        raise ConfirmationWrong(error.detail) from None


@command
async def _confirm(actor: Actor, vault: Vault, proof: Proof, code: str | None) -> SessionView:
    await accept_code(actor, vault, code)
    view = await fetch_one(SessionView, _CONFIRM, actor.session, actor.person)
    if view is None:
        raise SessionEnded
    await forgive(proof.attempt)
    await record(actor, "session.confirmed", "session", view.id)
    return view


@command
async def switch_session(actor: Actor, given: SwitchTo) -> SessionGiven:
    """Give another session that acts for another organisation of one's own.

    It lasts as long as the present one and counts as fresh as long, and the present one stays.

    Raises:
        NotAMember: the person has no role in that organisation.
        SessionEnded: the present session has ended meanwhile.
    """
    if actor.person is None or actor.session is None:
        raise NotSignedIn
    if not await roles_of(actor.person, given.organisation):
        raise NotAMember
    # the database gives it the method, the confirmation and the end of the one it comes from
    session = await _open(
        actor.person, given.organisation, SignInMethod.PASSWORD, 0, switched_from=actor.session
    )
    await record(
        actor,
        "session.switched",
        "session",
        session.id,
        switched_from=str(actor.session),
        into=str(given.organisation),
    )
    return session


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


@command
async def end_other_sessions(actor: Actor) -> None:
    """Revoke every session of one's own but the present one; where there are none, too."""
    if actor.person is None:
        raise NotSignedIn
    ended = await revoke_sessions(actor.person, but=actor.session)
    await record(actor, "sessions.ended", "person", actor.person, ended=ended)


async def revoke_sessions(person: UUID, *, but: UUID | None) -> int:
    """Revoke a person's sessions, but for one, inside a command; give how many there were.

    The person is held against sessions that are being written: their foreign key waits, or this
    waits for them and then sees them.
    """
    await execute("SELECT 1 FROM person WHERE id = $1 FOR UPDATE", person)
    return await execute(
        "UPDATE session SET revoked_at = clock_timestamp() WHERE person = $1 AND revoked_at IS NULL"
        " AND expires_at > clock_timestamp() AND id IS DISTINCT FROM $2",
        person,
        but,
    )
