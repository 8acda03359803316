"""Refusals about the log."""

from market.errors import MarketError, NotFound, keeps


class NotSignedYet(MarketError):
    """The event has no checkpoint over it yet: it is at most a minute before it has one."""

    title = "No checkpoint covers this yet. Ask again in a minute."
    retry_after = 60


class NoCheckpoint(NotFound):
    """The log has no checkpoint of that size, or none at all yet."""

    title = "The log has no such checkpoint."


@keeps("checkpoint_of_whole_log")
class CheckpointOutOfPlace(MarketError):
    """A checkpoint was to be signed of a log that is not hashed that far, or behind the last."""

    title = "A checkpoint is of a log that is hashed up to its size, and larger than the last."


@keeps("checkpoint_of_present_origin")
class FormerOrigin(MarketError):
    """A checkpoint was to be signed under an origin that the log had before a restart."""

    title = "The log goes on under another origin: it is not signed under a former one."


@keeps("restart_under_new_origin")
class OriginUsed(MarketError):
    """A log was to be restarted under an origin that it had before."""

    title = "A restarted log has an origin it never had."
