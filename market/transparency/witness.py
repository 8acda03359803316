"""The newest checkpoint, kept in a file apart from the database: it remembers for it."""

import os
from pathlib import Path


class Witness:
    """What the keeper holds the log against before it signs, so that no loss goes unseen.

    A restore may take the database back before what was signed, without anybody's knowing. The
    file is not restored with it. Whoever also loses the file needs a checkpoint from outside.
    """

    def __init__(self, folder: Path) -> None:
        """Keep it in the market's folder."""
        self._file = folder / "newest-checkpoint"

    def notes(self) -> list[str]:
        """Give what was kept; nothing where there is no file."""
        try:
            return [self._file.read_text(encoding="utf-8")]
        except FileNotFoundError:
            return []

    def keep(self, note: str) -> None:
        """Keep a newer one in its place, whole whatever happens."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
