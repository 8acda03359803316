"""Characters that no letter shows as they are: they could hide or turn round what it says."""

import re
import unicodedata
from typing import Any, Final

import msgspec

from evaluation.rules.letters import Letter

_NEW_LINES: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MAY_STAND: Final = frozenset("\n\t\u00ad\u200c\u200d")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def legible(letter: Letter) -> Letter:
    """Write control characters, marks of direction and the like as their Unicode numbers.

    A right-to-left override in a bidder's name would otherwise turn round the points after it.
    """
    return msgspec.convert(_legible(msgspec.to_builtins(letter)), Letter)


def _legible(value: Any) -> Any:
    match value:
        case str():
            return "".join(_shown(one) for one in _NEW_LINES.sub("\n", value))
        case dict():
            return {name: _legible(part) for name, part in value.items()}
        case list() | tuple():
            return [_legible(part) for part in value]
        case _:
            return value


def _shown(character: str) -> str:
    if character in _MAY_STAND or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"[U+{ord(character):04X}]"
