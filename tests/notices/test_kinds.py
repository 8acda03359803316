"""The kinds of notices as a whole: named once, by acts that are recorded, and each one tested."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from market.mail.kinds import Sending
from tests.conftest import Databases
from tests.makers.noticing import KINDS

ROOT = Path(__file__).parents[2]
FORMAL = {
    "tender-abandoned",
    "tender-amended",
    "extension-proposed",
    "bid-lapsed",
    "lot-abandoned",
    "lot-on-hold",
    "challenge-decided",
    "evaluated-anew",
    "outcome",
    "application-decided",
}
"""What nobody can do without being told."""
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_RAW = re.compile(
    r"(?:INSERT INTO event\b[^;]*?|record_of_tender\()'([a-z_]+\.[a-z_]+)'", re.DOTALL
)
_CODE = ("market", "suppliers", "tenders", "evaluation")


def _written(file: Path) -> Iterator[str]:
    """Every text of a module, and of those with something put into them a pattern."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z_]+"
                for part in node.values
            )


def _recorded() -> set[str]:
    """What modules that record events may record, as patterns of whole actions."""
    found: set[str] = set()
    for package in _CODE:
        for file in (ROOT / package).rglob("commands*/**/*.py"):
            if "record(" in file.read_text(encoding="utf-8"):
                found |= set(_written(file))
        for file in (ROOT / package).rglob("commands.py"):
            found |= set(_written(file))
        for file in (ROOT / package).rglob("*.sql"):
            found |= {re.escape(name) for name in _RAW.findall(file.read_text(encoding="utf-8"))}
    return {text for text in found if re.search(r"[a-z_]+\\\.", text)}


def test_every_action_that_gives_rise_to_a_notice_is_recorded_somewhere() -> None:
    patterns = _recorded()
    actions = {action for kind in KINDS.values() for action in kind.actions}
    assert len(actions) > 20
    for action in sorted(actions):
        assert _ACTION.fullmatch(action)
        assert any(re.fullmatch(pattern, action) for pattern in patterns), action
    assert not any(re.fullmatch(pattern, "tender.invented") for pattern in patterns)


def test_every_kind_has_a_test_of_whom_it_reaches() -> None:
    files = [
        file
        for file in Path(__file__).parent.glob("test_*.py")
        if file.name not in {"test_letters.py", "test_kinds.py", "test_demonstration.py"}
    ]
    tests = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in KINDS if f'"{name}"' not in tests] == []


def test_the_formal_kinds_are_those_that_law_or_fairness_wants_told() -> None:
    assert {kind.name for kind in KINDS.values() if kind.formal} == FORMAL
    assert not [kind.name for kind in KINDS.values() if kind.sending is Sending.OFF]


def test_titles_say_what_happened_and_each_is_its_own() -> None:
    titles = [kind.title for kind in KINDS.values()]
    assert len(set(titles)) == len(titles)
    assert not [title for title in titles if title != title.strip(" .") or len(title) > 80]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_the_worker_may_ask_for_every_kind_and_is_answered_by_four_columns(
    kind: Any, databases: Databases
) -> None:
    worker = await asyncpg.connect(**databases.worker)
    try:
        asked = await worker.prepare(kind.recipients)
        assert [attribute.name for attribute in asked.get_attributes()] == [
            "person",
            "organisation",
            "key",
            "facts",
        ]
        assert [attribute.type.name for attribute in asked.get_attributes()] == [
            "uuid",
            "uuid",
            "text",
            "jsonb",
        ]
        assert [one.name for one in asked.get_parameters()] == (["uuid"] if kind.actions else [])
        nobody = ("00000000-0000-0000-0000-000000000000",) if kind.actions else ()
        assert await worker.fetch(kind.recipients, *nobody) == []
    finally:
        await worker.close()


@pytest.mark.parametrize(
    "withheld",
    [
        "envelope",
        "tender_key",
        "opened_envelope",
        "manifest_entry",
        "score",
        "agreed_score",
        "quality_decision",
        "ranked_bid",
        "recommendation",
        "approval",
        "declaration",
        "duty_declaration",
        "conflict_decision",
        "interest",
        "gift",
        "requirement_version",
        "bid_receipt",
        "bid_confirmation",
        "confirmation_receipt",
        "bid_participant",
    ],
)
async def test_the_worker_reads_nothing_that_is_sealed_or_withheld(
    withheld: str, databases: Databases
) -> None:
    worker = await asyncpg.connect(**databases.worker)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch(f"SELECT * FROM {withheld}")  # noqa: S608  # names of the test's own
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch(f"SELECT count(*) FROM {withheld}")  # noqa: S608  # names of the test's own
    finally:
        await worker.close()


@pytest.mark.parametrize(
    "function",
    [
        "why_not_unconflicted(gen_random_uuid(), gen_random_uuid())",
        "known_conflict(gen_random_uuid(), gen_random_uuid(), 'opener')",
        "conflicts_of(gen_random_uuid(), gen_random_uuid())",
        "wrapped_key_for(gen_random_uuid(), 'price')",
    ],
)
async def test_the_worker_asks_nothing_about_interests_but_for_whom_they_wait(
    function: str, databases: Databases
) -> None:
    worker = await asyncpg.connect(**databases.worker)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.fetch(f"SELECT {function}")
    finally:
        await worker.close()
