"""The published format: its worked example is true, and a verifier needs nothing else."""

import ast
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from market.transparency import stand_alone_verifier
from market.transparency.rules.exports import TenderRecord, write
from market.transparency.rules.notes import CheckpointKey
from tests.makers.tender_records import KEY, SEED, TENDER, secret, worked_example
from tests.makers.verdicts import judged

VERIFIER = Path(stand_alone_verifier.__file__)
DOCUMENT = VERIFIER.with_name("FORMAT.md").read_text("utf-8")
EXAMPLE = DOCUMENT.partition("## 8. A worked example")[2]
BLOCKS = re.findall(r"```(?:json)?\n(.*?)```", EXAMPLE, re.DOTALL)
LINES = "\n".join(BLOCKS[:4]).splitlines()
VALUES = {line[:16].strip(): line[16:] for line in LINES if line}
LOG = worked_example()


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def value(name: str) -> bytes:
    return bytes.fromhex(VALUES[name])


def test_the_example_follows_from_its_own_numbers_step_by_step() -> None:
    salt, content = value("salt"), VALUES["JCS(content)"].encode()
    assert value("salt") == secret("salt", 2) == hashlib.sha256(b"salt 2").digest()
    assert VALUES["content_salt"] == sha256(salt, b"content")
    assert VALUES["number_salt"] == sha256(salt, b"number")
    assert VALUES["content"] == sha256(value("content_salt"), content)
    assert VALUES["number"] == sha256(value("number_salt"), VALUES["JCS(number)"].encode())
    assert VALUES["leaf"] == VALUES["leaf 1"] == sha256(b"\0", VALUES["JCS(header)"].encode())
    assert f'"content":"{VALUES["content"]}"' in VALUES["JCS(header)"]
    assert f'"number":"{VALUES["number"]}"' in VALUES["JCS(header)"]
    assert VALUES["node 0-1"] == sha256(b"\1", value("leaf 0"), value("leaf 1"))
    assert VALUES["node 2-3"] == sha256(b"\1", value("leaf 2"), value("leaf 3"))
    assert VALUES["root of 3"] == sha256(b"\1", value("node 0-1"), value("leaf 2"))
    assert VALUES["root of 4"] == sha256(b"\1", value("node 0-1"), value("node 2-3"))
    one = b"\0" * 7 + b"\1"
    two = b"\0" * 7 + b"\2"
    other = bytes.fromhex("0b8e7a6d5c4b4a3f9e2d1c0b9a8f7e6d")
    assert VALUES["head 0b8e7a6d"] == sha256(b"\2", other, one, value("leaf 2"))
    assert VALUES["head 6f1c2d3e"] == sha256(b"\2", TENDER.bytes, two, value("leaf 3"))
    heads = value("head 0b8e7a6d"), value("head 6f1c2d3e")
    assert VALUES["at depth 1"] == sha256(b"\3", *heads)
    assert VALUES["root of map"] == sha256(b"\3", value("at depth 1"), bytes(32))


def test_the_example_is_what_the_market_makes() -> None:
    *_, note, record = BLOCKS
    assert VALUES["verifier key"] == KEY.vkey
    assert CheckpointKey.from_seed("market.example/log", SEED).vkey == KEY.vkey
    assert note == LOG.notes[-1]
    assert record == LOG.export().decode() + "\n"
    assert msgspec.json.decode(record, type=TenderRecord) == LOG.record()
    path = [bytes.fromhex(one) for one in LOG.record().events[0].path]
    assert path == [value("leaf 0"), value("node 2-3")]
    (earlier,) = LOG.record().earlier
    path = [bytes.fromhex(one) for one in earlier.path]
    assert path == [value("leaf 2"), value("leaf 3"), value("node 0-1")]


def test_both_verifiers_take_the_example_for_good() -> None:
    verdict = judged(BLOCKS[-1].rstrip("\n").encode(), LOG.notes, [VALUES["verifier key"]])
    assert verdict.good
    assert verdict.checked.events == 2


def test_the_stand_alone_verifier_imports_nothing_of_the_market() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported - sys.stdlib_module_names == {"cryptography"}


def test_the_stand_alone_verifier_can_be_read_in_one_sitting() -> None:
    lines = VERIFIER.read_text("utf-8").splitlines()
    assert len(lines) <= 230
    assert max(map(len, lines)) <= 100


@pytest.fixture(name="files", scope="module")
def files_of_the_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    (folder / "record.json").write_bytes(LOG.export())
    (folder / "bad.json").write_bytes(LOG.export().replace(b"Medicines", b"Medicine "))
    for number, note in enumerate(LOG.notes):
        (folder / f"checkpoint-{number}.txt").write_text(note, "utf-8")
    other = worked_example()
    other.append("person.signed_in")
    (folder / "newer.txt").write_text(other.sign(), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("record.json", "--key", KEY.vkey), 0, "good\n"),
        (
            ("record.json", "--key", KEY.vkey, "--checkpoint", "checkpoint-0.txt",
             "checkpoint-1.txt"), 0, "good\n",
        ),
        (("bad.json", "--key", KEY.vkey), 1, "bad\nfirst bad position: 2\n"),
        (
            ("record.json", "--key", KEY.vkey, "--checkpoint", "newer.txt"), 1,
            "bad\nfirst bad position: none\ncheckpoint newer (5)\n",
        ),
        (("record.json", "--key", KEY.vkey, "--checkpoint", "bad.json"), 1, "unsigned (-1)"),
        (("record.json", "--key", KEY.vkey), 0, "only with --checkpoint"),
        (("record.json",), 2, "--key"),
        (("record.json", "--key", "nonsense"), 2, "usage"),
        (("no.json", "--key", KEY.vkey), 2, "No such file"),
        (("record.json", "--key", KEY.vkey, "--checkpoint", "no.txt"), 2, "No such file"),
    ],
)  # fmt: skip
def test_the_stand_alone_verifier_is_a_program(
    files: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    ran = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-I", VERIFIER, *arguments], cwd=files, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == status, ran.stderr
    assert said in (ran.stderr if status == 2 else ran.stdout)


def test_the_file_is_the_same_whatever_the_order_it_was_put_together_in() -> None:
    record = LOG.record()
    assert write(msgspec.json.decode(write(record), type=TenderRecord)) == write(record)
