"""Breaches are published anonymised: whose name stands in a text is found here."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

SHORTEST: Final = 3
"""Words of a name with fewer letters occur in any text; a name of such words counts as a whole."""

_WORD: Final = re.compile(r"[^\W\d_]+")


class Naming(Struct, frozen=True):
    """A word of a text that is part of somebody's name, and at which character it begins."""

    word: str
    position: int


def _folded(word: str) -> str:
    """A word without accents and capitals, so that it is found however it is written."""
    decomposed = unicodedata.normalize("NFKD", word)
    plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    # by way of capitals, where some letters meet that small ones keep apart (the dotless i)
    return plain.upper().casefold()


def _words(text: str) -> list[tuple[str, re.Match[str]]]:
    composed = unicodedata.normalize("NFC", text)
    return [(_folded(match[0]), match) for match in _WORD.finditer(composed)]


def namings(text: str, names: Iterable[str]) -> list[Naming]:
    """Find where a text names one of some people: whole words, in any case, accents or none.

    Characters are counted from 1. A first name that is also a common word counts: the text can say
    the same in another way.
    """
    words = _words(text)
    found = {
        position: Naming(word=word, position=position)
        for name in names
        for word, position in _named(words, [folded for folded, _ in _words(name)])
    }
    return [found[position] for position in sorted(found)]


def _named(words: list[tuple[str, re.Match[str]]], name: list[str]) -> Iterator[tuple[str, int]]:
    telling = {word for word in name if len(word) >= SHORTEST}
    for index, (folded, match) in enumerate(words):
        whole = [one for one, _ in words[index : index + len(name)]]
        if folded in telling or (name and not telling and whole == name):
            yield match[0], match.start() + 1
