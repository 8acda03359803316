"""What the door notes of credentials: their use, and that one which is known was refused."""

from uuid import UUID

import structlog
from asyncpg.exceptions import InterfaceError, PostgresError

from market.actor import Actor
from market.command import command
from market.database import DB
from market.events.commands import record

_LOG = structlog.get_logger("market.systems")

_PATIENCE = 1.0
"""How many seconds a request waits for its use to be noted."""

_USED = """
INSERT INTO credential_use (credential, last_used_at, last_used_address)
VALUES ($1, clock_timestamp(), $2)
ON CONFLICT (credential) DO UPDATE SET last_used_at = clock_timestamp(), last_used_address = $2
WHERE credential_use.last_used_at < clock_timestamp() - interval '1 minute'
"""


async def note_use(credential: UUID, address: str) -> None:
    """Note that a credential was used just now, once a minute at most.

    Outside the request's transaction, which may only read or may fail, and no event: see the table.
    A use that cannot be noted is still a use, so the request goes on.
    """
    if DB.pool is None:
        return
    try:
        await DB.pool.execute(_USED, credential, address[:50], timeout=_PATIENCE)
    except (PostgresError, InterfaceError, OSError, TimeoutError) as error:
        _LOG.warning("use not noted", credential=str(credential), because=type(error).__name__)


@command
async def note_refused(actor: Actor, credential: UUID, refusal: str) -> None:
    """Record that a right secret was refused: its time was over, or it came from elsewhere.

    The event names whose credential was tried, not who tried: that is unknown.
    """
    await record(actor, "credential.refused", "credential", credential, refusal=refusal)
