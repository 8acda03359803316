"""Shares of a private key for two officers: HPKE within HPKE, so that one alone has nothing.

For each ordered pair of officers a share is the private key encrypted to the inner officer, and
that once more to the outer one. The outer officer takes off the outer layer and passes on what is
within; only then can the inner officer read the key. Both layers are bound to what the key is for,
to both officers' keys and to their own place, so that a layer passes for no other: whoever takes
off outer layers for others never takes off an inner one.

A share keeps its secret from everybody who lacks one of the two private keys, holders of the
database and of all the server's keys included. It does not keep it from the process that made the
key, in the moment of making it.
"""

import hashlib
from uuid import UUID

from msgspec import Struct

from market.sealing.envelopes import EnvelopeKind
from market.sealing.hybrid import (
    OVERHEAD_BYTES,
    PRIVATE_KEY_BYTES,
    decrypt_with,
    encrypt_to,
)

_DOMAIN = b"commissioning-support-market/officer-share/v1"
_OUTER, _INNER = b"\x01", b"\x02"
_KIND = {None: b"\x00", EnvelopeKind.QUALITY: b"\x01", EnvelopeKind.PRICE: b"\x02"}

PASSED_BYTES = PRIVATE_KEY_BYTES + OVERHEAD_BYTES
SHARE_BYTES = PASSED_BYTES + OVERHEAD_BYTES


class KeyFor(Struct, frozen=True, kw_only=True):
    """What a private key that officers share is for; without lot and envelope, for a rehearsal."""

    tender: UUID
    lot: UUID | None = None
    envelope: EnvelopeKind | None = None


class SharedKey(Struct, frozen=True, kw_only=True):
    """Which private key a share is of, and of whom: by the SHA-256 of their public keys."""

    of: KeyFor
    outer: bytes
    inner: bytes

    def info(self, layer: bytes) -> bytes:
        """Encode as the HPKE `info` of one layer, in fixed widths: no two share an encoding."""
        lot = UUID(int=0) if self.of.lot is None else self.of.lot
        return b"".join(
            (
                _DOMAIN,
                b"\x00",
                layer,
                self.of.tender.bytes,
                lot.bytes,
                _KIND[self.of.envelope],
                self.outer,
                self.inner,
            )
        )


def fingerprint(public: bytes) -> bytes:
    """The SHA-256 of an officer's public key: what people compare, and what shares are bound to."""
    return hashlib.sha256(public).digest()


def shared(private: bytes, of: KeyFor, outer: bytes, inner: bytes) -> bytes:
    """Make the share of a private key for two officers' public keys.

    Raises ValueError if a public key is malformed.
    """
    bound = SharedKey(of=of, outer=fingerprint(outer), inner=fingerprint(inner))
    return encrypt_to(outer, encrypt_to(inner, private, bound.info(_INNER)), bound.info(_OUTER))


def take_off_outer(private: bytes, of: SharedKey, share: bytes) -> bytes:
    """Take off the outer layer: what is left is for the inner officer. Raises CannotDecrypt."""
    return decrypt_with(private, share, of.info(_OUTER))


def take_off_inner(private: bytes, of: SharedKey, passed: bytes) -> bytes:
    """Take off the inner layer, and have the private key itself. Raises CannotDecrypt."""
    return decrypt_with(private, passed, of.info(_INNER))
