"""The kind of a document is told by its first bytes, and nothing is unpacked."""

import io
import zipfile

import pytest

from market.documents.kinds import FIRST_BYTES, MediaType, looks_like, name_fault


def archive(*names: str, first: tuple[str, bytes] | None = None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        if first is not None:
            packed.writestr(first[0], first[1], zipfile.ZIP_STORED)
        for name in names:
            packed.writestr(name, b"0" * 100_000)
    return made.getvalue()


GENUINE = {
    MediaType.PDF: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    MediaType.DOCX: archive("[Content_Types].xml", "word/document.xml"),
    MediaType.XLSX: archive("_rels/.rels", "xl/workbook.xml"),
    MediaType.ODT: archive("content.xml", first=("mimetype", MediaType.ODT.encode())),
    MediaType.ODS: archive("content.xml", first=("mimetype", MediaType.ODS.encode())),
    MediaType.PNG: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    MediaType.JPEG: b"\xff\xd8\xff\xe0\x00\x10JFIF",
    MediaType.CSV: "item,price\r\nA,£100\r\n".encode("cp1252"),
    MediaType.TXT: "Grüße\tfrom Leeds\n".encode(),
}
ALIKE = {
    frozenset({MediaType.DOCX, MediaType.XLSX}),  # both are told to be Office files, and no more
    frozenset({MediaType.CSV, MediaType.TXT}),
}


@pytest.mark.parametrize("claimed", MediaType)
@pytest.mark.parametrize("real", MediaType)
def test_a_document_looks_like_its_own_kind_and_like_no_other(
    claimed: MediaType, real: MediaType
) -> None:
    alike = claimed is real or frozenset({claimed, real}) in ALIKE
    assert looks_like(claimed, GENUINE[real][:FIRST_BYTES]) is alike


@pytest.mark.parametrize("media_type", MediaType)
def test_a_programme_looks_like_nothing_that_is_taken(media_type: MediaType) -> None:
    for content in (b"MZ\x90\x00\x03", b"\x7fELF\x02\x01", archive("evil.exe"), b"\x00"):
        assert not looks_like(media_type, content)


@pytest.mark.parametrize(
    ("name", "media_type", "good"),
    [
        ("Plan B.pdf", MediaType.PDF, True),
        ("Plan.PDF", MediaType.PDF, True),
        ("Übersicht 2026.odt", MediaType.ODT, True),
        ("photo.jpeg", MediaType.JPEG, True),
        ("plan.docx", MediaType.PDF, False),
        ("plan.pdf.exe", MediaType.PDF, False),
        ("../plan.pdf", MediaType.PDF, False),
        ("a\\b.pdf", MediaType.PDF, False),
        (".pdf", MediaType.PDF, False),
        (" plan.pdf", MediaType.PDF, False),
        ("plan\n.pdf", MediaType.PDF, False),
        ("plan\u202efdp.pdf", MediaType.PDF, False),
        ('"plan".pdf', MediaType.PDF, False),
    ],
)
def test_a_name_is_plain_and_ends_as_its_kind_does(
    name: str, media_type: MediaType, *, good: bool
) -> None:
    assert (name_fault(name, media_type) is None) is good
