"""Files that a passphrase opens: nobody else, nothing changed, nothing too dear to open."""

import msgspec
import pytest

from market.keys.rules.backups import KIND, KeyBackup, locked_backup, opened_backup
from market.sealing import CannotUnlock, Hardness, PassphraseTooShort, lock, read_locked, unlock

QUICK = Hardness(n=2**14)
PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of tests alone
BACKUP = KeyBackup(market="tests.example", key_encryption_keys="first:QUFB", signing_key="QkJC")


def locked(plain: bytes = b"a secret") -> bytes:
    return lock(PASSPHRASE, plain, kind="a kind", about="about it", hardness=QUICK)


def test_a_passphrase_opens_what_it_locked_and_what_is_said_openly_is_readable() -> None:
    content = locked()

    assert unlock(PASSPHRASE, content, kind="a kind") == b"a secret"
    assert b"a secret" not in content
    assert locked() != content
    assert read_locked(content, kind="a kind").about == "about it"


@pytest.mark.parametrize("passphrase", ["", "correct horse battery stapl", PASSPHRASE + "\n"])
def test_another_passphrase_opens_nothing(passphrase: str) -> None:
    with pytest.raises(CannotUnlock, match="passphrase is wrong, or the file was changed"):
        unlock(passphrase, locked(), kind="a kind")


@pytest.mark.parametrize(
    "change",
    [
        {"about": "about something else"},
        {"hardness": {"n": 2**15, "r": 8, "p": 1}},
        {"salt": "QUFB"},
        {"nonce": "QUFBQUFBQUFBQUFB"},
        {"sealed": "QUFBQUFBQUFBQUFBQUFBQUFBQUFB"},
        {"sealed": "?"},
        {"sealed": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_file_does_not_open(change: dict[str, object]) -> None:
    members = msgspec.json.decode(locked())
    with pytest.raises(CannotUnlock, match="changed"):
        unlock(PASSPHRASE, msgspec.json.encode(members | change), kind="a kind")


@pytest.mark.parametrize(
    "change",
    [
        {"hardness": {"n": 2**21, "r": 8, "p": 1}},
        {"hardness": {"n": 2**14, "r": 17, "p": 1}},
        {"hardness": {"n": 2, "r": 8, "p": 1}},
        {"another": 1},
        {"about": "x" * 1001},
    ],
)
def test_a_file_cannot_ask_for_a_machine_s_memory_nor_for_no_work(
    change: dict[str, object],
) -> None:
    members = msgspec.json.decode(locked())
    with pytest.raises(CannotUnlock, match="not a locked file"):
        unlock(PASSPHRASE, msgspec.json.encode(members | change), kind="a kind")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 5000])
def test_what_is_no_locked_file_is_told_so(content: bytes) -> None:
    with pytest.raises(CannotUnlock, match="not a locked file"):
        unlock(PASSPHRASE, content, kind="a kind")
    with pytest.raises(CannotUnlock, match="too large"):
        unlock(PASSPHRASE, b" " * (1024 * 1024 + 1), kind="a kind")


def test_a_file_of_another_kind_is_told_so() -> None:
    with pytest.raises(CannotUnlock, match="another kind: a kind, not another"):
        unlock(PASSPHRASE, locked(), kind="another")


def test_what_is_said_nothing_of_is_locked_with_128_mebibytes_of_work() -> None:
    assert Hardness() == Hardness(n=2**17, r=8, p=1)


def test_a_short_passphrase_locks_nothing() -> None:
    with pytest.raises(PassphraseTooShort, match="at least 16"):
        lock("x" * 15, b"", kind="a kind", about="")


def test_a_backup_gives_the_keys_back_and_shows_none() -> None:
    content = locked_backup(BACKUP, PASSPHRASE, made_at="today", hardness=QUICK)

    assert opened_backup(content, PASSPHRASE) == BACKUP
    assert "QUFB" not in repr(BACKUP) + content.decode()
    assert BACKUP.variables() == {
        "MARKET_KEY_ENCRYPTION_KEYS": "first:QUFB",
        "MARKET_SIGNING_KEY": "QkJC",
    }
    peppered = msgspec.structs.replace(BACKUP, key_pepper="Q0ND")
    assert peppered.variables()["MARKET_KEY_PEPPER"] == "Q0ND"
    other = lock(PASSPHRASE, b"[]", kind=KIND, about="", hardness=QUICK)
    with pytest.raises(CannotUnlock, match="something else"):
        opened_backup(other, PASSPHRASE)
