"""Texts of the registers: bounded in length, without control characters or hidden directions."""

from typing import Annotated, Final

from msgspec import Meta

# Control characters, and those that reorder or hide what a reader of the public register sees
# (Unicode TR 36, section 3.1; TR 9 for the embeddings and isolates).
_HIDDEN: Final = r"\u007f-\u009f\u200b\u2028-\u202e\u2060-\u2069\ufeff"
_LINE: Final = rf"^[^\u0000-\u001f{_HIDDEN}]*$(?!\n)"
_PARAGRAPH: Final = rf"^[^\u0000-\u0009\u000b-\u001f{_HIDDEN}]*$(?!\n)"

LINE: Final = 300
PARAGRAPH: Final = 4000

Line = Annotated[str, Meta(min_length=1, max_length=LINE, pattern=_LINE)]
"""One line of text."""

Paragraph = Annotated[str, Meta(min_length=1, max_length=PARAGRAPH, pattern=_PARAGRAPH)]
"""Text of several lines, divided by line feeds."""


def is_blank(text: str | None) -> bool:
    """Say whether a text was given and says nothing."""
    return text is not None and not text.strip()
