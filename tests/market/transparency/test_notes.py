"""Signed notes: the published examples, strict reading, and nothing else than was signed."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules.notes import (
    MOST_NOTE_BYTES,
    BadNote,
    BadVerifierKey,
    Checkpoint,
    CheckpointKey,
    VerifierKey,
    origin_of,
    parse_note,
    read_checkpoint,
    verify_checkpoint,
    verify_note,
)

KEY = CheckpointKey.from_seed("market.example/log", b"k" * 32)
OTHER = CheckpointKey.from_seed("witness.example/w1", b"o" * 32)
TRUSTED = [KEY.verifier]
CHECKPOINT = Checkpoint(
    origin="market.example/log",
    size=12,
    root=bytes(range(32)),
    tenders=3,
    tenders_root=b"t" * 32,
)
NOTE = KEY.sign(CHECKPOINT)
TEXT, SIGNATURE = NOTE.split("\n\n")
TEXT += "\n"


# ---------------------------------------------------------------------- published examples


def test_the_example_of_the_reference_implementation_is_signed_alike() -> None:
    """Of Go's sumdb/note, whose format C2SP took over; Ed25519 signs the same every time."""
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    key = CheckpointKey.from_seed("PeterNeumann", seed)
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    assert key.vkey == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert key.sign_text(text) == (
        f"{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )


def test_a_checkpoint_of_the_go_checksum_database_verifies() -> None:
    """The example of c2sp.org/tlog-checkpoint, with the names it has in the real log."""
    key = VerifierKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    text = "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    note = (
        f"{text}\n— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
        "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    assert verify_note(note, [key]) == text
    with pytest.raises(BadNote):
        verify_note(note.replace("20852163", "20852164"), [key])


def test_the_example_of_c2sp_signed_note_is_taken_apart_at_its_last_empty_line() -> None:
    text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
    text += "ed è subito sera.\n"
    note = parse_note(
        f"{text}\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC"
        "+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    assert note.text == text
    (line,) = note.signatures
    assert line.name == "quasimodo.example/salvatore"
    assert line.key_id.hex() == "367ba04b"
    assert len(line.signature) == 64


# --------------------------------------------------------------------------- a journey back


def test_a_checkpoint_is_written_as_published() -> None:
    assert TEXT == (
        "market.example/log\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "tenders 3 dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=\n"
    )
    assert SIGNATURE.startswith("— market.example/log ")
    assert NOTE.endswith("=\n")


@settings(deadline=None)
@given(
    size=st.integers(0, 2**53),
    tenders=st.integers(0, 2**53),
    roots=st.tuples(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32)),
)
def test_a_signed_checkpoint_reads_back(
    size: int, tenders: int, roots: tuple[bytes, bytes]
) -> None:
    checkpoint = Checkpoint(
        origin="market.example/log", size=size, root=roots[0], tenders=tenders,
        tenders_root=roots[1],
    )  # fmt: skip
    assert verify_checkpoint(KEY.sign(checkpoint), TRUSTED) == checkpoint


def test_a_verifier_key_reads_back() -> None:
    assert VerifierKey.parse(KEY.vkey) == KEY.verifier
    assert str(VerifierKey.parse(KEY.vkey)) == KEY.vkey


def test_the_log_of_a_rehearsal_has_another_name() -> None:
    assert origin_of("market.example", sandbox=False) == "market.example/log"
    assert origin_of("market.example", sandbox=True) == "market.example/sandbox-log"


def test_a_key_does_not_show_its_seed() -> None:
    assert repr(KEY) == f"CheckpointKey({KEY.vkey!r})"


# ---------------------------------------------------------------------------------- signers


def test_signatures_of_others_are_skipped() -> None:
    witnessed = OTHER.sign_text(TEXT).split("\n\n")[1]
    unknown_kind = "— market.example/log AAAAAQIDBAUGBw==\n"
    for note in (
        NOTE + witnessed,
        f"{TEXT}\n{witnessed}{SIGNATURE}",
        NOTE + unknown_kind,
    ):
        assert verify_checkpoint(note, TRUSTED) == CHECKPOINT
    with pytest.raises(BadNote, match="not signed by a key that is trusted"):
        verify_checkpoint(f"{TEXT}\n{witnessed}", TRUSTED)
    # a witness whose key is trusted still does not speak for the log
    with pytest.raises(BadNote, match="not signed by a key that is trusted"):
        verify_checkpoint(f"{TEXT}\n{witnessed}", [*TRUSTED, OTHER.verifier])


def test_one_bad_signature_of_a_trusted_key_condemns_the_note() -> None:
    forged = KEY.sign_text("something else\n").split("\n\n")[1]
    for note in (NOTE + forged, f"{TEXT}\n{forged}{SIGNATURE}", f"{TEXT}\n{forged}"):
        with pytest.raises(BadNote, match="does not belong to this note"):
            verify_checkpoint(note, TRUSTED)


def test_both_keys_of_a_log_that_changed_its_key_are_accepted() -> None:
    newer = CheckpointKey.from_seed("market.example/log", b"n" * 32)
    for key in (KEY, newer):
        both = [KEY.verifier, newer.verifier]
        assert verify_checkpoint(key.sign(CHECKPOINT), both) == CHECKPOINT
    with pytest.raises(BadNote):
        verify_checkpoint(newer.sign(CHECKPOINT), TRUSTED)


@settings(deadline=None)
@given(at=st.integers(0, len(NOTE) - 1), new=st.characters(codec="utf-8"))
def test_a_changed_character_never_verifies(at: int, new: str) -> None:
    if NOTE[at] != new:
        with pytest.raises(BadNote):
            verify_checkpoint(NOTE[:at] + new + NOTE[at + 1 :], TRUSTED)


@settings(deadline=None)
@given(at=st.integers(0, len(NOTE.encode()) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_never_verifies(at: int, bit: int) -> None:
    changed = bytearray(NOTE.encode())
    changed[at] ^= 1 << bit
    with pytest.raises(BadNote):
        verify_checkpoint(changed.decode("utf-8", "surrogateescape"), TRUSTED)


# --------------------------------------------------------------------------------- strictness


@pytest.mark.parametrize(
    "change",
    [
        ("\n12\n", "\n012\n"),
        ("\n12\n", "\n+12\n"),
        ("\n12\n", "\n12 \n"),
        ("\n12\n", "\n1_2\n"),
        ("\n12\n", "\n\u0661\u0662\n"),
        ("\n12\n", "\n9007199254740993\n"),
        ("\n12\n", "\n" + "9" * 5000 + "\n"),
        ("tenders 3 ", "tenders 03 "),
        ("tenders 3 ", "tenders  3 "),
        ("tenders 3 ", "others 3 "),
        ("tenders 3 ", "tenders "),
        ("Hh8=\n", "Hh9=\n"),  # the same bytes, in another spelling
        ("Hh8=\n", "Hh8\n"),
        ("Hh8=\n", "\n"),
        ("\ntenders", "\nextension\ntenders"),
        ("market.example/log\n", "market.example/ log\n"),
        ("market.example/log\n", "market.example/l+g\n"),
        ("market.example/log\n", "\n"),
        ("market.example/log\n", f"{'m' * 301}\n"),
    ],
)
def test_a_checkpoint_in_another_spelling_is_refused(change: tuple[str, str]) -> None:
    assert change[0] in TEXT
    with pytest.raises(BadNote):
        read_checkpoint(TEXT.replace(*change))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        TEXT,
        TEXT + SIGNATURE,
        f"{TEXT}\n",
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("12", "1\t2"),
        NOTE.replace("12", "1\x002"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        f"{NOTE}— market.example/log AAAA\n",
        f"{NOTE}— market.example/log\n",
        f"{NOTE}— a+b AAAAAAAA\n",
        f"{NOTE}— a\u00a0b AAAAAAAA\n",
        f"{NOTE}— a  AAAAAAAA\n",
        f"{NOTE}— a é\n",
        f"{NOTE}— a AAAAAA=A\n",
        NOTE + "— a AAAAAAAA\n" * 100,
        "x" * MOST_NOTE_BYTES + NOTE,
        NOTE.replace("12", "\ud800"),
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(BadNote):
        parse_note(note)


def test_a_note_may_have_a_hundred_signatures() -> None:
    assert len(parse_note(NOTE + "— a AAAAAAAA\n" * 99).signatures) == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "market.example/log",
        KEY.vkey[:-4],
        KEY.vkey + "\n",
        KEY.vkey.replace("market", "another"),
        KEY.vkey.replace("+", "+0", 1),
        KEY.vkey.replace("+", " ", 1),
        KEY.vkey.upper(),
        KEY.vkey.replace("+A", "+B"),  # another algorithm
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(BadVerifierKey):
        VerifierKey.parse(text)


def test_a_key_signs_checkpoints_of_its_own_log_alone() -> None:
    with pytest.raises(BadNote, match="origin's name"):
        KEY.sign(replace(CHECKPOINT, origin="another.example/log"))
    for wrong in (
        replace(CHECKPOINT, root=b"short"),
        replace(CHECKPOINT, size=-1),
        replace(CHECKPOINT, tenders=2**53 + 1),
    ):
        with pytest.raises(BadNote):
            KEY.sign(wrong)
    for text in ("no newline", "", "a\ttab\n", "a\n\n— a AAAAAAAA"):
        with pytest.raises(BadNote):
            KEY.sign_text(text)
    with pytest.raises(BadNote, match="characters"):
        CheckpointKey("a name", Ed25519PrivateKey.generate())
    with pytest.raises(ValueError, match="32 bytes"):
        CheckpointKey.from_seed("market.example/log", b"short")
