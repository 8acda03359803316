"""Registers as tables of text for spreadsheets, in which nothing can be taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")
"""Signs, full-width forms included, after which a spreadsheet may carry out what follows."""


def defused(cell: str) -> str:
    """Give a cell as text that a spreadsheet shows and never carries out.

    An apostrophe in front is what OWASP recommends against formula injection; blanks before the
    sign do not hide it from every spreadsheet, so they are looked through.
    """
    shown = cell.lstrip(" \u00a0\u3000")
    return f"'{cell}" if shown[:1] in _FORMULA and shown else cell


def comma_separated(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write a table as RFC 4180 describes, with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
