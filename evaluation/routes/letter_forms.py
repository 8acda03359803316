"""A letter as a page and as a PDF: self-contained, printable, both saying what the record says."""

import asyncio
import base64
import functools
import hashlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from evaluation.award_errors import LettersBusy, LetterTooLong
from evaluation.rules.legible import legible
from evaluation.rules.letters import Letter, Section, TableOfLetter

_LONGEST: Final = 2_000_000
"""Bytes of a letter that are still set: some five hundred pages."""
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 20
"""Letters that are being set or wait for it; who asks for one more is told to come again."""
_PATIENCE: Final = 60.0
"""Seconds that a request waits for its letter; then the process is ended."""
_SCRIPT: Final = Path(__file__).with_name("letter_setting.py")
_waiting: Final[set[object]] = set()
_turns: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


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
    letter = legible(letter)
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
    """Set a letter as a tagged PDF (PDF/UA-1), in a process of its own, a few at once.

    The same letter gives the same bytes: its date is the record's.

    Raises:
        LetterTooLong: it is longer than what is set; read it as a page.
        LettersBusy: too many letters wait already, or this one waited too long.
    """
    written = msgspec.json.encode(legible(letter))
    if len(written) > _LONGEST:
        raise LetterTooLong
    if len(_waiting) >= _MOST_WAITING:
        raise LettersBusy
    place = object()
    _waiting.add(place)
    try:
        async with asyncio.timeout(_PATIENCE), _turn():
            return await _set(written, int(letter.made_at.timestamp()))
    except TimeoutError as error:
        raise LettersBusy from error
    finally:
        _waiting.discard(place)


def _turn() -> asyncio.Semaphore:
    """Whose turn it is, in this event loop."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))


async def _set(written: bytes, made_at: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_SCRIPT),
        str(made_at),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={},  # no secret of the API's is the script's
    )
    try:
        made, said = await process.communicate(written)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        message = f"The letter was not set: {said[-1_000:].decode(errors='replace')}"
        raise RuntimeError(message)
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
