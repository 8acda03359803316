"""What the market holds in trust while it runs: envelope keys, its signature, who it is."""

from typing import Any

import msgspec

from market.sealing import Custodian
from market.signing import SignedStatement, SigningKey


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once at start from the settings; nothing in it is ever shown or stored."""

    custodian: Custodian
    signing_key: SigningKey
    retired_signing_keys: tuple[SigningKey, ...] = ()
    """Those that signed before, the latest first: they sign nothing, but secrets hang on them."""
    sandbox: bool
    name: str
    key_pepper: bytes | None = None

    def __repr__(self) -> str:
        """Say that there is a vault, and nothing of what is in it."""
        return f"Vault({self.name!r})"

    def pepper(self) -> bytes:
        """What the stored codes of API keys are made with; of the signing key unless it is set."""
        return self.key_pepper or self.derive_secret(b"api-key-pepper")

    def derive_secret(self, purpose: bytes) -> bytes:
        """Derive 32 secret bytes for one purpose, of the first signing key the market had.

        So the log's key, the salts of receipts and the codes of API keys outlive a rotation of what
        signs. A first key that leaked takes them with it.
        """
        first = (self.signing_key, *self.retired_signing_keys)[-1]
        return first.derive_secret(purpose)

    def has_signed_with(self, key_id: str) -> bool:
        """Whether a signing key is or was this market's, and is still in the vault."""
        return any(key.key_id == key_id for key in (self.signing_key, *self.retired_signing_keys))

    def sign(self, statement: Any) -> SignedStatement:
        """Sign in the market's name; in a sandbox the signature says so."""
        return self.signing_key.sign(statement, sandbox=self.sandbox)
