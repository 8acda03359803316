"""Every state of a tender of the access matrix, as data, in the order in which they are reached."""

from typing import Final

import msgspec


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tender stands: its own stage, its lot's, and what has happened on the way.

    `after` is the moment it follows. The tender "none" is not there at all. Two stages of a lot
    stand here that are not stored: in its standstill, and past it.
    """

    name: str
    tender: str
    after: str | None = None
    lot: str = ""
    published: bool = False
    closed: bool = False
    declared: bool = False
    opened: bool = False


def _evaluated(name: str, after: str, lot: str) -> Moment:
    return Moment(
        name=name,
        tender="opened",
        after=after,
        lot=lot,
        published=True,
        closed=True,
        declared=True,
        opened=True,
    )


MOMENTS: Final = (
    Moment(name="none", tender="none", after="draft"),
    Moment(name="draft", tender="draft"),
    Moment(name="in review", tender="in_review", after="draft"),
    Moment(name="approved", tender="approved", after="in review"),
    Moment(name="published", tender="published", after="approved", lot="bidding", published=True),
    Moment(
        name="closed",
        tender="published",
        after="published",
        lot="bidding",
        published=True,
        closed=True,
    ),
    Moment(
        name="declared",
        tender="published",
        after="closed",
        lot="bidding",
        published=True,
        closed=True,
        declared=True,
    ),
    Moment(
        name="confirmed",
        tender="published",
        after="declared",
        lot="bidding",
        published=True,
        closed=True,
        declared=True,
    ),
    _evaluated("opened", "confirmed", "quality_scoring"),
    _evaluated("all scores locked", "opened", "quality_scoring"),
    _evaluated("moderated", "all scores locked", "quality_scoring"),
    _evaluated("quality locked", "moderated", "quality_locked"),
    _evaluated("prices opened", "quality locked", "price_opened"),
    _evaluated("ranked", "prices opened", "ranked"),
    _evaluated("recommended", "ranked", "recommended"),
    _evaluated("awarded", "recommended", "awarded"),
    _evaluated("notified", "awarded", "standstill"),
    _evaluated("standstill over", "notified", "standstill_over"),
    _evaluated("contracted", "standstill over", "contracted"),
    Moment(name="abandoned as a draft", tender="abandoned", after="draft"),
    Moment(
        name="abandoned while bids came in",
        tender="abandoned",
        after="published",
        lot="abandoned",
        published=True,
    ),
    Moment(
        name="abandoned after the opening",
        tender="abandoned",
        after="opened",
        lot="abandoned",
        published=True,
        closed=True,
        declared=True,
        opened=True,
    ),
)
