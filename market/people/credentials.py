"""Passwords and opaque secrets: argon2id off the event loop, digests of random tokens."""

import asyncio
import base64
import functools
import hashlib
import secrets
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from market.vault import Vault

# OWASP's second recommended setting: 19 MiB, two passes, one lane; about 16 ms
_HASHER = PasswordHash((Argon2Hasher(memory_cost=19_456, time_cost=2, parallelism=1),))
_AT_ONCE = 2
"""Hashes computed at a time in a process: more would only starve everybody else's requests."""


@functools.cache
def _nobody() -> str:
    """A hash that no password fits: an unknown address takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe(32))


@functools.cache
def _turnstile(_: asyncio.AbstractEventLoop) -> asyncio.Semaphore:
    return asyncio.Semaphore(_AT_ONCE)


async def hash_password(password: str) -> str:
    """Hash a new password."""
    async with _turnstile(asyncio.get_running_loop()):
        return await asyncio.to_thread(_HASHER.hash, password)


async def password_fits(password: str, stored: str | None) -> bool:
    """Say whether a password is the right one; never, for somebody who is not registered."""
    async with _turnstile(asyncio.get_running_loop()):
        fits = await asyncio.to_thread(_HASHER.verify, password, stored or _nobody())
    return fits and stored is not None


def new_secret(prefix: str = "") -> str:
    """A random secret of 256 bits, as text to hand out once."""
    return prefix + secrets.token_urlsafe(32)


def invitation_secret(vault: Vault, invitation: UUID) -> str:
    """Give the secret of an invitation: 256 bits that only the market can make, and make again.

    It is derived, not stored, so that a repeated request gets the same answer while no table holds
    the secret. Ed25519 signatures are deterministic (RFC 8032) and nobody without the key can make
    one, so the digest of a signature that is never given out is a pseudo-random function of the id.
    """
    signed = vault.sign({"invitation": str(invitation), "purpose": "invitation secret"})
    derived = hashlib.sha256(b"market.invitation\x00" + signed.signature.encode("ascii")).digest()
    return base64.urlsafe_b64encode(derived).decode("ascii").rstrip("=")


def digest(secret: str) -> bytes:
    """What is stored of a secret. A fast hash will do: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()
