"""What a supplier did with the contracts it won: public parts alone, each with its source."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.queries.performance import baselines_of, kpis_of, reviews_of, running_contracts
from evaluation.schemas.performance import TrackedLot
from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.errors import NotFound
from market.pages import Page
from tenders.queries.keysets import cursor_at, read_cursor

_WON = """
SELECT * FROM lots_won($1) w
WHERE $2::timestamptz IS NULL OR (w.awarded_at, w.lot) < ($2, $3::uuid)
ORDER BY w.awarded_at DESC, w.lot DESC LIMIT $4
"""


class _Won(msgspec.Struct, frozen=True):
    lot: UUID
    tender: UUID
    reference: str
    title: str
    lot_number: int
    lot_title: str
    demonstration: bool
    awarded_at: datetime


async def track_record(
    actor: Actor, organisation_id: UUID, *, limit: int, cursor: str | None
) -> Page[TrackedLot]:
    """List the lots that an organisation won and has contracts for, the latest award first.

    Raises:
        NotFound: there is no such organisation.
        Malformed: a cursor that is none of the market's.
    """
    moment, item = read_cursor(cursor)
    async with reading(actor):
        known = "SELECT 1 FROM organisation WHERE id = $1"
        if await fetch_value(known, organisation_id) is None:
            raise NotFound
        rows = await fetch(_Won, _WON, organisation_id, moment, item, limit + 1)
        shown = rows[:limit]
        lots = [row.lot for row in shown]
        contracts = await running_contracts(lots)
        kpis = await kpis_of(lots, published_alone=True)
        baselines = await baselines_of(lots)
        reviews = await reviews_of(lots)
    items = []
    for row in shown:
        measured = [one.met for kpi in kpis[row.lot].kpis for one in kpi.assessments]
        items.append(
            TrackedLot(
                tender=row.tender,
                reference=row.reference,
                tender_title=row.title,
                lot=row.lot_number,
                title=row.lot_title,
                demonstration=row.demonstration,
                awarded_at=row.awarded_at,
                contracts=contracts[row.lot],
                kpis=kpis[row.lot],
                baseline=baselines.get(row.lot),
                reviews=reviews.get(row.lot, []),
                assessments=len(measured),
                assessments_met=sum(measured),
                sources=_sources(row),
            )
        )
    last = cursor_at(shown[-1].awarded_at, shown[-1].lot) if len(rows) > limit else None
    return Page(items=items, next=last)


def _sources(row: _Won) -> dict[str, str]:
    """Where the market's own record of each part is read."""
    tender = f"/api/v1/tenders/{row.tender}"
    lot = f"{tender}/lots/{row.lot_number}"
    return {
        "requirement": f"{tender}/requirement",
        "award": f"{lot}/award",
        "performance": f"{lot}/performance",
        "assurance": f"{tender}/assurance-report",
    }
