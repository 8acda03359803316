"""A letter as a page and as a PDF: self-contained, printable, both saying what the record says."""

import asyncio
import base64
import functools
import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape
from importlib import resources
from string import Template
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import typst

from evaluation.errors import LettersBusy, LetterTooLong
from evaluation.rules.letters import Letter, Section, TableOfLetter

_LONGEST: Final = 2_000_000
"""Bytes of a letter that are still set: some five hundred pages."""
_MOST_WAITING: Final = 20
"""Letters that are being set or wait for it; who asks for one more is told to come again."""
_PATIENCE: Final = 60.0
"""Seconds that a request waits for its letter."""


@functools.cache
def _file(name: str) -> str:
    return resources.files("evaluation.routes").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def content_security_policy() -> str:
    """What the page may do: show its own style, known by its digest, and nothing else."""
    digest = hashlib.sha256(_file("letter.css").encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def letter_page(letter: Letter) -> str:
    """Write a letter as a page. Everything that somebody wrote is escaped."""
    return Template(_file("letter.html")).substitute(
        title=escape(letter.title),
        style=_file("letter.css"),
        particulars="\n".join(
            f"<dt>{escape(name)}</dt><dd>{_isolated(said)}</dd>"
            for name, said in letter.particulars
        ),
        sections="\n".join(_section(part) for part in letter.sections),
    )


async def letter_pdf(letter: Letter) -> bytes:
    """Set a letter as a tagged PDF (PDF/UA-1), one at a time, beside the other requests.

    The same letter gives the same bytes: its date is the record's. One that nobody waits for any
    more is not begun.

    Raises:
        LetterTooLong: it is longer than what is set; read it as a page.
        LettersBusy: too many letters wait already, or this one waited too long.
    """
    written = msgspec.json.encode(letter).decode()
    if len(written.encode()) > _LONGEST:
        raise LetterTooLong
    if len(_waiting) >= _MOST_WAITING:
        raise LettersBusy
    setting = _thread().submit(_set, written, int(letter.made_at.timestamp()))
    _waiting.add(setting)
    setting.add_done_callback(_waiting.discard)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(setting), _PATIENCE)
    except TimeoutError as error:
        raise LettersBusy from error


_waiting: Final[set[Future[bytes]]] = set()


@functools.cache
def _thread() -> ThreadPoolExecutor:
    """One thread: setting keeps a core busy, so whoever asks for many waits, and nobody else."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="letters")


def _set(written: str, made_at: int) -> bytes:
    # an empty root: even markup that somebody got past us would find no file to read
    with TemporaryDirectory() as nothing:
        compiler = typst.Compiler(
            _file("letter.typ").encode(),
            root=nothing,
            ignore_system_fonts=True,
            sys_inputs={"letter": written},
        )
        made = compiler.compile(format="pdf", pdf_standards="ua-1", timestamp=made_at)
    if not isinstance(made, bytes):
        message = "A letter is one PDF."
        raise TypeError(message)
    return made


def _section(part: Section) -> str:
    said = "\n".join(f"<p>{_isolated(text)}</p>" for text in part.paragraphs)
    table = "" if part.table is None else _table(part.table)
    return f"<h2>{_isolated(part.heading)}</h2>\n{said}\n{table}"


def _table(table: TableOfLetter) -> str:
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = "\n".join(_row(row) for row in table.rows)
    return (
        f"<table><caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{header}</tr></thead>\n<tbody>{rows}</tbody></table>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = (_isolated(cell) for cell in cells)
    return f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{c}</td>" for c in others) + "</tr>"


def _isolated(said: str) -> str:
    """Escape a text and keep its direction to itself: marks in it turn nothing around it."""
    return f"<bdi>{escape(said)}</bdi>"
