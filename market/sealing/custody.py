"""Custody of private sealing keys: what a custodian promises, and the server as the default one."""

import secrets
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from market.sealing.envelopes import Address, EnvelopeKind, unseal
from market.sealing.hybrid import new_key_pair

_DOMAIN = b"commissioning-support-market/wrap/v1"
_KEY_DOMAIN = b"commissioning-support-market/sealing-key/v1"
_SECRET_DOMAIN = b"commissioning-support-market/kept-secret/v1"

# The first byte of a wrapped key. Another format gets another number, and old ones stay readable.
_FORMAT = b"\x01"

KEY_ENCRYPTION_KEY_BYTES = 32
_NONCE_BYTES = 12
_LONGEST_KEY_ID = 255


class CannotUnwrap(Exception):
    """A private key cannot be unwrapped: a missing or wrong key-encryption key, or damage.

    The keeper's fault, never the supplier's. An envelope behind such a key says nothing about the
    bid, so it must not be recorded as one that does not open (`CannotOpen`).
    """


class WrappedKey(NamedTuple):
    """A new sealing key pair: the public key to publish, and the private key, wrapped, to store."""

    public: bytes
    wrapped: bytes


class Custodian(Protocol):
    """Who makes sealing keys, keeps the private halves, and opens single envelopes with them.

    `context` says what a key is for (see `key_context`); a wrapped key works only with the
    context it was made with, so two rows cannot swap keys. A custodian opens what it is told to
    open: ask only once the database shows the envelope as opened.
    """

    def new_wrapped_key(self, context: bytes) -> WrappedKey:
        """Make a key pair whose private half exists only wrapped."""
        ...

    def open_envelope(
        self, wrapped: bytes, context: bytes, address: Address, sealed: bytes
    ) -> bytes:
        """Open one envelope and return its content; the private key stays inside.

        Raises CannotUnwrap if the key cannot be used, CannotOpen if the envelope does not open.
        """
        ...

    def keep(self, secret: bytes, purpose: bytes) -> bytes:
        """Wrap a secret of the market's own that it must be able to read again, for one purpose."""
        ...

    def recall(self, kept: bytes, purpose: bytes) -> bytes:
        """Read a secret that was kept for this purpose. Raises CannotUnwrap if it was not."""
        ...


class ServerCustodian:
    """Keeps private keys wrapped under key-encryption keys that the process holds in memory.

    Wrapping is AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D allows 2^32 wraps under
    one key; a market makes a few for each lot). The header and the context are authenticated with
    it.

    To rotate: add the new key-encryption key, make it `current`, `rewrap` what is stored
    (`wrapped_under` tells what is left to do), then drop the old key, once no backup that still
    needs it is to be kept.

    Raises ValueError if a key-encryption key is not 32 bytes, if an id is not 1 to 255 ASCII
    characters, or if `current` is not among them.
    """

    __slots__ = ("_current", "_key_encryption_keys")

    def __init__(self, key_encryption_keys: Mapping[str, bytes], current: str) -> None:
        if current not in key_encryption_keys:
            raise ValueError("The current key-encryption key is not among the keys given.")
        for key_id, key in key_encryption_keys.items():
            if not (key_id.isascii() and 1 <= len(key_id) <= _LONGEST_KEY_ID):
                raise ValueError(
                    "The id of a key-encryption key must be 1 to 255 ASCII characters long."
                )
            if len(key) != KEY_ENCRYPTION_KEY_BYTES:
                raise ValueError(
                    f"The key-encryption key {key_id!r} must be exactly 32 bytes long."
                )
        self._key_encryption_keys = {
            key_id: AESGCM(key) for key_id, key in key_encryption_keys.items()
        }
        self._current = current

    def __repr__(self) -> str:
        key_ids = sorted(self._key_encryption_keys)
        return f"ServerCustodian(key_ids={key_ids}, current={self._current!r})"

    def new_wrapped_key(self, context: bytes) -> WrappedKey:
        pair = new_key_pair()
        return WrappedKey(public=pair.public, wrapped=self.wrap(pair.private, context))

    def wrap(self, private: bytes, context: bytes) -> bytes:
        """Wrap a private key under the current key-encryption key.

        Layout: format (1 byte, 0x01), length of the key id (1 byte), key id (ASCII), nonce (12
        bytes), ciphertext and tag. Associated data: the domain string, a zero byte, the layout up
        to the nonce, the context. All but the context, which is last, have known lengths, so no
        two collide.
        """
        header = _FORMAT + bytes((len(self._current),)) + self._current.encode("ascii")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = self._key_encryption_keys[self._current]
        return header + nonce + key.encrypt(nonce, private, _associated(header, context))

    def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Wrap the same private key anew, under the current key-encryption key.

        The pair does not change: what is sealed stays sealed to it. Raises CannotUnwrap.
        """
        return self.wrap(self._unwrap(wrapped, context), context)

    def rekeep(self, kept: bytes, purpose: bytes) -> bytes:
        """Wrap the same kept secret anew, under the current key-encryption key.

        Raises CannotUnwrap.
        """
        return self.rewrap(kept, _kept(purpose))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all key-encryption keys."""
        return tuple(self._key_encryption_keys)

    @property
    def current(self) -> str:
        """The id of the key-encryption key that wraps."""
        return self._current

    def open_envelope(
        self, wrapped: bytes, context: bytes, address: Address, sealed: bytes
    ) -> bytes:
        return unseal(self._unwrap(wrapped, context), address, sealed)

    def keep(self, secret: bytes, purpose: bytes) -> bytes:
        return self.wrap(secret, _kept(purpose))

    def recall(self, kept: bytes, purpose: bytes) -> bytes:
        return self._unwrap(kept, _kept(purpose))

    def _unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        key_id = wrapped_under(wrapped)
        key = self._key_encryption_keys.get(key_id)
        if key is None:
            raise CannotUnwrap(f"The key-encryption key {key_id!r} is not among those given.")
        end_of_header = 2 + len(key_id)
        header, rest = wrapped[:end_of_header], wrapped[end_of_header:]
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return key.decrypt(nonce, ciphertext, _associated(header, context))
        except (InvalidTag, ValueError):
            raise CannotUnwrap(
                f"A wrapped key does not open with key-encryption key {key_id!r} in this context."
            ) from None


def key_context(tender: UUID, lot: UUID, envelope: EnvelopeKind) -> bytes:
    """Say what a key is for: one kind of envelope of one lot. Two uses never share an encoding.

    The domain string, a zero byte, tender and lot (16 bytes each), the name of the envelope.
    """
    return b"".join((_KEY_DOMAIN, b"\x00", tender.bytes, lot.bytes, envelope.value.encode("ascii")))


def _kept(purpose: bytes) -> bytes:
    """Say what a secret is kept for, so that it never passes as a sealing key, or the reverse."""
    return _SECRET_DOMAIN + b"\x00" + purpose


def wrapped_under(wrapped: bytes) -> str:
    """Return the id of the key-encryption key that a private key is wrapped under.

    It is read, not verified. Raises CannotUnwrap if the bytes are no wrapped key at all.
    """
    length = int.from_bytes(wrapped[1:2])
    key_id = wrapped[2 : 2 + length]
    if wrapped[:1] != _FORMAT or length == 0 or len(key_id) != length or not key_id.isascii():
        raise CannotUnwrap("This is not a wrapped key.")
    return key_id.decode("ascii")


def _associated(header: bytes, context: bytes) -> bytes:
    return _DOMAIN + b"\x00" + header + context
