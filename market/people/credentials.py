"""Passwords and opaque secrets: argon2id off the event loop, digests of random tokens."""

import asyncio
import base64
import functools
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from urllib.parse import quote, urlencode
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from market.errors import Fault
from market.people.rules import AttemptKind, normal_code, password_faults
from market.sealing import KeptColumn
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


async def weaknesses(
    password: str, *, email: str, name: str, others: Iterable[str] = ()
) -> list[Fault]:
    """Everything that is wrong with a new password, found out off the event loop.

    A hostile password costs the estimate as much as a hash, so it waits in the same line.
    """
    known = list(others)
    async with _turnstile(asyncio.get_running_loop()):
        return await asyncio.to_thread(
            password_faults, password, email=email, name=name, others=known
        )


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
    the secret.
    """
    derived = vault.derive_secret(b"invitation\x00" + invitation.bytes)
    return base64.urlsafe_b64encode(derived).decode("ascii").rstrip("=")


def reset_secret(vault: Vault, reset: UUID) -> str:
    """Give the secret of a password reset: derived like an invitation's, and never stored."""
    derived = vault.derive_secret(b"password reset\x00" + reset.bytes)
    return base64.urlsafe_b64encode(derived).decode("ascii").rstrip("=")


def attempt_key(vault: Vault, kind: AttemptKind, tried: str) -> bytes:
    """What attempts on an account or from an address are counted under.

    Keyed, because an e-mail or IP address is soon guessed from a plain digest.
    """
    key = vault.derive_secret(b"sign-in attempts\x00" + kind.value.encode("ascii"))
    return hmac.digest(key, tried.encode("utf-8", "surrogatepass"), "sha256")


_AUTHENTICATOR_BYTES = 20  # as long as SHA-1's output: RFC 4226, section 4, R6
_RECOVERY_BYTES = 10  # 80 bits: no guessing of a digest, let alone over the network
RECOVERY_CODES = 10


def new_authenticator_secret() -> str:
    """A random secret of 160 bits for an authenticator, in base32."""
    return base64.b32encode(secrets.token_bytes(_AUTHENTICATOR_BYTES)).decode("ascii")


def authenticator_uri(secret: str, *, email: str, market: str) -> str:
    """What an authenticator reads from a QR code (the `otpauth` key URI format)."""
    label = quote(f"{market}:{email}", safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': market})}"


def authenticator_purpose(authenticator: UUID, person: UUID) -> bytes:
    """What an authenticator's secret is wrapped for: no other row can hold it."""
    return b"one-time password\x00" + authenticator.bytes + person.bytes


KEPT = KeptColumn(
    table="one_time_password",
    column="wrapped_secret",
    of=("t.id", "t.person"),
    purpose=authenticator_purpose,
)


def new_recovery_codes() -> list[str]:
    """Ten codes to write down, of 80 bits each: four groups of four letters and digits."""
    codes = []
    for _ in range(RECOVERY_CODES):
        code = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode("ascii").lower()
        codes.append("-".join(code[place : place + 4] for place in range(0, len(code), 4)))
    return codes


def recovery_digest(authenticator: UUID, code: str) -> bytes:
    """What is stored of a recovery code: bound to its authenticator, spelt in one way."""
    spelt = normal_code(code).encode("utf-8", "surrogatepass")
    return hashlib.sha256(b"market.recovery\x00" + authenticator.bytes + spelt).digest()


def digest(secret: str) -> bytes:
    """What is stored of a secret. A fast hash will do: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()
