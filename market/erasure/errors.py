"""Refusals of erasing somebody, named by their reason."""

from market.errors import Forbidden, MarketError, NotFound, keeps
from market.people.errors import ErasedForGood


@keeps("retention_runs")
class StillKept(MarketError):
    """What the person did must still be accounted for; the detail says until when."""

    status = 409
    title = "Records of this person must still be kept."


@keeps("legal_hold_runs")
class HeldByLaw(MarketError):
    """A legal hold is in force."""

    status = 409
    title = "A legal hold is in force: nothing is erased until it is released."


@keeps("hold_only_released")
class ReleasedAlready(MarketError):
    """A legal hold is released once."""

    status = 409
    title = "This legal hold was released before."


@keeps("erased_by_owner", "only_words_erased")
class NotErasable(Forbidden):
    """Only erase_person() erases, and only what it is for."""

    title = "Somebody is erased by the command of the operator alone."


class NobodySuch(NotFound):
    """No person has this id or address."""

    title = "There is no such person. Give the address they sign in with, or their id."


class NoSuchHold(NotFound):
    """No legal hold has this id."""

    title = "There is no such legal hold."


__all__ = [
    "ErasedForGood",
    "HeldByLaw",
    "NoSuchHold",
    "NobodySuch",
    "NotErasable",
    "ReleasedAlready",
    "StillKept",
]
