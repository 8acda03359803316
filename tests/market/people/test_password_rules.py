"""New passwords: long, not soon guessed, and judged at a bounded cost."""

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.people import credentials
from market.people.rules import password_faults


def _reasons(password: str, *, name: str = "Ann Lead", others: tuple[str, ...] = ()) -> str:
    faults = password_faults(password, email="ann@fenland.example", name=name, others=others)
    return " ".join(fault.reason for fault in faults)


@pytest.mark.parametrize(
    "password",
    [
        "three quiet otters swim",
        "three quiet otters",
        "correct horse battery staple",
        "drei ruhige Otter schwimmen",
        "три спокойные выдры",
        "k#9vQ!x2Lm$7",
        "x" + "three quiet otters swim " * 8,
    ],
)
def test_a_password_that_is_long_to_guess_is_taken(password: str) -> None:
    assert _reasons(password) == ""


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("password12345", "many people use"),
        ("P@ssw0rd!P@ssw0rd!", "repeated"),
        ("qwertyuiop123", "many people use"),
        ("williamthomas", "common names"),
        ("abcdefghijklmnop", "sequence"),
        ("12-11-1998.x", "little more than a date"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "repeated"),
        ("commissioning", "name, address or organisation"),
    ],
)
def test_a_password_that_is_soon_guessed_is_refused_with_the_reason(
    password: str, because: str
) -> None:
    reasons = _reasons(password)
    assert "too easy to guess" in reasons
    assert because in reasons
    assert "four or five words" in reasons


def test_what_one_s_acquaintances_would_try_is_weak() -> None:
    password = "fenland data group"  # noqa: S105  # what is tested
    assert "name, address or organisation" in _reasons(password, others=("Fenland Data Group",))


@settings(deadline=None)  # a hostile one takes a third of a second
@given(st.text(max_size=250), st.text(max_size=40), st.lists(st.text(max_size=40), max_size=3))
def test_whatever_is_typed_is_judged(password: str, name: str, others: list[str]) -> None:
    for fault in password_faults(password, email="a@b.example", name=name, others=others):
        assert fault.field == "password"
        assert fault.reason.endswith(".")


@settings(deadline=None)  # the library's first use reads its tables
@given(st.text(min_size=1, max_size=11))
def test_short_is_said_of_every_short_password(password: str) -> None:
    assert "at least 12 characters" in _reasons(password)


async def test_a_hostile_password_is_judged_off_the_event_loop_and_soon() -> None:
    """The beginning alone is judged: seventy-two such characters take seconds."""
    hostile = "4@8({[<369&#!1/|0$5+7%2" * 8
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.002)
            ticks += 1

    ticking = asyncio.create_task(tick())
    before = time.process_time()
    await credentials.weaknesses(hostile, email="a@b.example", name="Ann")
    spent = time.process_time() - before
    ticking.cancel()
    assert ticks > 3
    assert spent < 2  # about a third of a second; the bound is for slow machines


async def test_what_is_known_of_one_person_is_not_held_against_another() -> None:
    """The library keeps such words in a table of its module, whatever thread it runs in."""
    password = "wolverhampton penhale"  # noqa: S105  # what is tested
    judged = await asyncio.gather(
        *(
            credentials.weaknesses(password, email="a@b.example", name="Bo", others=others)
            for others in (("Wolverhampton Penhale",), ()) * 20
        )
    )
    assert [bool(faults) for faults in judged] == [True, False] * 20
