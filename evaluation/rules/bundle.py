"""The files of a bundle of disclosure, made out of a record, a ruling, and proofs of the log."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, to_builtins

from evaluation.rules.archive import archive, json_file
from evaluation.rules.disclosure import MEANING, Redaction, Ruling, redacted

MOST_BYTES: Final = 32 * 1024**2
"""How large a bundle may be; the database holds the same (`disclosure_bundle_limited`)."""

_ABOUT: Final = """\
The record of the evaluation of lot {lot} of {reference}, as disclosed.

record.json      the record: by what the bids were judged, every individual score with its reason
                 and its times, what the panel agreed and discussed, declarations, the rankings in
                 exact fractions, recommendation, approvals, award, and the acts in the log
redactions.json  everything that was withheld from it, where and by which rule, and the rules
proofs.json      for each act its header in the log and its path to the checkpoint (RFC 9162)
checkpoint.txt   the signed checkpoint of the log (C2SP signed note), where one was signed

In the place of what was withheld stands {{"withheld": "rule"}}. Nothing was withheld by hand.
The SHA-256 of this file is in the log, as `digest` of the act `record.disclosed`: whoever gets the
file compares it. A leaf of the log is SHA-256 of the byte 0 and the header's RFC 8785 JSON.
Places and totals are computed again from record.json with fractions alone, where prices are given.
"""


class Bundle(Struct, frozen=True, kw_only=True):
    """A bundle and the list of what is not in it."""

    content: bytes
    redactions: tuple[Redaction, ...]


def bundle_of(
    record: Mapping[str, Any],
    ruling: Ruling,
    *,
    checkpoint: str | None,
    events: Sequence[Mapping[str, Any]],
) -> Bundle:
    """Make the bundle: the same record, ruling and proofs give the same bytes, for ever."""
    found = redacted(record, ruling)
    used = sorted({one.rule for one in found.redactions})
    files = {
        "README.txt": _ABOUT.format(lot=record["lot"], reference=record["reference"]).encode(),
        "record.json": json_file(found.record),
        "redactions.json": json_file(
            {
                "ruling": to_builtins(ruling),
                "rules": {rule.value: MEANING[rule] for rule in used},
                "redactions": to_builtins(found.redactions),
            }
        ),
        "proofs.json": json_file(list(events)),
    }
    if checkpoint is not None:
        files["checkpoint.txt"] = checkpoint.encode()
    return Bundle(content=archive(files), redactions=found.redactions)
