"""The panel of a lot, as everybody with a duty in its tender may see it."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts, ensure_reads_progress
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.schemas.panel import CoverageView, PanelView, SeatView
from market.actor import Actor
from market.database import fetch, fetch_one, reading
from tenders.rules.requirement import leaves

_LATEST = (
    "SELECT number, because, set_at FROM current_panel WHERE lot = $1 ORDER BY number DESC LIMIT 1"
)
_SEATS = "SELECT * FROM panel_shown($1)"


class _Panel(msgspec.Struct, frozen=True):
    number: int = 0
    because: str | None = None
    set_at: datetime | None = None


class _Seat(msgspec.Struct, frozen=True):
    person: UUID
    name: str
    criteria: list[str]
    able: bool | None
    needed: int | None
    given: int | None
    locked_at: datetime | None


async def panel(actor: Actor, tender_id: UUID, lot_number: int) -> PanelView:
    """Show who scores what in a lot, and how far they are as far as the actor may know.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNotTakenUp, DutySuspended: none of the actor's duties works.
    """
    async with reading(actor):
        facts = ensure_reads_progress(await facts_of(actor, tender_id, lot_number))
        return await shown_panel(facts)


async def shown_panel(facts: LotFacts) -> PanelView:
    """The same, inside a transaction and without asking whether the actor may."""
    latest = await fetch_one(_Panel, _LATEST, facts.lot) or _Panel()
    seats = await fetch(_Seat, _SEATS, facts.lot)
    _, lot = await published_requirement(facts)
    return PanelView(
        lot=facts.number,
        version=latest.number + 1,
        assigned=latest.number > 0,
        because=latest.because,
        set_at=latest.set_at,
        evaluators_minimum=facts.evaluators_minimum,
        evaluators=[msgspec.convert(seat, SeatView, from_attributes=True) for seat in seats],
        criteria=[_coverage(leaf.code, seats) for leaf in leaves(lot)],
    )


def _coverage(code: str, seats: list[_Seat]) -> CoverageView:
    on_it = [seat.able for seat in seats if code in seat.criteria]
    known = None not in on_it
    return CoverageView(
        criterion=code, evaluators=len(on_it), able=sum(map(bool, on_it)) if known else None
    )
