"""Which lot goes to whom where the number of lots for one supplier is limited."""

from uuid import UUID

import msgspec

from tenders.rules.lot_limits import LotLimit


class AllocatedLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot and the bid that it goes to, with its place; without one where nobody is left for it.

    `recommended` says that a recommendation stands, which the others are allocated around.
    """

    lot: int
    pseudonym: str | None
    supplier: str | None
    organisation: UUID | None
    place: int | None
    recommended: bool


class AllocationView(msgspec.Struct, frozen=True, kw_only=True):
    """The allocation by the published limit and rule, or why there is none yet."""

    tender: UUID
    limit: LotLimit
    undecided: str | None
    lots: list[AllocatedLot]
