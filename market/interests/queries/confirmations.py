"""Who confirmed their interests when, and who has to."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import NotFound
from market.interests.permissions import ensure_may_see_due
from market.interests.queries.facts import ensure_register, today
from market.interests.rules.dates import confirmation_due_on, days_late, london_date
from market.interests.schemas.interests import ConfirmationDue, ConfirmationView
from market.organisations.queries import name_and_id
from market.pages import Page, encode_cursor

_DUE = """
WITH member AS (
    SELECT m.person, p.name, register_day(min(m.started_at)) AS joined_on,
        (SELECT register_day(max(c.confirmed_at)) FROM interest_confirmation c
         WHERE c.person = m.person AND c.organisation = m.organisation) AS confirmed_on
    FROM membership m JOIN person p ON p.id = m.person
    WHERE m.organisation = $1 AND m.ended_at IS NULL
    GROUP BY m.person, p.name, m.organisation
)
SELECT person, name, joined_on, confirmed_on FROM member
WHERE confirmation_due_on(joined_on, confirmed_on) <= $2::date + $3::integer
  AND ($4::text IS NULL OR (name, person) > ($4, $5::uuid))
ORDER BY name, person LIMIT $6
"""


class _Member(msgspec.Struct, frozen=True):
    person: UUID
    name: str
    joined_on: date
    confirmed_on: date | None


class _Confirmed(msgspec.Struct, frozen=True):
    confirmed_at: datetime
    nothing_to_declare: bool


async def confirmation_of(person: UUID, organisation: UUID) -> ConfirmationView:
    """How somebody stands with confirming their interests, inside the current transaction.

    Raises:
        NotFound: they are no member of the organisation.
    """
    joined: datetime | None = await fetch_value(
        "SELECT min(started_at) FROM membership WHERE person = $1 AND organisation = $2"
        " AND ended_at IS NULL",
        person,
        organisation,
    )
    if joined is None:
        raise NotFound
    last = await fetch_one(
        _Confirmed,
        "SELECT confirmed_at, nothing_to_declare FROM interest_confirmation"
        " WHERE person = $1 AND organisation = $2 ORDER BY confirmed_at DESC, id DESC LIMIT 1",
        person,
        organisation,
    )
    joined_on = london_date(joined)
    due = confirmation_due_on(joined_on, None if last is None else london_date(last.confirmed_at))
    return ConfirmationView(
        person=person,
        organisation=organisation,
        joined_on=joined_on,
        confirmed_at=None if last is None else last.confirmed_at,
        nothing_to_declare=None if last is None else last.nothing_to_declare,
        due_on=due,
        late_by_days=days_late(due, await today()),
    )


async def my_confirmation(actor: Actor) -> ConfirmationView:
    """How the actor stands with confirming their interests to the organisation they act for.

    Raises:
        NotFound: they act for no organisation.
        NoRegister: it keeps no registers.
    """
    if actor.person is None or actor.organisation is None:
        raise NotFound
    async with reading(actor):
        await ensure_register(actor.organisation)
        return await confirmation_of(actor.person, actor.organisation)


async def confirmations_due(
    actor: Actor, organisation: UUID, *, within_days: int, cursor: str | None, limit: int
) -> Page[ConfirmationDue]:
    """By name, the members whose confirmation is due by now or within some days.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Forbidden: the actor is not its guardian, auditor or administrator.
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        await ensure_register(organisation)
        ensure_may_see_due(actor, organisation)
        day = await today()
        members = await fetch(
            _Member, _DUE, organisation, day, within_days, after, after_id, limit + 1
        )
    items = [_due(member, day) for member in members[:limit]]
    last = items[-1] if len(members) > limit else None
    following = None if last is None else encode_cursor(last.name, str(last.person))
    return Page(items=items, next=following)


def _due(member: _Member, day: date) -> ConfirmationDue:
    due = confirmation_due_on(member.joined_on, member.confirmed_on)
    return ConfirmationDue(
        person=member.person,
        name=member.name,
        joined_on=member.joined_on,
        confirmed_on=member.confirmed_on,
        due_on=due,
        late_by_days=days_late(due, day),
    )
