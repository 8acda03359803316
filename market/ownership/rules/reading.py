"""Reading a file of ownership statements: an array or JSON Lines, versions 0.2 and 0.4."""

import hashlib
import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from market.errors import Fault
from market.ownership.rules import bods_0_2, bods_0_4
from market.ownership.rules.statements import BadStatement, Piece, Statement, Version

MOST_FAULTS = 100
"""How many faults of one file are told at once."""
LARGEST_STATEMENT = 1024 * 1024
_AT = re.compile(r"^(?P<reason>.*?) - at `\$\.?(?P<field>[^`]*)`$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_ESCAPED_NUL = b"\\u0000"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_VERSIONS = frozenset(version.value for version in Version)
_BOM = b"\xef\xbb\xbf"


class _Publication(Struct, frozen=True):
    bodsVersion: str | None = None  # noqa: N815  # the standard's own names, here and below


class _Outline(Struct, frozen=True):
    """What tells the version of a statement."""

    statementID: str | None = None  # noqa: N815
    statementId: str | None = None  # noqa: N815
    publicationDetails: _Publication | None = None  # noqa: N815


class Reading(Struct, frozen=True, kw_only=True):
    """What a file says, or everything that is wrong with it, up to a hundred faults."""

    statements: tuple[Statement, ...]
    faults: tuple[Fault, ...]
    digest: bytes


NOTHING = Reading(statements=(), faults=(), digest=b"")
_OUTLINES: msgspec.json.Decoder[_Outline] = msgspec.json.Decoder(_Outline)
_RAW: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


def read_statements(content: bytes, source: str) -> Reading:
    """Read a whole file. `source` stands for a publisher that does not name itself.

    An array of statements (a package), or one statement a line. Every fault is told with the line
    or place of the statement and the field in it; a file with a fault gives no statements.
    """
    faults: list[Fault] = []
    statements: list[Statement] = []
    first: dict[str, tuple[str, bytes]] = {}
    for where, raw in _pieces(content, faults):
        if len(faults) >= MOST_FAULTS:
            break
        try:
            statement = _read_one(raw, where, source)
        except BadStatement as error:
            faults += [_placed(where, fault) for fault in error.faults]
            continue
        at, digest = first.setdefault(statement.key, (where, statement.digest))
        if digest != statement.digest:
            reason = f"The id {statement.key} stands at {at} already, with other content."
            faults.append(Fault(field=where, reason=reason))
        elif at == where:
            statements.append(statement)
    if not statements and not faults:
        faults.append(Fault(field="", reason="There is no statement in it."))
    return Reading(
        statements=() if faults else tuple(statements),
        faults=tuple(faults[:MOST_FAULTS]),
        digest=hashlib.sha256(content).digest(),
    )


def _placed(where: str, fault: Fault) -> Fault:
    field = f"{where}.{fault.field}" if fault.field else where
    return Fault(field=field, reason=fault.reason)


def _pieces(content: bytes, faults: list[Fault]) -> Iterator[tuple[str, msgspec.Raw]]:
    """Cut a file into statements, each with its place: `[3]` of an array, `line 4` of lines."""
    content = content.removeprefix(_BOM)
    start = content.lstrip()[:1]
    if not start:
        return
    if start == b"[":
        try:
            yield from ((f"[{place}]", raw) for place, raw in enumerate(_RAW.decode(content)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(Fault(field="", reason=f"The array is not JSON: {_plain(error)}."))
        return
    if start != b"{":
        reason = "This is neither an array of statements nor one statement a line."
        faults.append(Fault(field="", reason=reason))
        return
    for number, line in enumerate(content.splitlines(), start=1):
        if text := line.strip():
            yield f"line {number}", msgspec.Raw(text)


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).rstrip(".") or "it cannot be understood"


def _read_one(raw: msgspec.Raw, where: str, source: str) -> Statement:
    """Read one statement by its version.

    Raises:
        BadStatement: with its faults.
    """
    text = bytes(raw)
    if len(text) > LARGEST_STATEMENT:
        raise BadStatement(Fault(field="", reason="One statement may have 1 MiB at most."))
    if _ESCAPED_NUL in text and _NUL.search(text):
        raise BadStatement(Fault(field="", reason="The character NUL cannot be stored."))
    try:
        decoded = msgspec.json.decode(text)
        version = _version_of(_OUTLINES.decode(text))
        canonical = msgspec.json.encode(decoded, order="sorted")
        piece = Piece(
            where=where,
            raw=raw,
            text=text.decode(),
            decoded=decoded,
            digest=hashlib.sha256(canonical).digest(),
        )
        return bods_0_2.read(piece) if version is Version.V0_2 else bods_0_4.read(piece, source)
    except msgspec.ValidationError as error:
        raise BadStatement(_fault(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"This is not JSON: {_plain(error)}."
        raise BadStatement(Fault(field="", reason=reason)) from None


def _fault(message: str) -> Fault:
    """Split "reason - at `$.path`" into reason and field, a missing field's own name included."""
    found = _AT.match(message)
    reason, field = (found["reason"], found["field"]) if found else (message, "")
    field = field.removesuffix("[...]")  # some field that msgspec does not name
    if (missing := _MISSING.search(reason)) is not None:
        field = f"{field}.{missing['name']}".removeprefix(".")
    return Fault(field=field, reason=reason)


def _version_of(outline: _Outline) -> Version:
    """Tell the version: as stated, or by how the statement names its id.

    Raises:
        BadStatement: a version that the market does not read, or nothing to tell it by.
    """
    stated = (outline.publicationDetails or _Publication()).bodsVersion
    if stated is not None:
        if stated in _VERSIONS:
            return Version(stated)
        reason = f"Version {stated!r:.40} is not read; the market reads 0.2 and 0.4."
        raise BadStatement(Fault(field="publicationDetails.bodsVersion", reason=reason))
    if outline.statementID is not None:
        return Version.V0_2
    if outline.statementId is not None:
        return Version.V0_4
    reason = "A statement has a statementId (version 0.4) or a statementID (version 0.2)."
    raise BadStatement(Fault(field="statementId", reason=reason))
