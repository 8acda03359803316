"""Pure rules about attempts: what an answer means, when to try again, when to give up."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

MOST_DEAD_IN_A_ROW: Final = 10
"""After so many dead deliveries, one after another, a subscription pauses itself."""
VERIFICATION_ATTEMPTS: Final = 5
"""How often a receiver is asked for one challenge."""
_SPREAD: Final = 0.2
"""By how much of itself a wait is shorter or longer, so that not all try in one moment."""
_PARTS: Final = 6
"""A single wait is at most this part of the whole span: of three days, half a day."""
_GONE: Final = 410
_LONGEST_HEADER: Final = 100


class Verdict(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"


class DeliveryOutcome(StrEnum):
    """How a delivery ended: `withdrawn` is an event its subscription is not shown any more."""

    DELIVERED = "delivered"
    DEAD = "dead"
    GONE = "gone"
    WITHDRAWN = "withdrawn"


def verdict_of(status: int) -> Verdict:
    """What a status says: any 2xx is success, 410 that the receiver wants no more of it."""
    if 200 <= status < 300:  # noqa: PLR2004  # success, RFC 9110 section 15.3
        return Verdict.DELIVERED
    return Verdict.GONE if status == _GONE else Verdict.FAILED


def words_of(status: int) -> str:
    """Why a status is no success, in words."""
    if 300 <= status < 400:  # noqa: PLR2004  # redirection, RFC 9110 section 15.4
        return f"It answered {status}: redirects are not followed. Make a webhook for the new URL."
    if status == _GONE:
        return "It answered 410: it wants nothing more, so the webhook ends."
    return f"It answered {status}."


def waits(first: float, span: float) -> tuple[float, ...]:
    """The waits between attempts, in seconds: each twice the one before, together at most `span`.

    No wait is longer than a sixth of the span (or than the first, where that is more). There is at
    least one as long as `first` is at most `span`.
    """
    longest = max(first, span / _PARTS)
    found: list[float] = []
    wait, left = first, span
    while wait <= left:
        found.append(wait)
        left -= wait
        wait = min(2 * wait, longest)
    return tuple(found)


def wait_before_next(
    made: int, nominal: tuple[float, ...], chance: float, asked: float | None = None
) -> float | None:
    """How many seconds to wait after so many attempts; None when it was the last one.

    `chance` is from 0 to 1 and spreads the wait by a fifth to either side. `asked` is what the
    receiver asked for: it makes a wait longer, up to the longest of all, and never shorter.
    """
    if not 1 <= made <= len(nominal):
        return None
    own = nominal[made - 1] * (1 - _SPREAD + 2 * _SPREAD * chance)
    return own if asked is None else max(own, min(asked, nominal[-1]))


def asked_to_wait(header: str | None, now: datetime) -> float | None:
    """How many seconds a Retry-After asks for (RFC 9110, section 10.2.3); None if it says nothing.

    Seconds or a date; a date in the past asks for nothing.
    """
    text = (header or "").strip()
    if not text or len(text) > _LONGEST_HEADER or not text.isascii():
        return None
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - now).total_seconds(), 0.0)
