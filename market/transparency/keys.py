"""The key and the name that the log's checkpoints are signed with."""

from market.transparency.rules.notes import CheckpointKey, origin_of
from market.vault import Vault

_PURPOSE = b"checkpoints"


def checkpoint_key(vault: Vault, number: int = 1) -> CheckpointKey:
    """The key of this market's log, derived from its signing key, by the name of one origin.

    A key of its own, so that no signature of one kind is ever taken for another.
    """
    origin = origin_of(vault.name, sandbox=vault.sandbox, number=number)
    return CheckpointKey.from_seed(origin, vault.derive_secret(_PURPOSE))
