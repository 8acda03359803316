"""Refusals of the change feed."""

from market.errors import Busy, Malformed, TooManyRequests


class UnknownType(Malformed):
    """A type of events was asked for in a form that no event's type has."""

    title = "A type is an action, such as bid.submitted, or all of a kind: bid.* for one."


class WaitsElsewhere(TooManyRequests):
    """The person, credential or address waits for events in as many requests as it may at once."""

    title = "You wait for events in as many requests as you may at once. End one, or ask later."
    retry_after = 5


class NoRoomToWait(Busy):
    """As many requests wait for events as this process lets wait."""

    title = "Too many requests wait for events at present. Ask without wait, or again later."
    retry_after = 5
