"""A mail's text and HTML, both from the same content, so that they cannot say different things."""

from collections.abc import Iterator
from html import escape

import msgspec

from market.mail.kinds import Letter
from market.mail.rules.texts import LONGEST_SUBJECT, one_line

SANDBOX_MARK = "[SANDBOX] "
_SANDBOX = "This comes from a sandbox: nothing in it binds anybody."
_MOST_PARAGRAPHS = 20
_MOST_FACTS = 40

_BODY = "font-family:Arial,sans-serif;font-size:16px;line-height:1.5;color:#0b0c0c;max-width:40em"
_HEADING = "font-size:20px;margin:24px 0 8px"
_TABLE = "border-collapse:collapse;margin:8px 0"
_LABEL = "text-align:left;vertical-align:top;padding:4px 16px 4px 0"
_VALUE = "vertical-align:top;padding:4px 0"
_MARK = "font-weight:bold;border:2px solid #d4351c;padding:8px"
_FOOTER = "font-size:14px;color:#505a5f;border-top:1px solid #b1b4b6;margin-top:24px"
_NOTE = "font-size:12px;white-space:pre-wrap;word-break:break-all"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of the footer, and the address it speaks of."""

    sentence: str
    address: str | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The newest signed statement of the whole log; `root` is base64, as in the note."""

    size: int
    root: str
    note: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a mail says."""

    subject: str
    opening: str | None = None
    letters: tuple[Letter, ...]
    remarks: tuple[Remark, ...]
    checkpoint: Checkpoint | None = None
    public_url: str
    sandbox: bool


def neat(letter: Letter) -> Letter:
    """The letter as it is shown: every text one line of bounded length, no empty ones."""
    paragraphs = [one_line(text) for text in letter.paragraphs[:_MOST_PARAGRAPHS]]
    facts = [(one_line(label), one_line(value)) for label, value in letter.facts[:_MOST_FACTS]]
    return Letter(
        subject=one_line(letter.subject, LONGEST_SUBJECT),
        paragraphs=tuple(text for text in paragraphs if text),
        facts=tuple((label, value or "(none)") for label, value in facts if label),
        path=letter.path,
    )


def subject_of(content: Content) -> str:
    """The subject; in a sandbox it begins with the mark, which nobody's text can take away."""
    subject = one_line(content.subject, LONGEST_SUBJECT)
    return f"{SANDBOX_MARK}{subject}" if content.sandbox else subject


def _checkpoint_sentence(checkpoint: Checkpoint) -> str:
    return (
        f"The newest signed checkpoint of the market's log: size {checkpoint.size}, root"
        f" {checkpoint.root}. Keep this mail: by a checkpoint that is held elsewhere anybody can"
        " show whether the record was rewritten."
    )


def text_of(content: Content) -> str:
    """The plain text."""
    return "\n".join(_text_lines(content)) + "\n"


def _text_lines(content: Content) -> Iterator[str]:
    if content.sandbox:
        yield from (_SANDBOX, "")
    if content.opening is not None:
        yield from (content.opening, "")
    for letter in map(neat, content.letters):
        yield letter.subject
        yield "-" * min(len(letter.subject), 72)
        for paragraph in letter.paragraphs:
            yield from ("", paragraph)
        if letter.facts:
            yield ""
            yield from (f"{label}: {value}" for label, value in letter.facts)
        if letter.path is not None:
            yield from ("", f"{content.public_url}{letter.path}")
        yield ""
    yield "-- "
    for remark in content.remarks:
        yield one_line(remark.sentence)
        if remark.address is not None:
            yield remark.address
    if content.checkpoint is not None:
        yield from ("", _checkpoint_sentence(content.checkpoint), "")
        yield content.checkpoint.note.strip("\n")


def html_of(content: Content) -> str:
    """The HTML: its own inline style, everything escaped, nothing fetched from anywhere."""
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head><meta charset="utf-8">'
        f"<title>{escape(subject_of(content))}</title></head>\n"
        f'<body style="{_BODY}">\n' + "\n".join(_html_lines(content)) + "\n</body>\n</html>\n"
    )


def _html_lines(content: Content) -> Iterator[str]:
    if content.sandbox:
        yield f'<p style="{_MARK}">{_SANDBOX}</p>'
    if content.opening is not None:
        yield f"<p>{escape(content.opening)}</p>"
    for letter in map(neat, content.letters):
        yield f'<h1 style="{_HEADING}">{escape(letter.subject)}</h1>'
        for paragraph in letter.paragraphs:
            yield f"<p>{escape(paragraph)}</p>"
        if letter.facts:
            yield f'<table style="{_TABLE}">'
            for label, value in letter.facts:
                yield (
                    f'<tr><th scope="row" style="{_LABEL}">{escape(label)}</th>'
                    f'<td style="{_VALUE}">{escape(value)}</td></tr>'
                )
            yield "</table>"
        if letter.path is not None:
            yield f"<p>{_link(content.public_url + letter.path)}</p>"
    yield f'<div style="{_FOOTER}">'
    for remark in content.remarks:
        link = "" if remark.address is None else f"<br>{_link(remark.address)}"
        yield f"<p>{escape(one_line(remark.sentence))}{link}</p>"
    if content.checkpoint is not None:
        yield f"<p>{escape(_checkpoint_sentence(content.checkpoint))}</p>"
        yield f'<pre style="{_NOTE}">{escape(content.checkpoint.note.strip(chr(10)))}</pre>'
    yield "</div>"


def _link(address: str) -> str:
    return f'<a href="{escape(address)}">{escape(address)}</a>'
