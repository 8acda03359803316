"""What stands in the log of a test, held against the vocabulary."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from market.events.vocabulary import CREDENTIAL, VOCABULARY, Kind

_CODE = re.compile(r"[A-Za-z0-9_./:+-]{1,80}( [A-Z0-9]{1,5})?")  # a pseudonym is Supplier 7, Bid A
_DIGEST = re.compile(r"[0-9a-f]{64}")
# what makers of tests record, and no programme
_OF_TESTS = frozenset({"reference.read", "test.acted", "test.made"})

_EVENTS = """
SELECT e.action, e.subject_kind, e.details, v.details AS private,
       e.before_digest IS NOT NULL OR e.after_digest IS NOT NULL AS commits
FROM event e LEFT JOIN event_private v ON v.event = e.id
"""


async def strange_events(superuser: Any) -> set[str]:
    """What events hold that their action does not declare; empty where all is as declared."""
    found = set()
    for row in await superuser.fetch(_EVENTS):
        name = row["action"]
        if name in _OF_TESTS:
            continue
        if name not in VOCABULARY:
            found.add(f"{name} is unknown")
            continue
        action = VOCABULARY[name]
        declared = {**action.details, CREDENTIAL: Kind.ID}
        if row["subject_kind"] not in action.of:
            found.add(f"{name} of {row['subject_kind']}")
        if row["commits"] and not action.commits_to:
            found.add(f"{name} commits to something")
        private = json.loads(row["private"] or "{}")
        found |= {f"{name}: private {key}" for key in set(private) - set(action.private)}
        for key, value in json.loads(row["details"]).items():
            if key not in declared:
                found.add(f"{name}: {key}")
            elif value is not None and not _is(declared[key], value):
                found.add(f"{name}: {key} is no {declared[key].value}: {value!r}")
    return found


def _is(kind: Kind, value: Any) -> bool:
    """Whether a value is of a kind: by its form, as far as that can tell."""
    match kind, value:
        case Kind.IDS | Kind.CODES, list():
            one = Kind.ID if kind is Kind.IDS else Kind.CODE
            return all(_is(one, item) for item in value)
        case Kind.TRUTH, bool():
            return True
        case Kind.NUMBER, int():
            return not isinstance(value, bool)
        case _, str():
            return kind in _FORMS and _reads(_FORMS[kind], value)
        case _:
            return False


def _reads(form: Callable[[str], Any], text: str) -> bool:
    try:
        return form(text) is not None
    except ValueError:
        return False


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


_FORMS: dict[Kind, Callable[[str], Any]] = {
    Kind.ID: UUID,
    Kind.CODE: _CODE.fullmatch,
    Kind.DIGEST: _DIGEST.fullmatch,
    Kind.INSTANT: _instant,
    Kind.DATE: date.fromisoformat,
}
