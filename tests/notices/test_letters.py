"""What every letter says, word for word, and that what it points at is there.

`letters.txt` holds them all. To accept a change, write it anew and read the difference:
`python -c "from tests.notices.test_letters import rendered; print(rendered(), end='')"`.
"""

import re
import textwrap
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.app import api_document
from market.mail.kinds import Letter
from tenders.notices.words import day, london, lots
from tests.makers.letters import CASES
from tests.makers.noticing import KINDS

LETTERS = Path(__file__).parent / "letters.txt"
LONGEST_SUBJECT = 120
"""As long as a subject of the longest titles is read without being cut, about."""


def _rendered(kind: str, which: str, letter: Letter) -> str:
    head = f"== {kind}{': ' if which else ''}{which}"
    wrapped = ["\n".join(textwrap.wrap(text, 95)) for text in letter.paragraphs]
    facts = [f"    {label}: {value}" for label, value in letter.facts]
    return "\n".join([head, letter.subject, "", *wrapped, "", *facts, f"    -> {letter.path}", ""])


def rendered() -> str:
    """Every letter as text, in the order of the kinds' cases."""
    return "\n".join(
        _rendered(kind, which, KINDS[kind].letter(facts)) for kind, which, facts in CASES
    )


def test_every_letter_reads_as_it_was_agreed() -> None:
    assert rendered() == LETTERS.read_text(encoding="utf-8")


def test_every_kind_has_a_letter_here() -> None:
    assert {kind for kind, _, _ in CASES} == set(KINDS)


@pytest.mark.parametrize(("kind", "which", "facts"), CASES)
def test_a_letter_is_short_plain_and_leads_to_something_that_can_be_read(
    kind: str, which: str, facts: Mapping[str, Any]
) -> None:
    letter = KINDS[kind].letter(facts)
    assert len(letter.subject) <= LONGEST_SUBJECT, which
    assert sum(len(paragraph) for paragraph in letter.paragraphs) <= 600
    for text in (letter.subject, *letter.paragraphs, *(value for _, value in letter.facts)):
        assert text == text.strip()
        assert not re.search(r"[<>_\n]|  |\.\.|True|False", text), text
        assert text != "None"
    assert all(paragraph.endswith(".") for paragraph in letter.paragraphs)
    assert letter.path is not None
    assert _is_read(letter.path), letter.path


def _is_read(path: str) -> bool:
    paths = msgspec.json.decode(api_document())["paths"]
    for template, item in paths.items():
        if "get" in item and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return True
    return False


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        ("2027-02-05T12:00:00+00:00", "Friday 5 February 2027, 12:00 noon (London time, GMT)"),
        ("2027-07-01T11:00:00+00:00", "Thursday 1 July 2027, 12:00 noon (London time, BST)"),
        ("2027-07-01T12:00:00+00:00", "Thursday 1 July 2027, 13:00 (London time, BST)"),
        (
            "2027-06-30T23:00:00+00:00",
            "Thursday 1 July 2027, 00:00, as the day begins (London time, BST)",
        ),
        ("2027-02-05T09:05:59.999999+00:00", "Friday 5 February 2027, 09:05:59 (London time, GMT)"),
        # the hour that comes twice when summer time ends, each by its zone
        ("2027-10-31T00:30:00+00:00", "Sunday 31 October 2027, 01:30 (London time, BST)"),
        ("2027-10-31T01:30:00+00:00", "Sunday 31 October 2027, 01:30 (London time, GMT)"),
    ],
)
def test_a_time_is_said_with_its_weekday_and_zone(instant: str, said: str) -> None:
    assert london(instant) == said


@given(st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001  # of UTC
def test_two_times_that_are_said_alike_are_within_a_second(at: Any) -> None:
    said = london(f"{at.isoformat()}+00:00")
    shifted = london(f"{at.replace(microsecond=0).isoformat()}+00:00")
    assert said == shifted


def test_dates_and_lots_are_said_as_people_say_them() -> None:
    assert day("2027-03-01") == "1 March 2027"
    assert [lots(numbers) for numbers in ([3], [1, 2], [1, 2, 4])] == [
        "lot 3",
        "lots 1 and 2",
        "lots 1, 2 and 4",
    ]
