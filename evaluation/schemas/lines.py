"""One line of text that is shown to everybody."""

from typing import Final

# Neither control characters, nor those that reorder or hide what a reader sees (Unicode TR 36,
# section 3.1); something to see in between; and no line feed after the end.
_NONE_OF: Final = r"\u0000-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060-\u2069\ufeff"
LINE: Final = rf"^[^{_NONE_OF}]*[^\s{_NONE_OF}][^{_NONE_OF}]*$(?!\n)"
