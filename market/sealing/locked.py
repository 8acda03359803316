"""Files locked by a passphrase: scrypt and AES-256-GCM, with what is said openly bound in."""

import base64
import binascii
import secrets
from typing import Annotated

import msgspec
import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta, Struct

_KEY_BYTES = 32
_SALT_BYTES = 32
_NONCE_BYTES = 12

SHORTEST_PASSPHRASE = 16
"""Characters. scrypt makes each guess dear; the number of guesses is the passphrase's to make."""

MOST_BYTES = 1024 * 1024
"""Of a locked file: keys are small, and a larger file is not one."""


class CannotUnlock(ValueError):
    """The passphrase is wrong, or the file is damaged or of another kind: the message says which.

    A wrong passphrase and a changed file cannot be told apart.
    """


class PassphraseTooShort(ValueError):
    """A passphrase is shorter than may protect a key."""

    def __init__(self) -> None:
        super().__init__(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")


class Hardness(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of scrypt (RFC 7914). The default takes 128 MiB and about half a second.

    Bounded, so that a file cannot ask for a machine's whole memory.
    """

    n: Annotated[int, Meta(ge=2**14, le=2**20)] = 2**17
    r: Annotated[int, Meta(ge=8, le=16)] = 8
    p: Annotated[int, Meta(ge=1, le=4)] = 1


USUAL = Hardness()
"""How hard new files are made."""


class Locked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A locked file, as JSON. Everything but `sealed` is readable, and bound to what is sealed."""

    format: Annotated[str, Meta(max_length=200)]
    about: Annotated[str, Meta(max_length=1000)]
    hardness: Hardness
    salt: str
    nonce: str
    sealed: str


def lock(
    passphrase: str, plain: bytes, *, kind: str, about: str, hardness: Hardness | None = None
) -> bytes:
    """Lock bytes by a passphrase; `kind` names the format, `about` is for whoever finds the file.

    The key is scrypt of the passphrase (UTF-8) with a salt of 32 random bytes; the sealed part is
    AES-256-GCM with a random nonce, and its associated data the RFC 8785 canonical JSON of the
    other members. Raises PassphraseTooShort.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise PassphraseTooShort
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    opened = Locked(
        format=kind,
        about=about,
        hardness=hardness or USUAL,
        salt=_text(salt),
        nonce=_text(nonce),
        sealed="",
    )
    key = _key(passphrase, opened.hardness, salt)
    sealed = AESGCM(key).encrypt(nonce, plain, _associated(opened))
    made = msgspec.structs.replace(opened, sealed=_text(sealed))
    return msgspec.json.format(msgspec.json.encode(made)) + b"\n"


def read_locked(content: bytes, *, kind: str) -> Locked:
    """Read what a locked file says openly. Raises CannotUnlock if it is none of this kind."""
    if len(content) > MOST_BYTES:
        raise CannotUnlock("The file is too large to hold keys.")
    try:
        read = msgspec.json.decode(content, type=Locked)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CannotUnlock("This is not a locked file of the market.") from None
    if read.format != kind:
        raise CannotUnlock(f"The file is of another kind: {read.format}, not {kind}.")
    return read


def unlock(passphrase: str, content: bytes, *, kind: str) -> bytes:
    """Open a locked file of one kind. Raises CannotUnlock."""
    read = read_locked(content, kind=kind)
    try:
        salt, nonce, sealed = (
            base64.b64decode(text, validate=True) for text in (read.salt, read.nonce, read.sealed)
        )
        key = _key(passphrase, read.hardness, salt)
        return AESGCM(key).decrypt(nonce, sealed, _associated(read))
    except (InvalidTag, ValueError, binascii.Error):
        raise CannotUnlock("The passphrase is wrong, or the file was changed.") from None


def _key(passphrase: str, hardness: Hardness, salt: bytes) -> bytes:
    derivation = Scrypt(salt=salt, length=_KEY_BYTES, n=hardness.n, r=hardness.r, p=hardness.p)
    return derivation.derive(passphrase.encode("utf-8", "surrogateescape"))


def _associated(locked: Locked) -> bytes:
    members = msgspec.to_builtins(locked)
    del members["sealed"]
    return rfc8785.dumps(members)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
