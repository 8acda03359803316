"""What an address for unsubscribing carries: whose it is and from what, signed.

It works without a session and does not expire: mails are kept, and leaving must stay easy. It lets
nobody do anything but switch one person's notices of one kind off.
"""

import base64
import binascii
import hashlib
import hmac
import re
from uuid import UUID

import msgspec

PURPOSE = b"notices/unsubscribe"
"""What the secret is derived for."""
PATH = "/unsubscribe"
"""Where it leads, below the market's public address."""
LONGEST = 200
_CODE_BYTES = 32
_PERSON_BYTES = 16
_DOMAIN = b"commissioning-support-market/unsubscribe/v1\x00"
_NAME = re.compile(rb"[a-z]+(-[a-z]+)*")


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """Who leaves what: a kind by its name, or the digest."""

    person: UUID
    name: str


def _code(secret: bytes, person: bytes, name: bytes) -> bytes:
    return hmac.new(secret, _DOMAIN + person + name, hashlib.sha256).digest()


def leaving_token(secret: bytes, leaving: Leaving) -> str:
    """Make the token for an address."""
    person, name = leaving.person.bytes, leaving.name.encode("ascii")
    token = base64.urlsafe_b64encode(person + _code(secret, person, name) + name)
    return token.decode("ascii").rstrip("=")


def read_leaving(secret: bytes, token: str) -> Leaving | None:
    """Read a token back; None for one that the market did not make, whatever is wrong with it."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    person, name = raw[:_PERSON_BYTES], raw[_PERSON_BYTES + _CODE_BYTES :]
    if len(person) != _PERSON_BYTES or not _NAME.fullmatch(name):
        return None
    leaving = Leaving(person=UUID(bytes=person), name=name.decode("ascii"))
    # the whole of it, so that there is one way to write it
    right = hmac.compare_digest(token.encode("ascii"), leaving_token(secret, leaving).encode())
    return leaving if right else None
