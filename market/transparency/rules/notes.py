"""Checkpoints as signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), with Ed25519.

A checkpoint states the whole log at one size. Its one extension line, `tenders COUNT ROOT`, states
the map of heads (`market.transparency.rules.heads`) at the same size.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from market.transparency.rules.merkle import HASH_BYTES, MOST_LEAVES

MOST_NOTE_BYTES = 262_144
MOST_SIGNATURES = 100
LONGEST_NAME = 300

_ED25519 = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 4
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CHECKPOINT_LINES = 4
_TENDERS_WORDS = 3
_SIGNATURE_WORDS = 3

Size = Annotated[int, Meta(ge=0, le=MOST_LEAVES)]


class BadNote(ValueError):
    """A text is no signed note, no checkpoint of ours, or not signed by a key that is trusted."""


class BadVerifierKey(ValueError):
    """A text is not the verifier key of an Ed25519 signer."""


class NoteSignature(Struct, frozen=True, kw_only=True):
    """One signature line: who signed by which key, as the line claims."""

    name: str
    key_id: bytes
    signature: bytes


class Note(Struct, frozen=True, kw_only=True):
    """A note as it was parsed: nothing of it is verified yet. `text` ends with a newline."""

    text: str
    signatures: tuple[NoteSignature, ...]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The whole log at one size: the root of its tree, and of the map of tenders' heads."""

    origin: str
    size: Size
    root: bytes
    tenders: Size
    tenders_root: bytes

    def text(self) -> str:
        """Write what is signed."""
        root, tenders_root = _encoded(self.root), _encoded(self.tenders_root)
        return f"{self.origin}\n{self.size}\n{root}\ntenders {self.tenders} {tenders_root}\n"


class VerifierKey(Struct, frozen=True, kw_only=True):
    """An Ed25519 public key with the name it signs by."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `NAME+KEYID+BASE64`. Raises BadVerifierKey."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            _ensure_name(name)
            typed = _decoded(encoded)
        except BadNote as error:
            message = f"This is no verifier key: {error}"
            raise BadVerifierKey(message) from error
        if typed[:1] != _ED25519 or len(typed) != len(_ED25519) + _KEY_BYTES:
            raise BadVerifierKey("This is not the verifier key of an Ed25519 signer.")
        key = cls(name=name, public_key=typed[1:])
        if not _KEY_ID.fullmatch(key_id) or key.key_id.hex() != key_id:
            raise BadVerifierKey("The id in the verifier key does not belong to its name and key.")
        return key

    @property
    def key_id(self) -> bytes:
        """What signature lines refer to the key by: four bytes, not a secure digest."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """Write it as `NAME+KEYID+BASE64`."""
        return f"{self.name}+{self.key_id.hex()}+{_encoded(_ED25519 + self.public_key)}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Tell whether the holder of this key signed exactly this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class CheckpointKey:
    """The private key of a log. Its seed is never shown."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        _ensure_name(name)
        self._private = private
        public = private.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name=name, public_key=public)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> "CheckpointKey":
        """Make the key of the log of this name (its origin) from a 32-byte seed.

        Raises BadNote for a name that no key can have, ValueError for a seed of another length.
        """
        if len(seed) != _KEY_BYTES:
            raise ValueError("The seed of a checkpoint key must be exactly 32 bytes long.")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def __repr__(self) -> str:
        return f"CheckpointKey({self.vkey!r})"

    @property
    def vkey(self) -> str:
        """The verifier key to hand out: `NAME+KEYID+BASE64`."""
        return str(self.verifier)

    def sign(self, checkpoint: Checkpoint) -> str:
        """Write and sign a checkpoint of this log. Raises BadNote if it is another log's."""
        if checkpoint.origin != self.verifier.name:
            raise BadNote("A checkpoint is signed by the key that has its origin's name.")
        text = checkpoint.text()
        read_checkpoint(text)  # no other checkpoint is ever signed than one that can be read
        return self.sign_text(text)

    def sign_text(self, text: str) -> str:
        """Sign any text that ends with a newline, as a note. Raises BadNote."""
        signature = self.verifier.key_id + self._private.sign(text.encode())
        note = f"{text}\n— {self.verifier.name} {_encoded(signature)}\n"
        if parse_note(note).text != text:
            raise BadNote("The text of a note ends with a newline.")
        return note


def origin_of(name: str, *, sandbox: bool) -> str:
    """Name the log of a market: a rehearsal's is never taken for a real one's."""
    return f"{name}/sandbox-log" if sandbox else f"{name}/log"


def is_sandbox(origin: str) -> bool:
    """Tell whether an origin is a rehearsal's, restarted or not."""
    return origin.endswith("/sandbox-log") or "/sandbox-log/" in origin


def parse_note(note: str) -> Note:
    """Take a signed note apart, strictly, without verifying anything. Raises BadNote."""
    try:
        length = len(note.encode())
    except UnicodeEncodeError as error:
        raise BadNote("A note is valid UTF-8.") from error
    if length > MOST_NOTE_BYTES:
        message = f"A note has at most {MOST_NOTE_BYTES} bytes."
        raise BadNote(message)
    if any(character < " " and character != "\n" for character in note):
        raise BadNote("A note has no control characters but newlines.")
    # The signatures follow the last empty line: the text itself may have such lines.
    text, parting, lines = note.rpartition("\n\n")
    if not parting or not lines.endswith("\n"):
        raise BadNote("A note is a text, an empty line, and lines of signatures.")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MOST_SIGNATURES:
        message = f"A note has at most {MOST_SIGNATURES} signatures."
        raise BadNote(message)
    return Note(text=text + "\n", signatures=tuple(_signature(line) for line in signatures))


def verify_note(note: str, keys: Sequence[VerifierKey]) -> str:
    """Give the text of a note that at least one of the keys has signed.

    Lines of other signers are skipped; a line of one of the keys that does not verify condemns the
    note, even beside one that does. Raises BadNote.
    """
    parsed = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified = False
    for line in parsed.signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if not key.signed(parsed.text, line.signature):
            message = f"The signature by {key.name} does not belong to this note."
            raise BadNote(message)
        verified = True
    if not verified:
        raise BadNote("The note is not signed by a key that is trusted.")
    return parsed.text


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint with the market's extension line, strictly. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) != _CHECKPOINT_LINES + 1 or lines[-1]:
        raise BadNote("A checkpoint has four lines: origin, size, root, tenders.")
    origin, size, root, extension = lines[:-1]
    _ensure_name(origin)
    words = extension.split(" ")
    if len(words) != _TENDERS_WORDS or words[0] != "tenders":
        raise BadNote("The fourth line of a checkpoint is `tenders`, their number and a root.")
    return Checkpoint(
        origin=origin,
        size=read_size(size),
        root=read_hash(root),
        tenders=read_size(words[1]),
        tenders_root=read_hash(words[2]),
    )


def verify_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that one of the keys has signed by the name of its origin.

    Raises BadNote.
    """
    origin, _, _ = note.partition("\n")
    return read_checkpoint(verify_note(note, [key for key in keys if key.name == origin]))


def _signature(line: str) -> NoteSignature:
    words = line.split(" ")
    if len(words) != _SIGNATURE_WORDS or words[0] != "—":
        raise BadNote("A line of signature is an em dash, a name and base64, parted by spaces.")
    _ensure_name(words[1])
    signature = _decoded(words[2])
    if len(signature) <= _ID_BYTES:
        raise BadNote("A signature is the four bytes of a key's id, and more.")
    return NoteSignature(
        name=words[1], key_id=signature[:_ID_BYTES], signature=signature[_ID_BYTES:]
    )


def _ensure_name(name: str) -> None:
    unfit = any(one.isspace() or one == "+" or one < " " for one in name)
    if unfit or not 1 <= len(name) <= LONGEST_NAME:
        message = f"A name has 1 to {LONGEST_NAME} characters, and neither spaces nor `+`."
        raise BadNote(message)


def read_size(text: str) -> int:
    """Read a size: decimal, without leading zeros. Raises BadNote."""
    if not _NUMBER.fullmatch(text) or int(text) > MOST_LEAVES:
        message = f"A size is a number from 0 to {MOST_LEAVES} without leading zeros."
        raise BadNote(message)
    return int(text)


def read_hash(text: str) -> bytes:
    """Read a root in base64. Raises BadNote."""
    decoded = _decoded(text)
    if len(decoded) != HASH_BYTES:
        raise BadNote("A root has 32 bytes.")
    return decoded


def read_name(text: str) -> str:
    """Read the name of an origin or a key. Raises BadNote."""
    _ensure_name(text)
    return text


def write_hash(root: bytes) -> str:
    """Write a root in base64."""
    return _encoded(root)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: str) -> bytes:
    """Decode base64 in its one spelling: Python drops unused bits of the last letter."""
    try:
        decoded = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise BadNote("This is not base64.") from error
    if _encoded(decoded) != text:
        raise BadNote("This is not canonical base64.")
    return decoded
