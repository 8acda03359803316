"""Refusals about keys that officers keep."""

from market.errors import Malformed, MarketError, WrongStage, keeps


@keeps("officer_key_once", "officer_keys_bounded", "officer_key_length")
class OfficerKeyRefused(Malformed):
    """A public key of an officer is malformed, registered already, or one too many."""

    title = "This public key cannot be registered."


@keeps("three_officers", "share_made_at_publication", "share_for_two_openers", "officer_share_once")
class OfficersNeeded(MarketError):
    """Officers keep keys where at least three openers have registered one each."""

    title = (
        "At least three openers who took up their duty and registered an officer's key must keep"
        " the keys of this tender, and at most seven."
    )


class NotWithOfficers(WrongStage):
    """The tender's keys are not kept by officers, or there are none yet."""

    title = "No officers keep the keys of this tender."


@keeps("passed_share_once")
class SharePassed(MarketError):
    """A share is passed on once."""

    title = "This share has been passed on already."


class ShareUnknown(Malformed):
    """What was passed on is no share of this officer's that is due."""

    title = "The shares have faults. Each is listed with its place."


@keeps("key_released_when_due")
class KeysNotDue(WrongStage):
    """A key was to be released of an envelope that may not be opened now, or is released."""

    title = "These keys may not be released now: their envelopes are not due, or are released."


@keeps("key_released_by_two")
class AnotherOfficerNeeded(MarketError):
    """Two officers release a key, and the first has not passed on their share."""

    title = "Another officer has to pass on their share first."


class ContentKeysFaulty(Malformed):
    """A content key was given that does not belong to its envelope."""

    title = "The content keys have faults. Each is listed with its place."


@keeps("released_key_once", "released_key_one_key")
class KeyReleased(MarketError):
    """The key of the envelope was released meanwhile, or given up by the same person before."""

    title = "The key of this envelope has been released already."


@keeps("canary_opened")
class CanaryWrong(Malformed):
    """What the officers read is not what their canary says: a share or a key is not as it was."""

    title = "This is not what the canary says: the officers' keys or shares are damaged."


class KeysAwaited(WrongStage):
    """Officers keep the keys of these envelopes, and two of them have not released them yet."""

    title = (
        "The officers have not released the keys of these envelopes. Two openers say `market"
        " officer release`; then resume the opening, or open the prices again."
    )
