"""The rules of notices: choices, times, server answers, addresses for leaving."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.mail.kinds import Letter, NoticeKind, Sending, by_name
from market.mail.rules import answers, preferences, texts, times, tokens
from market.mail.rules.answers import Stage, Verdict
from market.mail.rules.tokens import Leaving

SECRET = bytes(range(32))
LEAVING = Leaving(person=UUID(int=7), name="deadline-near")


def kind(name: str, *, formal: bool = False, sending: Sending = Sending.AT_ONCE) -> NoticeKind:
    return NoticeKind(
        name=name,
        title=name.title(),
        recipients="SELECT 1",
        letter=lambda _: Letter(subject="s", paragraphs=("p",)),
        formal=formal,
        sending=sending,
    )


PLAIN, FORMAL, DAILY = (
    kind("plain"),
    kind("formal", formal=True),
    kind("daily", sending=Sending.DIGEST),
)
ALL = (PLAIN, FORMAL, DAILY)


# -- kinds and letters -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Upper", "a_b", "", "a--b", "-a", "digest", "a" * 61, "a b"])
def test_a_kind_has_a_name_that_can_stand_in_an_address(name: str) -> None:
    with pytest.raises(ValueError, match="A kind's name"):
        kind(name)


def test_a_formal_kind_is_not_off_by_default() -> None:
    with pytest.raises(ValueError, match="is formal"):
        kind("outcome", formal=True, sending=Sending.OFF)


def test_two_kinds_do_not_share_a_name() -> None:
    assert by_name(ALL)["daily"] is DAILY
    with pytest.raises(ValueError, match="one name"):
        by_name((PLAIN, PLAIN))


@pytest.mark.parametrize(
    "fault",
    [
        {"subject": "\r\n"},
        {"paragraphs": ()},
        {"paragraphs": (" ",)},
        {"path": "api"},
        {"path": "//evil.example"},
        {"path": "/a b"},
        {"path": "/a\r\nb"},
    ],
)
def test_what_is_no_letter_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"A letter has|A path begins"):
        Letter(**({"subject": "s", "paragraphs": ("p",)} | fault))  # type: ignore[arg-type]  # on purpose


# -- texts -----------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.integers(2, 200))
def test_whatever_somebody_wrote_becomes_one_line_that_can_be_encoded(
    text: str, longest: int
) -> None:
    line = texts.one_line(text, longest)
    assert len(line) <= longest
    assert line.splitlines() in ([], [line])
    assert line == line.strip()
    line.encode("utf-8")


def test_marks_that_turn_the_order_of_a_line_around_are_taken_out() -> None:
    assert texts.one_line("pay \u202egnp.exe\u202c now\u2066!") == "pay gnp.exe now !"
    assert texts.one_line("a\r\nBcc: b\x00\u2028c\ud800") == "a Bcc: b c"
    assert texts.one_line("x" * 20, 10) == "x" * 9 + "…"


# -- choices ---------------------------------------------------------------------------------------


def test_what_was_chosen_holds_and_else_the_default() -> None:
    chosen = {"plain": Sending.OFF, "formal": Sending.DIGEST}
    assert preferences.effective(PLAIN, chosen) is Sending.OFF
    assert preferences.effective(FORMAL, chosen) is Sending.DIGEST
    assert preferences.effective(DAILY, chosen) is Sending.DIGEST
    assert preferences.effective(PLAIN, {}) is Sending.AT_ONCE


@given(st.dictionaries(st.sampled_from([one.name for one in ALL]), st.sampled_from(Sending)))
def test_a_formal_kind_is_never_off_whatever_was_stored(chosen: dict[str, Sending]) -> None:
    assert preferences.effective(FORMAL, chosen) is not Sending.OFF
    assert FORMAL not in preferences.kinds_to_leave(ALL, chosen, "formal")
    assert FORMAL not in preferences.kinds_to_leave(ALL, chosen, "digest")


def test_faults_name_the_kind() -> None:
    assert [one.field for one in preferences.unknown_kinds(ALL, {"other": Sending.OFF})] == [
        "kinds.other"
    ]
    assert preferences.unknown_kinds(ALL, {"plain": Sending.OFF}) == []
    faults = preferences.formal_kinds_off(ALL, dict.fromkeys(["plain", "formal"], Sending.OFF))
    assert [one.field for one in faults] == ["kinds.formal"]


def test_leaving_the_digest_leaves_what_it_gathers_and_nothing_else() -> None:
    chosen = {"plain": Sending.DIGEST, "formal": Sending.DIGEST}
    assert preferences.kinds_to_leave(ALL, chosen, "digest") == [PLAIN, DAILY]
    assert preferences.kinds_to_leave(ALL, {}, "digest") == [DAILY]
    assert preferences.kinds_to_leave(ALL, {}, "plain") == [PLAIN]
    assert preferences.kinds_to_leave(ALL, {"plain": Sending.OFF}, "plain") == []
    assert preferences.kinds_to_leave(ALL, {}, "unknown") == []


# -- times -----------------------------------------------------------------------------------------

_INSTANTS = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(_INSTANTS, st.integers(0, 23))
def test_a_digest_goes_within_a_day_at_its_hour_in_london(now: datetime, hour: int) -> None:
    at = times.next_digest(now, hour)
    assert now < at <= now + timedelta(hours=25)
    shown = at.astimezone(times.LONDON)
    assert (shown.minute, shown.second) == (0, 0)
    skipped = (shown.month, shown.hour, hour) == (3, 2, 1)
    assert shown.hour == hour or skipped


@pytest.mark.parametrize(
    ("now", "hour", "at"),
    [
        ("2026-11-22T06:59:59", 7, "2026-11-22T07:00:00"),
        ("2026-11-22T07:00:00", 7, "2026-11-23T07:00:00"),
        ("2026-07-01T05:00:00", 7, "2026-07-01T06:00:00"),
        ("2026-07-01T23:30:00", 0, "2026-07-02T23:00:00"),
        ("2027-03-28T00:30:00", 1, "2027-03-28T01:00:00"),  # clocks go forward: 2 in London
        ("2026-10-24T23:30:00", 1, "2026-10-25T00:00:00"),  # and back: the first of two
    ],
)
def test_the_hour_follows_summer_time(now: str, hour: int, at: str) -> None:
    found = times.next_digest(datetime.fromisoformat(now).replace(tzinfo=UTC), hour)
    assert found == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_pauses_double_up_to_half_an_hour_and_vary() -> None:
    assert [times.pause(n, 0.5).total_seconds() for n in (1, 2, 3, 6, 50)] == [
        60,
        120,
        240,
        1800,
        1800,
    ]
    assert times.pause(1, 0.0) == timedelta(seconds=30)
    assert times.pause(1, 1.0) == timedelta(seconds=90)
    assert times.pause(0, 0.5) == times.pause(1, 0.5)


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "code", "said"),
    [
        (Stage.RECIPIENT, 451, Verdict.LATER),
        (Stage.RECIPIENT, 550, Verdict.NEVER),
        (Stage.CONTENT, 452, Verdict.LATER),
        (Stage.CONTENT, 554, Verdict.NEVER),
        (Stage.SENDER, 552, Verdict.NEVER),
        (Stage.SENDER, 550, Verdict.SERVER),
        (Stage.SENDER, 451, Verdict.SERVER),
        (Stage.GREETING, 535, Verdict.SERVER),
        (Stage.GREETING, 554, Verdict.SERVER),
        (Stage.RECIPIENT, 421, Verdict.SERVER),
    ],
)
def test_a_refusal_is_the_mail_s_or_the_server_s(stage: Stage, code: int, said: Verdict) -> None:
    assert answers.verdict(stage, code) is said


# -- addresses for leaving -------------------------------------------------------------------------


@given(st.uuids(), st.from_regex(r"[a-z]{1,8}(-[a-z]{1,8}){0,3}", fullmatch=True))
def test_an_address_is_read_as_it_was_written(person: UUID, name: str) -> None:
    leaving = Leaving(person=person, name=name)
    token = tokens.leaving_token(SECRET, leaving)
    assert tokens.read_leaving(SECRET, token) == leaving
    assert tokens.read_leaving(bytes(32), token) is None
    assert len(token) < tokens.LONGEST


@given(st.data())
def test_a_changed_address_is_none(data: st.DataObject) -> None:
    token = tokens.leaving_token(SECRET, LEAVING)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_=+/ é"))
    changed = token[:place] + letter + token[place + 1 :]
    found = tokens.read_leaving(SECRET, changed)
    assert found == (LEAVING if changed == token else None)


@given(st.text(max_size=300))
def test_anything_else_is_no_address(text: str) -> None:
    assert tokens.read_leaving(SECRET, text) is None


def test_nobody_s_address_serves_somebody_else() -> None:
    mine, yours = uuid4(), uuid4()
    token = tokens.leaving_token(SECRET, Leaving(person=mine, name="plain"))
    assert tokens.read_leaving(SECRET, token) != Leaving(person=yours, name="plain")
    assert tokens.read_leaving(SECRET, token[:-4]) is None
