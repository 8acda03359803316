"""What can be read about people, their memberships and sessions."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.database import DB, fetch, fetch_one, fetch_value, reading
from market.errors import Malformed, NotFound
from market.organisations.queries import name_and_id
from market.pages import Page, decode_cursor, encode_cursor
from market.people import credentials
from market.people.permissions import ensure_may_administer
from market.people.schemas import (
    AuthenticatorView,
    InvitationView,
    MembershipView,
    PersonView,
    SessionView,
)

_ACTOR = """
SELECT s.id AS session, s.person, s.organisation, array_remove(array_agg(m.role), NULL) AS roles,
    coalesce(s.confirmed_at > clock_timestamp() - interval '15 minutes', false) AS fresh
FROM session s
LEFT JOIN membership m
    ON m.person = s.person AND m.organisation = s.organisation AND m.ended_at IS NULL
WHERE s.token_digest = $1 AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
GROUP BY s.id
"""


class _Session(msgspec.Struct, frozen=True):
    session: UUID
    person: UUID
    organisation: UUID | None
    roles: list[Role]
    fresh: bool


class _Role(msgspec.Struct, frozen=True):
    role: Role


async def actor_of(token: str, request: str) -> Actor | None:
    """Who a bearer token stands for now, in one query; None for a token that does not work.

    Somebody whose last role in the organisation was ended acts for nobody any more.
    """
    pool = DB.pool
    if pool is None:
        return None
    row = await pool.fetchrow(_ACTOR, credentials.digest(token))
    if row is None:
        return None
    session = msgspec.convert(dict(row), _Session)
    return Actor(
        person=session.person,
        organisation=session.organisation if session.roles else None,
        roles=frozenset(session.roles),
        session=session.session,
        fresh=session.fresh,
        request=request,
    )


async def roles_of(person: UUID, organisation: UUID | None) -> list[Role]:
    """The roles a person holds now in an organisation."""
    rows = await fetch(
        _Role,
        "SELECT role FROM membership WHERE person = $1 AND organisation = $2"
        " AND ended_at IS NULL ORDER BY role",
        person,
        organisation,
    )
    return [row.role for row in rows]


async def memberships_of(person: UUID) -> list[MembershipView]:
    """What a person may do for which organisation, ended memberships included."""
    return await fetch(
        MembershipView,
        "SELECT m.id, m.person, p.name, m.organisation, o.name AS organisation_name, m.role,"
        " m.started_at, m.ended_at FROM membership m JOIN person p ON p.id = m.person"
        " JOIN organisation o ON o.id = m.organisation WHERE m.person = $1"
        " ORDER BY o.name, m.role, m.started_at",
        person,
    )


async def myself(actor: Actor) -> PersonView:
    """The acting person and all their memberships."""
    async with reading(actor):
        found = await fetch_one(
            _Person, "SELECT id, name, email FROM person WHERE id = $1", actor.person
        )
        if found is None:
            raise NotFound
        return PersonView(
            id=found.id,
            name=found.name,
            email=found.email,
            memberships=await memberships_of(found.id),
            acting_for=actor.organisation,
        )


class _Person(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    email: str


async def my_sessions(actor: Actor) -> list[SessionView]:
    """The actor's sessions that still work, the latest first."""
    async with reading(actor):
        return await fetch(
            SessionView,
            "SELECT id, organisation, method, started_at, confirmed_at, expires_at,"
            " id = $2 AS current FROM session"
            " WHERE person = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()"
            " ORDER BY started_at DESC LIMIT 200",
            actor.person,
            actor.session,
        )


async def my_authenticators(actor: Actor) -> list[AuthenticatorView]:
    """The actor's authenticator, if there is one, and how many recovery codes are left."""
    async with reading(actor):
        return await fetch(
            AuthenticatorView,
            "SELECT o.id, o.enrolled_at, o.confirmed_at, (SELECT count(*) FROM recovery_code c"
            " WHERE c.one_time_password = o.id AND c.used_at IS NULL) AS recovery_codes_left"
            " FROM one_time_password o WHERE o.person = $1 AND o.removed_at IS NULL",
            actor.person,
        )


async def members_of(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[MembershipView]:
    """Everybody who holds or held a role in an organisation, by name, for its administrators.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor does not administer it.
        Malformed: a cursor that is none of the market's.
    """
    ensure_may_administer(actor, organisation_id)
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        if await fetch_value("SELECT id FROM organisation WHERE id = $1", organisation_id) is None:
            raise NotFound
        found = await fetch(
            MembershipView,
            "SELECT m.id, m.person, p.name, m.organisation, o.name AS organisation_name, m.role,"
            " m.started_at, m.ended_at FROM membership m JOIN person p ON p.id = m.person"
            " JOIN organisation o ON o.id = m.organisation WHERE m.organisation = $1"
            " AND ($2::text IS NULL OR (p.name, m.id) > ($2, $3::uuid))"
            " ORDER BY p.name, m.id LIMIT $4",
            organisation_id,
            after,
            after_id,
            limit + 1,
        )
    items = found[:limit]
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)


async def invitations_of(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[InvitationView]:
    """Every invitation into an organisation, the latest first, for its administrators.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor does not administer it.
        Malformed: a cursor that is none of the market's.
    """
    ensure_may_administer(actor, organisation_id)
    before, before_id = (None, None) if cursor is None else _time_and_id(cursor)
    async with reading(actor):
        if await fetch_value("SELECT id FROM organisation WHERE id = $1", organisation_id) is None:
            raise NotFound
        found = await fetch(
            InvitationView,
            "SELECT i.id, i.email, i.roles, i.invited_by, p.name AS invited_by_name, i.invited_at,"
            " i.expires_at, i.accepted_at, i.accepted_by, i.revoked_at, i.revoked_by,"
            " i.accepted_at IS NULL AND i.revoked_at IS NULL"
            " AND i.expires_at > clock_timestamp() AS open"
            " FROM invitation i LEFT JOIN person p ON p.id = i.invited_by WHERE i.organisation = $1"
            " AND ($2::timestamptz IS NULL OR (i.invited_at, i.id) < ($2, $3::uuid))"
            " ORDER BY i.invited_at DESC, i.id DESC LIMIT $4",
            organisation_id,
            before,
            before_id,
            limit + 1,
        )
    items = found[:limit]
    following = None
    if len(found) > limit:
        following = encode_cursor(items[-1].invited_at.isoformat(), str(items[-1].id))
    return Page(items=items, next=following)


def _time_and_id(cursor: str) -> tuple[datetime, UUID]:
    time, identity = decode_cursor(cursor, 2)
    try:
        # taken as UTC whatever it says, since at the ends of time another offset cannot be
        return datetime.fromisoformat(time).replace(tzinfo=UTC), UUID(identity)
    except ValueError:
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None
