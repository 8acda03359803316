"""Archives whose bytes follow from their contents alone, so that a digest can be checked later."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Final

_DATED: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP file can say
_READABLE: Final = 0o100644 << 16
_UNIX: Final = 3


def archive(files: Mapping[str, bytes]) -> bytes:
    """Make a ZIP file: in order of names, without times, not compressed.

    Compression differs between versions of zlib; the same contents give the same bytes for ever.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATED)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            made.writestr(entry, files[name])
    return written.getvalue()


def json_file(value: object) -> bytes:
    """Write JSON to be read by people too, in one way only."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
