"""Envelopes: the address each is bound to, the sealed format, padding to size classes.

The format, so that others can seal before sending (all numbers big-endian):

    content key   32 random bytes, for this envelope alone
    derived       HKDF-SHA-256 (RFC 5869) of the content key without salt, 64 bytes, with the info
                  "commissioning-support-market/content-key/v1", a zero byte, SHA-256 of the address
    head          0x01, then HPKE (RFC 9180) in base mode of the content key to the lot's public key
                  with the encoded address as `info`: encapsulated key (1,120 bytes), ciphertext
                  (32), tag (16); then the last 32 derived bytes, the check: 1,201 bytes in all
    body          AES-256-GCM under the first 32 derived bytes, nonce of 12 zero bytes (the key is
                  used once), associated data the head; of the length of the content (8 bytes), the
                  content, and zero bytes up to the size class (see `_padded_length`)
    envelope      head, body

An envelope opens with the lot's private key, or with its content key alone; the content key of one
opens no other. So a keeper can release single envelopes and keep the private key.

AES-GCM does not commit to its key: without more, one ciphertext could be made that opens to two
contents under two keys, and whoever released a key could choose. The check prevents that: to find a
second content key, or a second address, for the same envelope is to find a collision of SHA-256
(the bound derivation is collision-resistant). What is promised, then: one sealed envelope has one
content key, one address and one content, or it opens for nobody. The check tells nothing of the
content key, which is random.
"""

import hashlib
import hmac
import secrets
from enum import StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from market.sealing.hybrid import OVERHEAD_BYTES, CannotDecrypt, decrypt_with, encrypt_to

_DOMAIN = b"commissioning-support-market/seal/v1"
_CONTENT_KEY_DOMAIN = b"commissioning-support-market/content-key/v1"

# The first byte of a sealed envelope. A new format gets a new number; old ones stay readable.
_FORMAT = b"\x01"

CONTENT_KEY_BYTES = 32
_CHECK_BYTES = 32
_TAG_BYTES = 16
_ONCE = bytes(12)
"""The nonce of a key that encrypts one message."""

HEAD_BYTES = len(_FORMAT) + OVERHEAD_BYTES + CONTENT_KEY_BYTES + _CHECK_BYTES
"""How much of an envelope its content key can be found from."""

_LENGTH_BYTES = 8
# Below this, all contents look alike: a page of prices is not told from three.
_SMALLEST_CLASS = 4096

# A version must fit a PostgreSQL bigint, and so fits the eight bytes it gets in the address.
_HIGHEST_VERSION = 2**63 - 1
_HIGHEST_VARIANT = 255


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

    `version` counts the versions of a supplier's bid for the lot from 1; `variant` is 0 for its
    main bid, else the number of the variant. Raises ValueError if the version is not within
    1 .. 2^63 - 1, or the variant not within 0 .. 255.
    """

    tender: UUID
    lot: UUID
    supplier: UUID
    envelope: EnvelopeKind
    version: int
    variant: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.version <= _HIGHEST_VERSION:
            raise ValueError("The version of an envelope must be between 1 and 2^63 - 1.")
        if not 0 <= self.variant <= _HIGHEST_VARIANT:
            raise ValueError("The variant of an envelope must be between 0 and 255.")

    def info(self) -> bytes:
        """Encode the address as the HPKE `info` (RFC 9180, section 5.1). No two share an encoding.

        The domain string, a zero byte, then fixed widths: tender, lot, supplier (16 bytes each, in
        network order), envelope (1 byte: 1 quality, 2 price), variant (1 byte), version (8 bytes,
        big-endian).
        """
        return b"".join(
            (
                place_of(self.tender, self.lot),
                self.supplier.bytes,
                _KIND_BYTES[self.envelope],
                self.variant.to_bytes(1),
                self.version.to_bytes(8),
            )
        )


def place_of(tender: UUID, lot: UUID) -> bytes:
    """Return what the encoded addresses of all envelopes for a lot begin with."""
    return b"".join((_DOMAIN, b"\x00", tender.bytes, lot.bytes))


def seal(public: bytes, address: Address, content: bytes) -> bytes:
    """Seal content to a public key, bound to its address; never alike twice.

    The layout is the module's. Raises ValueError if the public key is malformed.
    """
    content_key = secrets.token_bytes(CONTENT_KEY_BYTES)
    key, check = _derived(content_key, address)
    head = _FORMAT + encrypt_to(public, content_key, address.info()) + check
    return head + AESGCM(key).encrypt(_ONCE, _pad(content), head)


def unseal(private: bytes, address: Address, sealed: bytes) -> bytes:
    """Open what `seal` made for this key pair and address. Raises CannotOpen for anything else."""
    return open_with_content_key(content_key_of(private, address, sealed), address, sealed)


def content_key_of(private: bytes, address: Address, sealed: bytes) -> bytes:
    """Find the content key of an envelope by its head; the body may be left out.

    Raises CannotOpen if the head was not made for this key pair and address.
    """
    head = sealed[:HEAD_BYTES]
    if len(head) < HEAD_BYTES or head[:1] != _FORMAT:
        raise CannotOpen
    try:
        content_key = decrypt_with(private, head[1:-_CHECK_BYTES], address.info())
    except CannotDecrypt:
        raise CannotOpen from None
    if not is_content_key(content_key, address, head):
        raise CannotOpen
    return content_key


def is_content_key(content_key: bytes, address: Address, sealed: bytes) -> bool:
    """Tell by its head whether an envelope was sealed under this content key, for this address.

    No envelope has two. That the body opens under it is told by opening alone.
    """
    head = sealed[:HEAD_BYTES]
    if len(head) < HEAD_BYTES or head[:1] != _FORMAT or len(content_key) != CONTENT_KEY_BYTES:
        return False
    return hmac.compare_digest(_derived(content_key, address)[1], head[-_CHECK_BYTES:])


def open_with_content_key(content_key: bytes, address: Address, sealed: bytes) -> bytes:
    """Open one envelope with its own content key. Raises CannotOpen, as `unseal` does."""
    if not is_content_key(content_key, address, sealed):
        raise CannotOpen
    head, body = sealed[:HEAD_BYTES], sealed[HEAD_BYTES:]
    try:
        padded = AESGCM(_derived(content_key, address)[0]).decrypt(_ONCE, body, head)
    except (InvalidTag, ValueError):
        raise CannotOpen from None
    return _unpad(padded)


def _derived(content_key: bytes, address: Address) -> tuple[bytes, bytes]:
    """Derive the key of the body and the check that commits to content key and address."""
    info = _CONTENT_KEY_DOMAIN + b"\x00" + hashlib.sha256(address.info()).digest()
    derived = HKDF(hashes.SHA256(), length=64, salt=None, info=info).derive(content_key)
    return derived[:32], derived[32:]


def sealed_length(content_length: int) -> int:
    """Return the size in bytes of an envelope with so many bytes of content."""
    return HEAD_BYTES + _padded_length(_LENGTH_BYTES + content_length) + _TAG_BYTES


def is_sealed(given: bytes) -> bool:
    """Tell whether bytes have the form of an envelope: its first byte and a length of its classes.

    More cannot be told without a key: whether it opens, and to what, is seen when it is opened.
    """
    padded = len(given) - HEAD_BYTES - _TAG_BYTES
    return given[:1] == _FORMAT and padded > 0 and _padded_length(padded) == padded


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
