"""Secrets of webhooks: made, kept by the custodian, shown once, and what is signed with them."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from standardwebhooks import Webhook

from market.sealing import KeptColumn
from market.vault import Vault

PREFIX: Final = "whsec_"
_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64 random bytes."""
_PURPOSE: Final = b"webhook-secret\x00"


def new_secret() -> bytes:
    """Make a secret nobody can guess."""
    return secrets.token_bytes(_BYTES)


def written(secret: bytes) -> str:
    """Write a secret as the libraries of Standard Webhooks take it."""
    return PREFIX + base64.b64encode(secret).decode("ascii")


def kept(vault: Vault, secret: bytes, secret_id: UUID, subscription: UUID) -> bytes:
    """Wrap a secret for the table; it opens for this row of this subscription alone."""
    return vault.custodian.keep(secret, _purpose(secret_id, subscription))


def recalled(vault: Vault, wrapped: bytes, secret_id: UUID, subscription: UUID) -> bytes:
    """Open a secret out of the table.

    Raises:
        CannotUnwrap: the key-encryption key is missing, or it is another row's.
    """
    return vault.custodian.recall(wrapped, _purpose(secret_id, subscription))


def _purpose(secret_id: UUID, subscription: UUID) -> bytes:
    return _PURPOSE + subscription.bytes + secret_id.bytes


KEPT: Final = KeptColumn(
    table="webhook_secret", column="wrapped", of=("t.id", "t.subscription"), purpose=_purpose
)


def signed(secrets_in_force: Iterable[bytes], message: str, at: datetime, body: str) -> str:
    """Sign a message with every secret, the current one first: signatures parted by a space."""
    return " ".join(Webhook(secret).sign(message, at, body) for secret in secrets_in_force)
