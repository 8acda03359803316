"""Who holds and held which duty in a tender."""

from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from tenders.permissions.tenders import ensure_sees_duties
from tenders.queries.facts import facts_of
from tenders.rules.duties import Duty
from tenders.schemas.duties import DutyView

_DUTIES = """
SELECT d.id, d.person, p.name, d.organisation, o.name AS organisation_name, d.duty,
       d.assigned_by, d.assigned_at, d.released_at
FROM duty d JOIN person p ON p.id = d.person JOIN organisation o ON o.id = d.organisation
WHERE d.tender = $1 AND ($2::uuid IS NULL OR d.id = $2)
ORDER BY d.assigned_at, d.id
"""


class _Held(msgspec.Struct, frozen=True):
    duty: Duty


async def duties_of(actor: Actor, tender_id: UUID) -> list[DutyView]:
    """List every duty in the tender, released ones included, for those who hold one.

    Raises:
        NotFound: the actor holds none there and does not audit a buyer.
    """
    async with reading(actor):
        ensure_sees_duties(actor, await facts_of(actor, tender_id))
        return await fetch(DutyView, _DUTIES, tender_id, None)


async def duty(tender_id: UUID, duty_id: UUID) -> DutyView | None:
    """Read one duty of a tender inside a transaction."""
    return await fetch_one(DutyView, _DUTIES, tender_id, duty_id)


async def ever_held(tender_id: UUID, person: UUID | None) -> frozenset[Duty]:
    """The duties a person holds or ever held in a tender: having held one is what counts."""
    rows = await fetch(
        _Held, "SELECT duty FROM duty WHERE tender = $1 AND person = $2", tender_id, person
    )
    return frozenset(row.duty for row in rows)
