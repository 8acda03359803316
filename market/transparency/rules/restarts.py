"""Declarations that a log begins a new origin, because the end of its former one was lost."""

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from market.transparency.rules.notes import (
    BadNote,
    Checkpoint,
    CheckpointKey,
    Size,
    VerifierKey,
    read_hash,
    read_name,
    read_size,
    verify_note,
    write_hash,
)

LONGEST_REASON = 300
_LINES = 5
_RESTART = re.compile(r"/[0-9]{8}T[0-9]{6}Z\Z")


class Restart(Struct, frozen=True, kw_only=True):
    """That a log goes on under another origin from where its former one is still whole.

    `kept` is the size up to which checkpoints of the former hold for this log; `known` is the size
    of the newest checkpoint of the former that is known, and `known_root` its root. What the former
    held between the two is lost.
    """

    origin: str
    former: str
    kept: Size
    known: Size
    known_root: bytes
    because: str

    def text(self) -> str:
        """Write what is signed."""
        return (
            f"{self.origin}\nrestarts {self.former}\nkept {self.kept}\n"
            f"known {self.known} {write_hash(self.known_root)}\nbecause {self.because}\n"
        )

    def sign(self, key: CheckpointKey) -> str:
        """Sign it by the new origin's key. Raises BadNote if it is another's, or cannot be read."""
        if key.verifier.name != self.origin:
            raise BadNote("A restart is signed by the key that has the new origin's name.")
        text = self.text()
        read_restart(text)
        return key.sign_text(text)

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"The log was restarted: of {self.former}, {self.kept} positions are kept; its newest"
            f" known checkpoint is of {self.known}. The reason given is: {self.because}"
        )

    def has_lost(self, checkpoint: Checkpoint) -> bool:
        """Tell whether a checkpoint of the former origin is of what is declared lost."""
        return self.kept < checkpoint.size <= self.known


def origin_restarted(first: str, at: datetime) -> str:
    """Name the origin of a log restarted at an instant (UTC), by the name it had first."""
    return f"{first}/{at:%Y%m%dT%H%M%SZ}"


def first_origin(origin: str) -> str:
    """Give the name that a log had before any restart."""
    return _RESTART.sub("", origin)


def read_restart(text: str) -> Restart:
    """Read the text of a declaration, strictly. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[-1]:
        raise BadNote("A restart has five lines: origin, restarts, kept, known, because.")
    words = [line.partition(" ") for line in lines[1:-1]]
    if [word for word, _, _ in words] != ["restarts", "kept", "known", "because"]:
        raise BadNote("The lines of a restart are not what they must be.")
    former, kept, known, because = (rest for _, _, rest in words)
    known_size, _, known_root = known.partition(" ")
    if not 1 <= len(because) <= LONGEST_REASON:
        message = f"The reason of a restart has 1 to {LONGEST_REASON} characters."
        raise BadNote(message)
    restart = Restart(
        origin=read_name(lines[0]),
        former=read_name(former),
        kept=read_size(kept),
        known=read_size(known_size),
        known_root=read_hash(known_root),
        because=because,
    )
    if restart.origin == restart.former:
        raise BadNote("A restart has another origin than what it restarts.")
    return restart


def verify_restart(note: str, keys: Sequence[VerifierKey], origin: str) -> Restart:
    """Read a declaration that one of the keys has signed by the name of the origin.

    Raises BadNote.
    """
    restart = read_restart(verify_note(note, [key for key in keys if key.name == origin]))
    if restart.origin != origin:
        raise BadNote("The restart is of another log.")
    return restart
