"""`market ownership import`: large files in one transaction, faults line by line."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from market.cli import main
from tests.makers.ownership import entity, lines, owns, person

SAMPLE = Path(__file__).parent / "samples" / "companies-house-2020-bods-0.2.jsonl"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A market of its own; the folder's name is short, as the socket's path has to be."""
    folder = Path(tempfile.mkdtemp(prefix="own-"))
    for name in os.environ:
        if name.startswith("MARKET_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MARKET_HOME", str(folder))
    before = signal.getsignal(signal.SIGTERM)
    yield folder
    signal.signal(signal.SIGTERM, before)
    shutil.rmtree(folder)


def test_a_file_is_imported_and_a_second_time_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("ownership", "import", str(SAMPLE), "--source", "Companies House, 2020")
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert said.startswith("Read 30 statements, 30 of them new, in ")
    assert "1 relationships give a reason for silence; 0 references lead nowhere." in said
    assert main(arguments) == 0
    assert "Read 30 statements, 0 of them new, in " in capsys.readouterr().out
    faulty = home / "faulty.jsonl"
    faulty.write_bytes(lines([entity(1), owns("x", "p", "e", 101), {}]))
    assert main(("ownership", "import", str(faulty), "--source", "x")) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "line 2.interests[0].share: A share cannot be over 100 %."
    assert told[1].startswith("line 3.statementId: A statement has a statementId (version 0.4)")
    assert told[2].endswith("nothing was imported.")
    many = home / "many.jsonl"
    held = [owns(f"x{n}", f"person-{n}", "entity-1", 60) for n in (1, 2)]
    many.write_bytes(lines([entity(1), person(1), person(2), *held]))
    assert main(("ownership", "import", str(many), "--source", "x")) == 0
    warned = capsys.readouterr().out.splitlines()[-1]
    assert warned == "warning: Company 1 Ltd: 120 % of its shares are held"
    monkeypatch.setenv("MARKET_OWNERSHIP_FILE_LIMIT", "100")
    assert main(arguments) == 1
    assert "has more than 100 bytes: divide it" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["", " ", "x" * 301, "two\nlines"])
def test_a_source_is_a_line_of_text(source: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(("ownership", "import", str(SAMPLE), "--source", source))
    assert ended.value.code == 2


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("ownership", "import", "/nowhere/at/all", "--source", "x")) == 1
    assert capsys.readouterr().err.count("\n") == 1
