"""Finding in a text what others offered: their prices, and words out of their bids."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile(r"(£\s?)?(\d[\d,]*(?:\.\d+)?)")
_THOUSAND: Final = 1_000
_SHORTEST: Final = 12
_LONGEST: Final = 40


def prices_in(text: str) -> Iterator[Decimal]:
    """The numbers of a text that may be prices: pounds, pence, or a thousand and more.

    A bare small number ("10 points") says no price.
    """
    for pounds, digits in _NUMBER.findall(text):
        value = Decimal(digits.replace(",", ""))
        if pounds or "." in digits or value >= _THOUSAND:
            yield value


class Numbers:
    """Prices that a text must not state, in whatever way they are written."""

    def __init__(self, prices: Iterable[str]) -> None:
        self._prices = {Decimal(price) for price in prices}

    def are_in(self, text: str) -> bool:
        """Say whether a text states one of them."""
        return any(price in self._prices for price in prices_in(text))


class Quotations:
    """Words that a text must not repeat, however lines, blanks and capitals fall.

    A quotation shorter than a dozen characters says nothing. Of a longer one every stretch of
    forty characters counts, so that a part of it is found too. Found in time that grows with the
    texts alone, however many quotations there are.
    """

    def __init__(self, quotations: Iterable[str]) -> None:
        self._stretches: dict[int, set[str]] = defaultdict(set)
        for quotation in quotations:
            words = _plain(quotation)
            length = min(len(words), _LONGEST)
            if length >= _SHORTEST:
                self._stretches[length].update(_stretches(words, length))

    def are_in(self, text: str) -> bool:
        """Say whether a text repeats one of them, or a stretch of one."""
        words = _plain(text)
        return any(
            stretch in known
            for length, known in self._stretches.items()
            for stretch in _stretches(words, length)
        )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _stretches(words: str, length: int) -> Iterator[str]:
    return (words[start : start + length] for start in range(len(words) - length + 1))
