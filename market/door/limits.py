"""How often anybody may ask, counted in this process over the last minute."""

import math
import time
from collections import deque

from market.actor import Actor
from market.errors import TooManyRequests
from market.settings import Settings

_MINUTE = 60.0


class _Window:
    """When what is limited was done within the last minute, by whose it is."""

    def __init__(self, most: int) -> None:
        """Allow so many a minute of each; nothing is counted yet."""
        self._most = most
        self._done: dict[str, deque[float]] = {}
        self._swept_at = time.monotonic()

    def hit(self, key: str) -> bool:
        """Count one more, or say that there is no room for it."""
        now = time.monotonic()
        done = self._done.get(key)
        if done is None:
            if now - self._swept_at > _MINUTE:
                self._sweep(now)
            done = self._done[key] = deque()
        while done and done[0] < now - _MINUTE:
            done.popleft()
        if len(done) >= self._most:
            return False
        done.append(now)
        return True

    def has_room(self, key: str) -> bool:
        """Say whether one more would be counted."""
        done = self._done.get(key)
        return done is None or len(done) < self._most or done[-self._most] < self._begin()

    def wait(self, key: str) -> int:
        """In how many whole seconds there is room again, when there is none now."""
        done = self._done.get(key)
        if not done:
            return 1
        return max(1, math.ceil(done[0] - self._begin()))

    def _begin(self) -> float:
        return time.monotonic() - _MINUTE

    def _sweep(self, now: float) -> None:
        """Forget whoever did nothing for a minute."""
        self._swept_at = now
        since = now - _MINUTE
        self._done = {key: done for key, done in self._done.items() if done and done[-1] >= since}


class Limits:
    """The limits of one process: by person, credential, address and tender, and for what costs."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits from the settings; nothing is counted yet."""
        self._wrong = _Window(settings.requests_per_minute)
        self._address = _Window(settings.requests_per_minute)
        self._person = _Window(settings.requests_per_minute)
        self._credential = _Window(settings.credential_requests_per_minute)
        self._tender = _Window(settings.tender_requests_per_minute)
        self._costly = _Window(settings.sign_ins_per_minute)
        self._once = _Window(1)

    def ensure_address_may_try(self, address: str) -> None:
        """Look at nothing more from where too many tokens did not work, before the next is tried.

        Raises:
            TooManyRequests: the address sent as many wrong tokens as somebody may send requests.
        """
        if not self._wrong.has_room(address):
            raise TooManyRequests(retry_after=self._wrong.wait(address))

    def count_wrong(self, address: str) -> None:
        """Count a token that did not work against where it came from."""
        self._wrong.hit(address)

    def spend_request(self, actor: Actor | None, address: str) -> None:
        """Count a request by whose it is: the credential and its maker, the person, or the address.

        Raises:
            TooManyRequests: one of them has none left in this minute.
        """
        if actor is None:
            _spend(self._address, address)
            return
        if actor.credential is not None:
            _spend(self._credential, str(actor.credential))
        _spend(self._person, str(actor.person))

    def spend_costly(self, address: str) -> None:
        """Count what costs much, such as a password's hash, by where it comes from.

        Raises:
            TooManyRequests: the address has none left in this minute.
        """
        _spend(self._costly, address)

    def spend_on_tender(self, tender: str) -> None:
        """Count a request about one tender, whoever asks.

        Raises:
            TooManyRequests: there is none left in this minute.
        """
        _spend(self._tender, tender)

    def first_this_minute(self, purpose: str, credential: str) -> bool:
        """Say whether this is the first of its kind in a minute."""
        return self._once.hit(f"{purpose}/{credential}")


def _spend(window: _Window, key: str) -> None:
    if not window.hit(key):
        raise TooManyRequests(retry_after=window.wait(key))
