"""The client that says it is one, before it has proven anything."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor, Scope
from market.database import fetch_one, reading
from market.systems.rules.key_sets import PublicJWK

_PROVING = """
SELECT c.id, c.organisation, c.person, c.scopes, c.keys::text AS keys, c.version,
       clock_timestamp() AS now
FROM oauth_client c JOIN membership h ON h.id = c.membership
WHERE c.id = $1 AND c.revoked_at IS NULL AND h.ended_at IS NULL
"""


class Proving(msgspec.Struct, frozen=True, kw_only=True):
    """A client in force, its registered keys, and the time by which its proof is judged."""

    id: UUID
    organisation: UUID
    person: UUID
    scopes: list[Scope]
    keys: str
    version: int
    now: datetime

    def key_set(self) -> list[PublicJWK]:
        """The keys as they were registered."""
        return msgspec.json.decode(self.keys, type=list[PublicJWK])


async def proving(actor: Actor, client_id: UUID) -> Proving | None:
    """Look a client up; None where it is unknown, revoked, or nobody answers for it any more."""
    async with reading(actor):
        return await fetch_one(Proving, _PROVING, client_id)
