"""Acts of people: signing in and out, inviting, accepting, ending a membership."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor, Role
from market.command import command
from market.database import execute, fetch_one, fetch_value, reading
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.organisations.rules import OrganisationKind
from market.people import credentials
from market.people.errors import InvitationOver, WrongCredentials
from market.people.permissions import ensure_may_administer
from market.people.queries import memberships_of, roles_of
from market.people.rules import grantable_roles, normal_email, password_faults
from market.people.schemas import (
    AcceptInvitation,
    InvitationGiven,
    Invite,
    MembershipView,
    SessionGiven,
    SignIn,
)


class _Credentials(msgspec.Struct, frozen=True):
    id: UUID
    password_hash: str


class _Invitation(msgspec.Struct, frozen=True):
    id: UUID
    organisation: UUID
    email: str
    roles: list[Role]


class _Registered(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    password_hash: str


def _address(text: str) -> str:
    try:
        return normal_email(text)
    except ValueError as error:
        fault = Fault(field="email", reason=str(error))
        raise Malformed(fault.reason, faults=[fault]) from None


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


@command
async def _note_failed_sign_in(actor: Actor, person: UUID) -> None:
    await record(actor, "session.refused", "person", person)


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
    async with reading(actor):
        found = await fetch_one(
            _Credentials, "SELECT id, password_hash FROM person WHERE email = $1", address
        )
    stored = None if found is None else found.password_hash
    if not await credentials.password_fits(given.password, stored) or found is None:
        if found is not None:
            await _note_failed_sign_in(msgspec.structs.replace(actor, person=found.id), found.id)
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


@command
async def invite(
    actor: Actor, organisation_id: UUID, given: Invite, lifetime: int
) -> InvitationGiven:
    """Offer roles in an organisation to an e-mail address; the secret is given once.

    Raises:
        Forbidden: the actor does not administer the organisation.
        Malformed: the address, or a role that this kind of organisation has not.
    """
    kind = await fetch_value("SELECT kind FROM organisation WHERE id = $1", organisation_id)
    if kind is None:
        raise NotFound
    ensure_may_administer(actor, organisation_id)
    grantable = grantable_roles(OrganisationKind(kind))
    faults = [
        Fault(field=f"roles[{number}]", reason=f"An organisation of this kind has no {role}.")
        for number, role in enumerate(given.roles)
        if role not in grantable
    ]
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    return await offer_roles(actor, organisation_id, _address(given.email), given.roles, lifetime)


async def offer_roles(
    actor: Actor, organisation: UUID, email: str, roles: list[Role], lifetime: int
) -> InvitationGiven:
    """Write and record an invitation, inside a command that has permitted it."""
    secret = credentials.new_secret()
    invitation = uuid4()
    expires_at: datetime = await fetch_value(
        "INSERT INTO invitation (id, organisation, email, roles, secret_digest, invited_by,"
        " invited_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(),"
        " clock_timestamp() + make_interval(secs => $7)) RETURNING expires_at",
        invitation,
        organisation,
        email,
        sorted({role.value for role in roles}),
        credentials.digest(secret),
        actor.person,
        float(lifetime),
    )
    await record(actor, "invitation.made", "invitation", invitation, roles=sorted(set(roles)))
    return InvitationGiven(
        id=invitation,
        organisation=organisation,
        email=email,
        roles=sorted(set(roles)),
        expires_at=expires_at,
        secret=secret,
    )


async def accept_invitation(actor: Actor, given: AcceptInvitation) -> list[MembershipView]:
    """Take up an invitation: registers the person, or proves to be them by their password.

    Raises:
        InvitationOver: unknown, expired or accepted.
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
    """
    secret_digest = credentials.digest(given.secret)
    async with reading(actor):
        invitation = await _open_invitation(secret_digest)
        if invitation is None:
            raise InvitationOver
        registered = await fetch_one(
            _Registered,
            "SELECT id, name, password_hash FROM person WHERE email = $1",
            invitation.email,
        )
    if registered is not None:
        if not await credentials.password_fits(given.password, registered.password_hash):
            raise WrongCredentials
        return await _take_up(actor, secret_digest, registered.id, None, None)
    faults = password_faults(given.password, email=invitation.email, name=given.name)
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    hashed = await credentials.hash_password(given.password)
    return await _take_up(actor, secret_digest, uuid4(), given.name, hashed)


async def _open_invitation(secret_digest: bytes) -> _Invitation | None:
    return await fetch_one(
        _Invitation,
        "SELECT id, organisation, email, roles FROM invitation"
        " WHERE secret_digest = $1 AND accepted_at IS NULL AND expires_at > clock_timestamp()",
        secret_digest,
    )


@command
async def _take_up(
    actor: Actor, secret_digest: bytes, person: UUID, name: str | None, password_hash: str | None
) -> list[MembershipView]:
    invitation = await _open_invitation(secret_digest)
    if invitation is None:
        raise InvitationOver
    if name is not None:
        await execute(
            "INSERT INTO person (id, email, name, password_hash, registered_at)"
            " VALUES ($1, $2, $3, $4, market_now())",
            person,
            invitation.email,
            name,
            password_hash,
        )
    taken = await execute(
        "UPDATE invitation SET accepted_at = clock_timestamp(), accepted_by = $2"
        " WHERE id = $1 AND accepted_at IS NULL",
        invitation.id,
        person,
    )
    if not taken:
        raise InvitationOver
    for role in invitation.roles:
        await grant_role(actor, person, invitation.organisation, role)
    await record(actor, "invitation.accepted", "invitation", invitation.id)
    return await memberships_of(person)


async def grant_role(actor: Actor, person: UUID, organisation: UUID, role: Role) -> None:
    """Give a person a role they do not hold yet, inside a command that has permitted it."""
    await execute(
        "INSERT INTO membership (id, person, organisation, role, granted_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        uuid4(),
        person,
        organisation,
        role.value,
        actor.person,
    )


@command
async def end_membership(actor: Actor, membership_id: UUID) -> None:
    """End a role of somebody in the organisation one administers.

    Raises:
        NotFound: no such membership in force in the actor's organisation.
        Forbidden: the actor does not administer it.
    """
    organisation = await fetch_value(
        "SELECT organisation FROM membership WHERE id = $1 AND ended_at IS NULL", membership_id
    )
    if organisation is None:
        raise NotFound
    ensure_may_administer(actor, organisation)
    ended = await execute(
        "UPDATE membership SET ended_at = market_now() WHERE id = $1 AND ended_at IS NULL",
        membership_id,
    )
    if not ended:
        raise NotFound
    await record(actor, "membership.ended", "membership", membership_id)
