"""How often anybody may ask, counted in this process over the last minute."""

import math
import threading
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from market.actor import Actor
from market.errors import TooManyRequests
from market.settings import Settings

_CLEARED_EVERY = 1.0


class _Counts(MemoryStorage):
    """Counts in this process's memory, of which what is over is cleared away once a second.

    The library clears a hundred times a second while anything is counted, in a new thread each
    time: as much work as answering some requests.
    """

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  # the library's own name
        if not self.timer.is_alive():
            self.timer = threading.Timer(_CLEARED_EVERY, self._MemoryStorage__expire_events)  # type: ignore[attr-defined]  # the library's own name
            self.timer.daemon = True
            self.timer.start()


class Limits:
    """The limits of one process: by person, credential, address and tender, and for what costs."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits from the settings; nothing is counted yet."""
        self._limiter = MovingWindowRateLimiter(_Counts())
        self._requests = RateLimitItemPerMinute(settings.requests_per_minute)
        self._credential = RateLimitItemPerMinute(settings.credential_requests_per_minute)
        self._tender = RateLimitItemPerMinute(settings.tender_requests_per_minute)
        self._costly = RateLimitItemPerMinute(settings.sign_ins_per_minute)
        self._once = RateLimitItemPerMinute(1)

    def ensure_address_may_try(self, address: str) -> None:
        """Look at nothing more from where too many tokens did not work, before the next is tried.

        Raises:
            TooManyRequests: the address sent as many wrong tokens as somebody may send requests.
        """
        if not self._limiter.test(self._requests, "wrong", address):
            raise self._refusal(self._requests, "wrong", address)

    def count_wrong(self, address: str) -> None:
        """Count a token that did not work against where it came from."""
        self._limiter.hit(self._requests, "wrong", address)

    def spend_request(self, actor: Actor | None, address: str) -> None:
        """Count a request by whose it is: the credential and its maker, the person, or the address.

        Raises:
            TooManyRequests: one of them has none left in this minute.
        """
        if actor is None:
            self._spend(self._requests, "address", address)
            return
        if actor.credential is not None:
            self._spend(self._credential, "credential", str(actor.credential))
        self._spend(self._requests, "person", str(actor.person))

    def spend_costly(self, address: str) -> None:
        """Count what costs much, such as a password's hash, by where it comes from.

        Raises:
            TooManyRequests: the address has none left in this minute.
        """
        self._spend(self._costly, "costly", address)

    def spend_on_tender(self, tender: str) -> None:
        """Count a request about one tender, whoever asks.

        Raises:
            TooManyRequests: there is none left in this minute.
        """
        self._spend(self._tender, "tender", tender)

    def first_this_minute(self, purpose: str, credential: str) -> bool:
        """Say whether this is the first of its kind in a minute."""
        return self._limiter.hit(self._once, purpose, credential)

    def _spend(self, limit: RateLimitItem, kind: str, key: str) -> None:
        if not self._limiter.hit(limit, kind, key):
            raise self._refusal(limit, kind, key)

    def _refusal(self, limit: RateLimitItem, kind: str, key: str) -> TooManyRequests:
        """The refusal that says when the window has room again."""
        reset = self._limiter.get_window_stats(limit, kind, key).reset_time
        return TooManyRequests(retry_after=max(1, math.ceil(reset - time.time())))
