"""Texts in Markdown, in which nothing that somebody wrote can be mistaken for its structure."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from evaluation.rules.procurement_report import ReportItem

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~])")


def escaped(text: str) -> str:
    """Write a text on one line, as it is, whatever characters it has."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def report_in_markdown(
    title: str, about: Sequence[str], items: Sequence[ReportItem], pending: Sequence[int]
) -> str:
    """Write a procurement report: a heading an item, a line a sentence, and its source."""
    return "\n".join(_lines(title, about, items, pending)) + "\n"


def _lines(
    title: str, about: Sequence[str], items: Sequence[ReportItem], pending: Sequence[int]
) -> Iterator[str]:
    yield f"# {escaped(title)}"
    yield ""
    for line in about:
        yield f"{escaped(line)}  "
    if pending:
        numbers = ", ".join(str(number) for number in pending)
        yield f"Not decided yet, and not in this report: lots {numbers}\\."
    for item in items:
        yield ""
        yield f"## ({item.item}) {escaped(item.title)}"
        yield ""
        yield from (f"- {escaped(sentence)}" for sentence in item.says)
        yield ""
        yield f"*{escaped(item.source)}*"
