"""The signing keys the market has had, as they are published."""

from datetime import datetime

import msgspec

from market.actor import Actor
from market.database import fetch, reading
from market.signing import PublicKeySet, public_key
from market.vault import Vault

_KEYS = """
SELECT public_key, began_at, lead(began_at) OVER (ORDER BY began_at, id) AS retired_at
FROM signing_key
"""


class _Recorded(msgspec.Struct, frozen=True):
    public_key: bytes
    began_at: datetime
    retired_at: datetime | None


async def published_keys(actor: Actor, vault: Vault) -> PublicKeySet:
    """Every key that ever signed for this market: the current one first, then the retired ones.

    A retired key stays for good, so that what it signed verifies. What carries a later time than
    its retirement was not signed by the market.
    """
    async with reading(actor):
        found = {row.public_key: row for row in await fetch(_Recorded, _KEYS)}
    current = vault.signing_key.public()
    others = [key.public() for key in vault.retired_signing_keys]
    others += sorted(set(found) - {current, *others}, key=lambda key: found[key].began_at)[::-1]
    known = [(key, found.get(key)) for key in (current, *others)]
    return PublicKeySet(
        keys=tuple(
            public_key(
                raw,
                began_at=None if row is None else row.began_at,
                retired_at=None if row is None or raw == current else row.retired_at,
            )
            for raw, row in known
        )
    )
