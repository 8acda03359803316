"""The lock-out as a rule: how often an account is tried, whoever tries and however cleverly."""

from hypothesis import given
from hypothesis import strategies as st

from market.people.rules.attempts import (
    ALLOWED,
    FORGOTTEN_AFTER,
    LONGEST_LOCK,
    AttemptKind,
    Tally,
    client_network,
    failures_after,
    lock_for,
)

WAITS = st.one_of(
    st.floats(0, 5), st.floats(0, 1000), st.sampled_from([29.9, 30, 60, 120, 899, 900, 901, 1800])
)


class _Account:
    """The rule played over time, with nothing but failures."""

    def __init__(self, kind: AttemptKind) -> None:
        self.kind = kind
        self.failures = 0
        self.counted_at = 0.0
        self.locked_until: float | None = None

    def try_at(self, now: float) -> bool:
        """Try, and say whether the attempt was checked at all."""
        if self.locked_until is not None and self.locked_until > now:
            return False
        tally = None
        if self.failures:
            locked_for = None if self.locked_until is None else self.locked_until - now
            tally = Tally(
                failures=self.failures, quiet_for=now - self.counted_at, locked_for=locked_for
            )
        self.failures = failures_after(tally)
        self.counted_at = now
        lock = lock_for(self.kind, self.failures)
        self.locked_until = now + lock if lock else None
        return True


def _checked(kind: AttemptKind, waits: list[float]) -> list[float]:
    account = _Account(kind)
    now, checked = 0.0, []
    for wait in waits:
        now += wait
        if account.try_at(now):
            checked.append(now)
    return checked


def _most_within(seconds: float, instants: list[float]) -> int:
    return max(
        (sum(start <= instant < start + seconds for instant in instants) for start in instants),
        default=0,
    )


@given(st.lists(WAITS, max_size=120))
def test_an_account_is_never_tried_more_than_nine_times_in_a_quarter_of_an_hour(
    waits: list[float],
) -> None:
    checked = _checked(AttemptKind.ACCOUNT, waits)
    assert _most_within(FORGOTTEN_AFTER, checked) <= 9
    assert _most_within(30, checked) <= ALLOWED["account"]


@given(st.integers(1, 400), st.floats(0, 30))
def test_whoever_does_not_stop_gets_no_further_than_the_first_five_and_the_back_off(
    tries: int, wait: float
) -> None:
    checked = _checked(AttemptKind.ACCOUNT, [wait] * tries)
    assert len(checked) <= ALLOWED["account"] + 5 + tries * wait / LONGEST_LOCK["account"]


@given(st.lists(st.floats(900, 5000), max_size=40))
def test_failures_far_apart_never_lock(waits: list[float]) -> None:
    assert len(_checked(AttemptKind.ACCOUNT, waits)) == len(waits)


def test_a_patient_guesser_has_some_five_hundred_tries_a_day() -> None:
    day = 24 * 3600
    bursts = [0.0 if place % 5 else 931.0 for place in range(1000)]
    assert sum(instant < day for instant in _checked(AttemptKind.ACCOUNT, bursts)) < 500


def test_the_lock_doubles_from_half_a_minute_to_a_quarter_of_an_hour() -> None:
    locks = [lock_for(AttemptKind.ACCOUNT, failures) for failures in range(1, 13)]
    assert locks == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert lock_for(AttemptKind.ACCOUNT, 10_000) == LONGEST_LOCK["account"]
    assert [lock_for(AttemptKind.ADDRESS, failures) for failures in (49, 50, 51, 99)] == [
        0,
        30,
        60,
        60,
    ]


def test_failures_are_forgotten_a_quarter_of_an_hour_after_the_last_of_them_and_its_lock() -> None:
    assert failures_after(None) == 1
    assert failures_after(Tally(failures=3, quiet_for=899)) == 4
    assert failures_after(Tally(failures=3, quiet_for=900)) == 1
    assert failures_after(Tally(failures=9, quiet_for=1300, locked_for=-899)) == 10
    assert failures_after(Tally(failures=9, quiet_for=1380, locked_for=-900)) == 1


def test_of_an_address_is_counted_what_one_customer_is_given() -> None:
    assert client_network("192.0.2.7") == "192.0.2.7"
    assert client_network("::ffff:192.0.2.7") == "192.0.2.7"
    assert client_network("2001:db8:1:2::7") == client_network("2001:db8:1:2:ffff::1")
    assert client_network("2001:db8:1:2::7") != client_network("2001:db8:1:3::7")
    assert client_network("a socket of this machine") == "a socket of this machine"
