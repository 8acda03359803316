"""Every promise the database keeps has a test that names it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_REFUSED = re.compile(r"refuse\('(?P<promise>[a-z_]+)'")


def _promises() -> list[str]:
    scripts = ROOT.glob("*/piccolo_migrations/sql/*.sql")
    found = {name for script in scripts for name in _REFUSED.findall(script.read_text())}
    assert len(found) > 80
    return sorted(found)


@pytest.fixture(scope="module")
def tests() -> str:
    """The text of every test but this one."""
    files = (ROOT / "tests").rglob("*.py")
    return "\n".join(file.read_text() for file in files if file != Path(__file__))


@pytest.mark.parametrize("promise", _promises())
def test_a_guard_is_shown_to_fire(promise: str, tests: str) -> None:
    assert re.search(rf"[\"']{promise}[\"']", tests), f"No test names the promise {promise}."
