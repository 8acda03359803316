"""Which party somebody is, in the current transaction."""

from uuid import UUID

from market.database import fetch_value


async def standing_party(party: UUID) -> UUID | None:
    """The party, or what it was merged into; None if there is none."""
    found: UUID | None = await fetch_value(
        "SELECT coalesce(merged_into, id) FROM ownership_party WHERE id = $1", party
    )
    return found


async def party_of_organisation(organisation: UUID) -> UUID | None:
    """The first party that carries an identifier of the organisation; None if none does."""
    found: UUID | None = await fetch_value(
        "SELECT id FROM ownership_party WHERE id IN (SELECT parties_of_organisation($1))"
        " AND merged_into IS NULL ORDER BY recorded_at, id LIMIT 1",
        organisation,
    )
    return found
