"""Refusals about the market's own keys, named by their reason."""

from market.errors import MarketError, keeps


@keeps("wrapping_key_in_force")
class KeyOutOfUse(MarketError):
    """A process wrapped a secret under a key-encryption key that was put out of use meanwhile."""

    status = 503
    title = "The market's keys were changed, and this process has the old ones. Try again later."


@keeps("rewrapped_alone")
class RewrappedAlone(MarketError):
    """While keys are rewrapped something else of a row was to be changed."""

    title = "Whoever rewraps keys changes nothing else."


class KeyStillNeeded(MarketError):
    """A key-encryption key was to be dropped that wraps something, or is the current one."""

    title = "This key-encryption key is still needed."
