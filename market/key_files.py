"""The market's own keys as text: in settings, and in closed files beside the embedded database."""

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from market.sealing import KEY_ENCRYPTION_KEY_BYTES
from market.settings import BadSettings, Settings, decode_secret
from market.signing import SigningKey

SEED_BYTES = 32
ENCRYPTION, SIGNING = "key-encryption-keys", "signing-key"
"""The names of the files."""


def encryption_keys(text: str) -> list[tuple[str, bytes]]:
    """Read `id:base64,id:base64`; the first is the current one.

    Raises:
        BadSettings: a key of the wrong form; it is never repeated.
    """
    name = "MARKET_KEY_ENCRYPTION_KEYS"
    keys: list[tuple[str, bytes]] = []
    for item in text.split(","):
        key_id, colon, encoded = item.strip().partition(":")
        if not (colon and key_id.isascii() and key_id.isprintable() and 1 <= len(key_id) <= 50):  # noqa: PLR2004  # the custodian takes 255
            message = f"{name} must have the form id:base64,id:base64; the first is the current."
            raise BadSettings(message)
        keys.append((key_id, decode_secret(name, encoded, KEY_ENCRYPTION_KEY_BYTES)))
    if len({key_id for key_id, _ in keys}) != len(keys):
        message = f"{name} gives two keys the same id."
        raise BadSettings(message)
    return keys


def signing_keys(text: str) -> list[SigningKey]:
    """Read `base64,base64`: the seed that signs, and then those that did, the latest first.

    Raises:
        BadSettings: a seed of the wrong form; it is never repeated.
    """
    name = "MARKET_SIGNING_KEY"
    keys = [
        SigningKey.from_seed(decode_secret(name, item.strip(), SEED_BYTES))
        for item in text.split(",")
    ]
    if len({key.key_id for key in keys}) != len(keys):
        message = f"{name} gives the same key twice."
        raise BadSettings(message)
    return keys


def keys_folder(settings: Settings) -> Path:
    """Where the keys are kept that no setting gives."""
    return settings.folder / "keys"


def kept_keys(settings: Settings, folder: Path) -> tuple[str | None, str | None]:
    """Give the keys kept beside the embedded database, made at its first start unless given."""
    encryption = signing = None
    if settings.key_encryption_keys is None:
        encryption = kept_secret(
            folder / ENCRYPTION,
            lambda: f"first:{random_base64(KEY_ENCRYPTION_KEY_BYTES)}",
        )
    if settings.signing_key is None:
        signing = kept_secret(folder / SIGNING, lambda: random_base64(SEED_BYTES))
    return encryption, signing


def texts_of_keys(settings: Settings) -> tuple[str, str]:
    """Give the key-encryption keys and the signing keys as text, from where they are.

    Raises:
        BadSettings: some are missing.
    """
    encryption, signing = settings.key_encryption_keys, settings.signing_key
    if settings.embedded:
        kept_encryption, kept_signing = kept_keys(settings, keys_folder(settings))
        encryption, signing = encryption or kept_encryption, signing or kept_signing
    if encryption is None or signing is None:
        message = (
            "MARKET_KEY_ENCRYPTION_KEYS and MARKET_SIGNING_KEY must be set when"
            " MARKET_DATABASE_URL is."
        )
        raise BadSettings(message)
    return encryption, signing


def random_base64(length: int) -> str:
    """Make so many random bytes, as settings write them."""
    return base64.b64encode(secrets.token_bytes(length)).decode("ascii")


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read a secret from its file, made once: closed to others, on disk before it is used.

    Two processes that start at once agree: the file appears whole under its name, and only once.
    """
    if not path.exists():
        unfinished = _written(path, make())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)  # unlike a rename it never replaces another's
        unfinished.unlink()
        _sync_folder(path.parent)
    return path.read_text(encoding="ascii").strip()


def replace_secret(path: Path, text: str) -> None:
    """Put another secret in the place of one, whole or not at all, closed to others."""
    _written(path, text).replace(path)
    _sync_folder(path.parent)


def _written(path: Path, text: str) -> Path:
    """Write a secret beside where it will be, closed to others and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(6)}.tmp")
    write_closed(unfinished, f"{text}\n".encode("ascii"))
    return unfinished


def write_closed(path: Path, content: bytes) -> None:
    """Write a new file that only its owner reads, and see that it is on disk.

    Raises:
        FileExistsError: there is one; it is left as it is.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
