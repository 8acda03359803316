"""Key pairs and HPKE (RFC 9180) over the hybrid of ML-KEM-768 and X25519: what sealing rests on."""

import functools

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Struct

_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32
_ENCAPSULATED_BYTES = 1120
_TAG_BYTES = 16

PRIVATE_KEY_BYTES = _MLKEM_SEED_BYTES + _X25519_BYTES
PUBLIC_KEY_BYTES = _MLKEM_PUBLIC_BYTES + _X25519_BYTES
# What encrypting adds: the encapsulated key before, the tag behind.
OVERHEAD_BYTES = _ENCAPSULATED_BYTES + _TAG_BYTES


class CannotDecrypt(Exception):
    """The bytes were not encrypted to this key with this `info`, or were changed."""


class KeyPair(Struct, frozen=True, kw_only=True):
    """A sealing key pair, raw.

    public: the ML-KEM-768 encapsulation key (1,184 bytes, FIPS 203), then the X25519 public key
    (32 bytes, RFC 7748): 1,216 bytes, the form of the MLKEM768-X25519 KEM (X-Wing) in
    draft-ietf-hpke-pq.
    private: the ML-KEM-768 seed d || z (64 bytes), then the X25519 private key (32 bytes): 96
    bytes. The private half is for a custodian to wrap, and for nobody else; it is never shown.
    """

    public: bytes
    private: bytes

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public[:4].hex()}…, private=hidden)"

    # Struct brings its own for the rich library, and a traceback of rich's would print the key.
    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("public", f"{self.public[:4].hex()}…"), ("private", "hidden")]


def new_key_pair() -> KeyPair:
    """Make a fresh key pair from the operating system's random numbers."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return KeyPair(
        public=mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw(),
        private=mlkem.private_bytes_raw() + x25519.private_bytes_raw(),
    )


def public_of(private: bytes) -> bytes:
    """Give the public half of a raw private key. Raises ValueError if it is malformed."""
    mlkem = MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES])
    x25519 = X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED_BYTES:])
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def encrypt_to(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Encrypt by HPKE in base mode: encapsulated key (1,120 bytes), ciphertext, tag (16 bytes).

    Raises ValueError if the public key is malformed.
    """
    try:
        return _SUITE.encrypt(plaintext, _recipient(public), info=info)
    except ValueError as error:
        raise ValueError(
            "A public sealing key is an ML-KEM-768 key of 1,184 bytes, then an X25519 key of 32."
        ) from error


@functools.lru_cache(maxsize=256)
def _recipient(public: bytes) -> hpke.MLKEM768X25519PublicKey:
    """Read a public key, which many encrypt to: that costs a fifth of encrypting."""
    return hpke.MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
    )


def decrypt_with(private: bytes, ciphertext: bytes, info: bytes) -> bytes:
    """Decrypt what `encrypt_to` made for this key and `info`. Raises CannotDecrypt."""
    try:
        recipient = hpke.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED_BYTES:]),
        )
        return _SUITE.decrypt(ciphertext, recipient, info=info)
    except (InvalidTag, ValueError):
        raise CannotDecrypt from None
