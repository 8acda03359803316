"""Salted commitments: a digest that binds to content and tells nothing without the salt."""

import hashlib
import hmac
import secrets

_DOMAIN = b"commissioning-support-market/commitment/v1"

SALT_BYTES = 32
COMMITMENT_BYTES = 32


def new_salt() -> bytes:
    """Make a fresh 32-byte salt, for one commitment. Once it is erased, nobody can try guesses."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(salt: bytes, content: bytes) -> bytes:
    """Commit to content: SHA-256 of the domain string, a zero byte, the salt and the content.

    The salt is exactly 32 bytes, so no other pair of salt and content is encoded alike. Whoever
    does not have the salt cannot try out guesses, however few prices are likely. Raises
    ValueError if the salt has another length.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("The salt of a commitment must be exactly 32 bytes long.")
    return hashlib.sha256(b"".join((_DOMAIN, b"\x00", salt, content))).digest()


def matches_commitment(committed: bytes, salt: bytes, content: bytes) -> bool:
    """Tell whether this salt and content are those committed to, comparing in constant time.

    Raises ValueError if the salt is not 32 bytes.
    """
    return hmac.compare_digest(committed, commitment(salt, content))
