"""Parts of a document: sealed one by one under the document's own key, opened in their order.

The format, so that others can seal before sending (all numbers big-endian):

    document key   32 random bytes, for this document alone
    part           nonce (12 random bytes), then AES-256-GCM under the document key of the part's
                   bytes; associated data "commissioning-support-market/document-part/v1", a zero
                   byte, the document's id (16 bytes), the part's number from 0 (8 bytes)
    sealed stream  of a document that its supplier sealed: its parts one after another, each of
                   1,048,576 bytes before sealing, but the last, which may be shorter and not empty

The document key travels in the envelope of the bid that lists the document, beside the content
(`"keys": {id: hexadecimal}`, see tenders.rules.envelopes): whatever opens the envelope opens its
documents, whoever keeps the lot's key. The content lists size and SHA-256 of the whole, so that no
end can be left out; number and id are authenticated with each part, so that none can be moved.
"""

import secrets
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_DOMAIN: Final = b"commissioning-support-market/document-part/v1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_NUMBER_BYTES: Final = 8

KEY_BYTES: Final = 32
PART_BYTES: Final = 1024 * 1024
"""The most of a document that is held in memory at a time, and that one stored object holds."""
OVERHEAD_BYTES: Final = _NONCE_BYTES + _TAG_BYTES
"""How much longer a sealed part is."""


class CannotOpenPart(Exception):
    """A part was not sealed under this key as this part of this document, or was changed."""


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
