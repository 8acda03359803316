"""Secrets of systems: API keys that can be made again and not read anywhere, opaque tokens."""

import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

from market.systems.rules.keys import WrittenKey, read_key, write_key
from market.vault import Vault

TOKEN_PREFIX: Final = "mks_"  # noqa: S105  # how a token begins, not one
_PURPOSE = b"api-key\x00"
_CODED = b"market.api-key\x00"


def api_key_of(vault: Vault, key_id: UUID) -> str:
    """Give an API key: 256 bits that only the market can make, and make again.

    It is derived, not stored, so that a repeated request gets the same answer while no table
    holds the key.
    """
    return write_key(key_id, vault.derive_secret(_PURPOSE + key_id.bytes))


def code_of(pepper: bytes, written: WrittenKey) -> bytes:
    """What is stored of an API key: HMAC-SHA-256 with a pepper that the database never holds.

    A fast code will do: 256 random bits cannot be guessed.
    """
    said = _CODED + written.id.bytes + written.secret.encode("ascii")
    return hmac.digest(pepper, said, "sha256")


def code_for(vault: Vault, key_id: UUID) -> bytes:
    """The code to store for a key that is being made."""
    written = read_key(api_key_of(vault, key_id))
    if written is None:
        message = "A key that was just written cannot be read."
        raise ValueError(message)
    return code_of(vault.pepper(), written)


def key_fits(pepper: bytes, written: WrittenKey, stored: bytes) -> bool:
    """Compare in constant time, so that no answer's delay tells how much of a guess was right."""
    return hmac.compare_digest(code_of(pepper, written), stored)


def new_token() -> str:
    """A random token of 256 bits, to hand out once."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(b"market.client-token\x00" + token.encode()).digest()
