"""The backup of the market's keys: everything without which bids do not open or receipts verify."""

from typing import Final

import msgspec

from market.sealing import CannotUnlock, Hardness, lock, unlock

KIND: Final = "commissioning-support-market/keys/v1"


class KeyBackup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in a backup, as the settings write it. The log's key is derived from these."""

    market: str
    key_encryption_keys: str
    signing_key: str
    key_pepper: str | None = None

    def __repr__(self) -> str:
        """Say whose it is, and nothing of what is in it."""
        return f"KeyBackup({self.market!r})"

    def variables(self) -> dict[str, str]:
        """The environment variables that give a market these keys."""
        given = {
            "MARKET_KEY_ENCRYPTION_KEYS": self.key_encryption_keys,
            "MARKET_SIGNING_KEY": self.signing_key,
        }
        return given if self.key_pepper is None else {**given, "MARKET_KEY_PEPPER": self.key_pepper}


def locked_backup(
    backup: KeyBackup, passphrase: str, *, made_at: str, hardness: Hardness | None = None
) -> bytes:
    """Lock a backup by a passphrase. Raises PassphraseTooShort."""
    return lock(
        passphrase,
        msgspec.json.encode(backup),
        kind=KIND,
        about=f"The keys of {backup.market}, {made_at}. market keys restore FILE",
        hardness=hardness,
    )


def opened_backup(content: bytes, passphrase: str) -> KeyBackup:
    """Open a backup. Raises CannotUnlock: another passphrase, or no whole backup."""
    try:
        return msgspec.json.decode(unlock(passphrase, content, kind=KIND), type=KeyBackup)
    except msgspec.DecodeError:
        raise CannotUnlock("The backup holds something else than keys.") from None
