"""When a digest goes, when a failed attempt is repeated, and when it is too late."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
OLDEST: Final = timedelta(days=1)
"""What happened longer ago, by the real clock, is not mailed for the first time any more."""
GIVEN_UP: Final = timedelta(days=2)
"""How long a mail is tried, from when it was first to be sent."""
MOST_ATTEMPTS: Final = 8
"""How often a kind that fails is tried at one event, or at one letter."""
_FIRST_PAUSE: Final = 60.0
_LONGEST_PAUSE: Final = 30 * 60.0


def next_digest(now: datetime, hour: int) -> datetime:
    """The next instant, after now, at which clocks in London show this full hour.

    Where they skip it (the last Sunday of March, one o'clock) it is the hour after; where they
    show it twice (the last Sunday of October) it is the first time.
    """
    today = now.astimezone(LONDON).date()
    for days in range(3):
        day = today + timedelta(days=days)
        at = datetime(day.year, day.month, day.day, hour, tzinfo=LONDON).astimezone(UTC)
        if at > now:
            return at
    message = "No day follows this one."
    raise ValueError(message)


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts: doubling from a minute to half an hour.

    `jitter`, from 0 to 1, makes it anything from half to one and a half of that, so that what
    failed together does not come back together.
    """
    seconds = min(_FIRST_PAUSE * 2.0 ** min(max(attempts, 1) - 1, 20), _LONGEST_PAUSE)
    return timedelta(seconds=seconds * (0.5 + jitter))


def first_due(made_at: datetime, digest_at: datetime | None) -> datetime:
    """When a notice was to go out, had nothing been in the way."""
    return made_at if digest_at is None else digest_at
