"""Sets one letter as a PDF in a process of its own: JSON comes in, the PDF goes out.

Run as a script, not imported: what typst keeps in memory between letters, hundreds of megabytes for
long ones, ends with the process, and a letter that takes too much of the machine ends alone.
"""

import json
import re
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import typst

_MEMORY: Final = 3 * 1024**3
_SECONDS: Final = 30


_NOT_WESTERN: Final = re.compile(r"[^\n\t -~\u00a0-\u017f\u2010-\u2027\u20ac]")
_NOTE: Final = (
    "Characters",
    "Those that this document cannot show stand as their Unicode numbers; the page shows them.",
)


def set_letter(written: str, made_at: int) -> bytes:
    """Set a letter by the template beside this file; its date is the record's.

    A tagged PDF must show every character. Where the fonts lack one, those beyond western Europe's
    are written as their Unicode numbers, and the letter says so.
    """
    try:
        return _set(written, made_at)
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
    letter = json.loads(written)
    letter["particulars"].append(_NOTE)
    return _set(json.dumps(_western(letter)), made_at)


def _set(written: str, made_at: int) -> bytes:
    template = Path(__file__).with_name("letter.typ").read_bytes()
    # an empty root: even markup that somebody got past us would find no file to read
    with TemporaryDirectory() as nothing:
        compiler = typst.Compiler(
            template, root=nothing, ignore_system_fonts=True, sys_inputs={"letter": written}
        )
        made = compiler.compile(format="pdf", pdf_standards="ua-1", timestamp=made_at)
    if not isinstance(made, bytes):
        message = "A letter is one PDF."
        raise TypeError(message)
    return made


def _western(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_WESTERN.sub(lambda one: f"[U+{ord(one[0]):04X}]", value)
    if isinstance(value, dict):
        return {name: _western(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_western(part) for part in value]
    return value


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    sys.stdout.buffer.write(set_letter(sys.stdin.buffer.read().decode(), int(sys.argv[1])))
