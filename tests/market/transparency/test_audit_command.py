"""`market audit verify`: away from the market, without a database and without its settings."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from market.cli import main
from tests.makers.tender_records import KEY, Log, worked_example

LOG = worked_example()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that would stop any command that reads them."""
    monkeypatch.setenv("MARKET_PORT", "no port")
    monkeypatch.setenv("MARKET_ENVIRONMENT", "nowhere")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def written(folder: Path, log: Log = LOG) -> str:
    (folder / "record.json").write_bytes(log.export())
    for number, note in enumerate(log.notes):
        (folder / f"{number}.txt").write_text(note, "utf-8")
    return str(folder / "record.json")


def test_a_good_record_is_told_with_what_was_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path)
    held = [str(tmp_path / "0.txt"), str(tmp_path / "1.txt")]
    assert main(["audit", "verify", file, "--key", KEY.vkey, "--checkpoint", *held]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The record is good.\n")
    assert "2 events" in said
    assert "2 checkpoints held elsewhere" in said
    assert "another history" not in said
    # each in its own option does as well; and without any it says what that means
    each = ["--checkpoint", held[0], "--checkpoint", held[1]]
    assert main(["audit", "verify", file, *each, "--key", KEY.vkey, "--key", KEY.vkey]) == 0
    assert capsys.readouterr().out == said
    assert main(["audit", "verify", file, "--key", KEY.vkey]) == 0
    assert "another history" in capsys.readouterr().out


def test_a_bad_record_is_told_with_the_first_bad_position(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path)
    Path(file).write_bytes(LOG.export().replace("Zoë".encode(), "Zoé".encode()))
    assert main(["audit", "verify", file, "--key", KEY.vkey]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["THE RECORD IS BAD.", "First bad position: 4"]
    assert "private details" in lines[2]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a note\n\n\xe2\x80\x94 x AAAA\n"])
def test_a_checkpoint_that_is_none_is_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = written(tmp_path)
    held = tmp_path / "held.txt"
    held.write_bytes(content)
    assert main(["audit", "verify", file, "--key", KEY.vkey, "--checkpoint", str(held)]) == 1
    assert "cannot be used" in capsys.readouterr().out


def test_what_is_not_there_or_not_understood_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "verify", str(tmp_path / "no.json"), "--key", KEY.vkey]) == 1
    assert "No such file" in capsys.readouterr().err
    for arguments in (["record.json"], ["record.json", "--key", "nonsense"], []):
        with pytest.raises(SystemExit) as ended:
            main(["audit", "verify", *arguments])
        assert ended.value.code == 2
        assert "usage" in capsys.readouterr().err
