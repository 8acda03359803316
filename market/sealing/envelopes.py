"""Envelopes: the address each is bound to, key pairs, padding to size classes, seal and unseal."""

from enum import StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Struct

_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_DOMAIN = b"commissioning-support-market/seal/v1"

# The first byte of a sealed envelope. A new format gets a new number; old ones stay readable.
_FORMAT = b"\x01"

_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32
_ENCAPSULATED_BYTES = 1120
_TAG_BYTES = 16

PRIVATE_KEY_BYTES = _MLKEM_SEED_BYTES + _X25519_BYTES
PUBLIC_KEY_BYTES = _MLKEM_PUBLIC_BYTES + _X25519_BYTES

_LENGTH_BYTES = 8
# Below this, all contents look alike: a page of prices is not told from three.
_SMALLEST_CLASS = 4096

# A version must fit a PostgreSQL bigint, and so fits the eight bytes it gets in the address.
_HIGHEST_VERSION = 2**63 - 1


class CannotOpen(Exception):
    """The envelope does not open: wrong key, wrong address, changed, truncated or badly padded.

    Deliberately one exception with one message and no cause: which of these it was would help only
    somebody who is trying out changed envelopes.
    """

    def __init__(self) -> None:
        super().__init__("This envelope does not open with this key at this address.")


class EnvelopeKind(StrEnum):
    """The two envelopes of a bid. A price stays closed until quality is locked."""

    QUALITY = "quality"
    PRICE = "price"


_KIND_BYTES = {EnvelopeKind.QUALITY: b"\x01", EnvelopeKind.PRICE: b"\x02"}


class Address(Struct, frozen=True, kw_only=True):
    """Where an envelope belongs. It opens there and nowhere else.

    `version` counts a supplier's bids for the lot from 1. Raises ValueError if it is not within
    1 .. 2^63 - 1.
    """

    tender: UUID
    lot: UUID
    supplier: UUID
    envelope: EnvelopeKind
    version: int

    def __post_init__(self) -> None:
        if not 1 <= self.version <= _HIGHEST_VERSION:
            raise ValueError("The version of an envelope must be between 1 and 2^63 - 1.")

    def info(self) -> bytes:
        """Encode the address as the HPKE `info` (RFC 9180, section 5.1). No two share an encoding.

        The domain string, a zero byte, then fixed widths: tender, lot, supplier (16 bytes each, in
        network order), envelope (1 byte: 1 quality, 2 price), version (8 bytes, big-endian).
        """
        return b"".join(
            (
                _DOMAIN,
                b"\x00",
                self.tender.bytes,
                self.lot.bytes,
                self.supplier.bytes,
                _KIND_BYTES[self.envelope],
                self.version.to_bytes(8),
            )
        )


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


def seal(public: bytes, address: Address, content: bytes) -> bytes:
    """Seal content to a public key, bound to its address; never alike twice.

    Layout: format (1 byte, 0x01), the HPKE encapsulated key (1,120 bytes), AES-256-GCM ciphertext
    and tag of the padded content. Raises ValueError if the public key is malformed.
    """
    try:
        recipient = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
        )
        return _FORMAT + _SUITE.encrypt(_pad(content), recipient, info=address.info())
    except ValueError as error:
        raise ValueError(
            "A public sealing key is an ML-KEM-768 key of 1,184 bytes, then an X25519 key of 32."
        ) from error


def unseal(private: bytes, address: Address, sealed: bytes) -> bytes:
    """Open what `seal` made for this key pair and address. Raises CannotOpen for anything else."""
    if sealed[:1] != _FORMAT:
        raise CannotOpen
    try:
        recipient = hpke.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED_BYTES:]),
        )
        padded = _SUITE.decrypt(sealed[1:], recipient, info=address.info())
    except (InvalidTag, ValueError):
        raise CannotOpen from None
    return _unpad(padded)


def sealed_length(content_length: int) -> int:
    """Return the size in bytes of an envelope with so many bytes of content."""
    return (
        len(_FORMAT)
        + _ENCAPSULATED_BYTES
        + _padded_length(_LENGTH_BYTES + content_length)
        + _TAG_BYTES
    )


def _padded_length(length: int) -> int:
    """Round up to a size class: 4,096 bytes at least, then Padmé.

    Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
    PURBs", PoPETs 2019(4), section 4) keeps only as many leading bits of the length as its
    exponent has digits: the length tells O(log log n) bits instead of log n. Above the smallest
    class that costs under 6.3 % more bytes, and less the longer the content.
    """
    if length <= _SMALLEST_CLASS:
        return _SMALLEST_CLASS
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def _pad(content: bytes) -> bytes:
    """Prefix the length (8 bytes, big-endian) and fill up with zero bytes."""
    prefixed = len(content).to_bytes(_LENGTH_BYTES) + content
    return prefixed.ljust(_padded_length(len(prefixed)), b"\x00")


def _unpad(padded: bytes) -> bytes:
    """Take the padding off, and accept only what `_pad` would have made: one form per content.

    The public key is public, so anybody can seal a badly padded envelope; it is refused like any
    other.
    """
    content = padded[_LENGTH_BYTES:][: int.from_bytes(padded[:_LENGTH_BYTES])]
    if _pad(content) != padded:
        raise CannotOpen
    return content
