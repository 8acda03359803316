"""Text that somebody else wrote, made fit for one line of a mail."""

import re
from typing import Final

LONGEST_SUBJECT: Final = 150
LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 2000
"""Characters of a paragraph, or of one part of a fact."""

# Controls and line breaks would end a header or begin a line of their own; marks of direction
# (Unicode Standard Annex 9) would show a line in another order than it is read; halves of
# surrogate pairs cannot be encoded.
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
_SPACES = re.compile(r"\s+")


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Give the text as one line of at most so many characters; what is cut off ends in `…`."""
    line = _SPACES.sub(" ", _UNFIT.sub(" ", text)).strip()
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
