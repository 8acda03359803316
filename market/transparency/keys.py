"""The keys and the names that the log's checkpoints are signed with."""

from market.transparency.rules.notes import CheckpointKey, origin_of
from market.transparency.rules.restarts import first_origin
from market.vault import Vault

_PURPOSE = b"checkpoints"


class ForeignOrigin(ValueError):
    """An origin is not one of this market's log."""


def checkpoint_key(vault: Vault, origin: str | None = None) -> CheckpointKey:
    """The key of this market's log, derived from its signing key.

    A key of its own, so that no signature of one kind is ever taken for another. `origin` is what
    the log is called since a restart (`restarting.present_origin`); without it, its first name.

    Raises:
        ForeignOrigin: the origin is not one that this market's log can have.
    """
    first = origin_of(vault.name, sandbox=vault.sandbox)
    if origin is not None and first_origin(origin) != first:
        message = f"{origin} is not this market's log, which is {first}."
        raise ForeignOrigin(message)
    return CheckpointKey.from_seed(origin or first, vault.derive_secret(_PURPOSE))
