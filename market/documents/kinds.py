"""Which media types a document may have, told by its first bytes: pure, nothing is unpacked."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

FIRST_BYTES: Final = 8192
"""How many of a document's first bytes its kind is told by."""

_ZIP = b"PK\x03\x04"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"


class MediaType(StrEnum):
    """The media types that a document may have."""

    PDF = "application/pdf"
    DOCX = f"{_OFFICE}.wordprocessingml.document"
    XLSX = f"{_OFFICE}.spreadsheetml.sheet"
    ODT = f"{_OPEN}.text"
    ODS = f"{_OPEN}.spreadsheet"
    PNG = "image/png"
    JPEG = "image/jpeg"
    CSV = "text/csv"
    TXT = "text/plain"


_ENDINGS: Final[Mapping[MediaType, tuple[str, ...]]] = MappingProxyType(
    {
        MediaType.PDF: (".pdf",),
        MediaType.DOCX: (".docx",),
        MediaType.XLSX: (".xlsx",),
        MediaType.ODT: (".odt",),
        MediaType.ODS: (".ods",),
        MediaType.PNG: (".png",),
        MediaType.JPEG: (".jpg", ".jpeg"),
        MediaType.CSV: (".csv",),
        MediaType.TXT: (".txt",),
    }
)
_MAGIC: Final[Mapping[MediaType, bytes]] = MappingProxyType(
    {
        MediaType.PDF: b"%PDF-",
        MediaType.PNG: b"\x89PNG\r\n\x1a\n",
        MediaType.JPEG: b"\xff\xd8\xff",
    }
)
# A text file holds no control characters but these, and a table none either.
_OF_TEXT = frozenset(b"\t\n\r\x0c")
_FIRST_PRINTABLE = 0x20


def name_fault(name: str, media_type: MediaType) -> str | None:
    """Say what is wrong with a document's name, or None: plain, and ending as its type does."""
    if name != name.strip() or name.startswith("."):
        return "A name has no blanks around it and does not begin with a full stop."
    if not name.isprintable() or set(name) & set('/\\:*?"<>|'):
        return 'A name has none of / \\ : * ? " < > | and no control characters.'
    endings = _ENDINGS[media_type]
    if not name.lower().endswith(endings):
        return f"The name of a document of this media type ends in {' or '.join(endings)}."
    return None


def looks_like(media_type: MediaType, first: bytes) -> bool:
    """Say whether a document's first bytes are those of its media type.

    Archives are not unpacked: a DOCX or XLSX is a ZIP file that begins with a member that such
    files begin with, an ODT or ODS one whose first member, not compressed, names its type (Open
    Document Format 1.3, part 2, 3.3).
    """
    if media_type.startswith("text/"):
        return _is_text(first)
    if media_type in _MAGIC:
        return first.startswith(_MAGIC[media_type])
    if not first.startswith(_ZIP):
        return False
    if media_type.startswith(_OPEN):
        return first[30:].startswith(b"mimetype" + media_type.encode("ascii"))
    name = first[30 : 30 + int.from_bytes(first[26:28], "little")]
    return name.startswith(
        (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/", b"word/", b"xl/")
    )


def _is_text(first: bytes) -> bool:
    """Text in UTF-8 or a single-byte encoding: without the control characters of binaries."""
    if first.startswith(tuple(_MAGIC.values())):
        return False
    return all(byte >= _FIRST_PRINTABLE or byte in _OF_TEXT for byte in first)
