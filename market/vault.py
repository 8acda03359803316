"""What the market holds in trust while it runs: envelope keys, its signature, who it is."""

from typing import Any

import msgspec

from market.sealing import Custodian
from market.signing import SignedStatement, SigningKey


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once at start from the settings; nothing in it is ever shown or stored."""

    custodian: Custodian
    signing_key: SigningKey
    sandbox: bool
    name: str
    key_pepper: bytes | None = None

    def __repr__(self) -> str:
        """Say that there is a vault, and nothing of what is in it."""
        return f"Vault({self.name!r})"

    def pepper(self) -> bytes:
        """What the stored codes of API keys are made with; of the signing key unless it is set."""
        return self.key_pepper or self.signing_key.derive_secret(b"api-key-pepper")

    def sign(self, statement: Any) -> SignedStatement:
        """Sign in the market's name; in a sandbox the signature says so."""
        return self.signing_key.sign(statement, sandbox=self.sandbox)
