"""Parts of a document: sealed one by one under the document's own key, opened in their order.

The format, so that others can seal before sending (all numbers big-endian):

    document key   32 random bytes, for this document alone
    part           nonce (12 random bytes), then AES-256-GCM under the document key of the part's
                   bytes; associated data "commissioning-support-market/document-part/v1", a zero
                   byte, the document's id (16 bytes), the part's number from 0 (8 bytes)
    sealed stream  of a document that its supplier sealed: its parts one after another, each of
                   1,048,576 bytes before sealing, but the last, which may be shorter and not empty
    sealed key     an envelope (see market.sealing.envelopes) to the lot's public key whose content
                   is the document key, then the size of the document in bytes (8), the number of
                   its parts (8) and its SHA-256 (32); its address is `DocumentAddress`

Size, number and digest are sealed with the key, so that neither parts nor their end can be left
out, and no part of another document put in.
"""

import secrets
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from market.sealing import Address

_DOMAIN: Final = b"commissioning-support-market/document-part/v1"
_KEY_DOMAIN: Final = b"commissioning-support-market/document-key/v1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_NUMBER_BYTES: Final = 8

KEY_BYTES: Final = 32
PART_BYTES: Final = 1024 * 1024
"""The most of a document that is held in memory at a time, and that one stored object holds."""
OVERHEAD_BYTES: Final = _NONCE_BYTES + _TAG_BYTES
"""How much longer a sealed part is."""


class CannotOpenPart(Exception):
    """A part was not sealed under this key as this part of this document, or was changed."""


class DocumentAddress(Address, frozen=True, kw_only=True):
    """Where a document's key belongs: it opens there and nowhere else.

    A document is uploaded once and may be listed by several versions of a bid, so its key is bound
    to its id and to no version.
    """

    document: UUID
    version: int = 1

    def info(self) -> bytes:
        """Encode the address as the HPKE `info`. No two share an encoding, nor one with a bid's.

        The domain string, a zero byte, then tender, lot, supplier and document (16 bytes each, in
        network order) and the name of the envelope.
        """
        return b"".join(
            (
                _KEY_DOMAIN,
                b"\x00",
                self.tender.bytes,
                self.lot.bytes,
                self.supplier.bytes,
                self.document.bytes,
                self.envelope.value.encode("ascii"),
            )
        )


class DocumentKey(Struct, frozen=True, kw_only=True):
    """What opens a document, and what it must be once opened."""

    key: bytes
    size: int
    parts: int
    sha256: bytes

    def __repr__(self) -> str:
        """Say how large the document is, and nothing of its key."""
        return f"DocumentKey(size={self.size}, key=hidden)"

    def encoded(self) -> bytes:
        """Write it as the content of a sealed key."""
        size, parts = self.size.to_bytes(_NUMBER_BYTES), self.parts.to_bytes(_NUMBER_BYTES)
        return self.key + size + parts + self.sha256


def decode_key(content: bytes) -> DocumentKey:
    """Read what `DocumentKey.encoded` wrote. Raises ValueError if it is of another length."""
    if len(content) != KEY_BYTES + 2 * _NUMBER_BYTES + _DIGEST_BYTES:
        raise ValueError("A document's key is 80 bytes: key, size, number of parts, digest.")
    end_of_size = KEY_BYTES + _NUMBER_BYTES
    end_of_parts = end_of_size + _NUMBER_BYTES
    return DocumentKey(
        key=content[:KEY_BYTES],
        size=int.from_bytes(content[KEY_BYTES:end_of_size]),
        parts=int.from_bytes(content[end_of_size:end_of_parts]),
        sha256=content[end_of_parts:],
    )


def new_document_key() -> bytes:
    """Draw a fresh document key from the operating system's random numbers."""
    return secrets.token_bytes(KEY_BYTES)


def seal_part(key: bytes, document: UUID, number: int, plain: bytes) -> bytes:
    """Seal one part. Nonces are random: 2^32 parts under one key are safe (NIST SP 800-38D)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, _associated(document, number))


def open_part(key: bytes, document: UUID, number: int, sealed: bytes) -> bytes:
    """Open one part. Raises CannotOpenPart for anything but what `seal_part` made of it."""
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _associated(document, number))
    except (InvalidTag, ValueError):
        raise CannotOpenPart from None


async def recut(chunks: AsyncIterator[bytes], length: int) -> AsyncIterator[bytes]:
    """Cut a stream anew: pieces of exactly so many bytes, and the rest, if any, last."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        while len(gathered) >= length:
            yield bytes(gathered[:length])
            del gathered[:length]
    if gathered:
        yield bytes(gathered)


async def opened_stream(
    key: bytes, document: UUID, sealed: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Open a document whose parts come sealed, one by one in their order.

    Raises:
        CannotOpenPart: one does not open; what was given before it is genuine.
    """
    number = 0
    async for part in sealed:
        yield open_part(key, document, number, part)
        number += 1


def _associated(document: UUID, number: int) -> bytes:
    return b"".join((_DOMAIN, b"\x00", document.bytes, number.to_bytes(_NUMBER_BYTES)))
