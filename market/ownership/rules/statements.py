"""What a statement says, whichever version of the standard it is written in."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Raw, Struct

from market.errors import Fault
from market.organisations.rules import REGISTERS, BadIdentifier, Scheme, normalise
from market.ownership.rules.links import LinkKind, PartyKind, Share, is_majority, share_fault

LONGEST_NAME = 500
LONGEST_REFERENCE = 300
LONGEST_SCHEME = 100
LONGEST_IDENTIFIER = 200
LONGEST_ID = 64
"""How long the standard lets a statement's id be."""
# Structs of the rules hold no cycles: `gc=False` spares the collector hundreds of thousands.
MOST_INTERESTS = 200
MOST_REFERENCES = 2000
"""How many components, replacements or identifiers one statement may name."""

_LETTERS_OF_A_CODE = 3
_TITLES = {register.title.casefold(): scheme for scheme, register in REGISTERS.items()}
_CODES = {scheme.value: scheme for scheme in Scheme}
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")

Reference = tuple[str, str]
"""What statements call a party or a record: what it is unique in, and itself."""


class Version(StrEnum):
    """The versions of the Beneficial Ownership Data Standard that the market reads."""

    V0_2 = "0.2"
    V0_4 = "0.4"


class StatementKind(StrEnum):
    """What a statement is about."""

    ENTITY = "entity"
    PERSON = "person"
    RELATIONSHIP = "relationship"


class Interest(Struct, frozen=True, kw_only=True, gc=False):
    """One interest of the interested party in the subject."""

    kind: LinkKind
    share: Share | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    may_be_indirect: bool = False
    indirect: bool = False

    @property
    def majority(self) -> bool:
        """True where it makes the interested party a parent of the subject."""
        return is_majority(self.kind, self.share)


class Described(Struct, frozen=True, kw_only=True, gc=False):
    """A statement about an entity or a person."""

    kind: PartyKind
    name: str
    identifiers: tuple[tuple[str, str], ...] = ()


class Related(Struct, frozen=True, kw_only=True, gc=False):
    """A statement about a relationship. Whoever is not named has a reason for silence instead."""

    subject: Reference | None
    holder: Reference | None
    interests: tuple[Interest, ...] = ()
    components: tuple[Reference, ...] = ()
    closed: bool = False


class Statement(Struct, frozen=True, kw_only=True, gc=False):
    """One statement: where it stood, what finds it again, what it says, and itself, whole."""

    where: str
    key: str
    version: Version
    kind: StatementKind
    reference: Reference
    dated: date | None
    replaces: tuple[str, ...]
    says: Described | Related
    digest: bytes
    content: str


class Piece(Struct, frozen=True, kw_only=True, gc=False):
    """One statement as it was found: its place, its JSON as bytes, text and value, its digest."""

    where: str
    raw: Raw
    text: str
    decoded: Any
    digest: bytes


class BadStatement(ValueError):
    """A statement cannot be taken; carries each fault, its field within the statement."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults."""
        super().__init__("; ".join(fault.reason for fault in faults))
        self.faults = faults


def tidy_identifier(
    scheme: str | None, scheme_name: str | None, identifier: str | None
) -> tuple[str, str] | None:
    """Write an identifier so that one party has one, or None where it identifies nobody.

    Registers the market knows have their own form (leading zeros); of another, or of one whose
    form is not kept, letters become capitals and spaces go. An id without any digit ("N/A",
    "unknown") would make strangers one party, so it identifies nobody.
    """
    compact = "".join((identifier or "").split()).upper()
    name = " ".join((scheme or scheme_name or "").split())
    if not compact or not name:
        return None
    known = _TITLES.get(name.casefold())
    code = name.upper() if scheme and known is None else name
    known = known or _CODES.get(code)
    if known is not None:
        code = known.value
        try:
            compact = normalise(known, compact)
        except BadIdentifier:
            known = None
    # only the NHS gives out codes of letters alone, such as RAX, and those have three
    is_code = known is Scheme.NHS and len(compact) == _LETTERS_OF_A_CODE
    return (code, compact) if is_code or any(map(str.isdigit, compact)) else None


def tidy_name(name: str | None) -> str:
    """Put a name on one line."""
    return " ".join((name or "").split())


def day_of(text: str | None, field: str) -> date | None:
    """Read the day of a date or a date-time.

    Raises:
        BadStatement: it is neither.
    """
    if text is None:
        return None
    try:
        if _DATE.match(text):
            return date.fromisoformat(text[:10])
    except ValueError:
        pass
    raise BadStatement(Fault(field=field, reason="This must be a date of the form 2026-11-22."))


def length_faults(reference: str, field: str, longest: int = LONGEST_REFERENCE) -> list[Fault]:
    """Say that a text is empty or too long."""
    if 0 < len(reference) <= longest:
        return []
    return [Fault(field=field, reason=f"This must have 1 to {longest} characters.")]


def interest_faults(interest: Interest, field: str) -> list[Fault]:
    """Say what is wrong with the dates of an interest."""
    starts, ends = interest.starts_on, interest.ends_on
    if starts is not None and ends is not None and ends < starts:
        reason = f"The interest ends on {ends}, before it starts on {starts}."
        return [Fault(field=f"{field}.endDate", reason=reason)]
    return []


def checked_identifiers(
    given: list[tuple[str, str] | None], field: str, faults: list[Fault]
) -> tuple[tuple[str, str], ...]:
    """Give the identifiers that identify somebody, and add what is too long or too many."""
    if len(given) > MOST_REFERENCES:
        faults.append(Fault(field=field, reason="There are too many."))
    kept = []
    for number, item in enumerate(given[:MOST_REFERENCES]):
        if item is not None:
            faults += length_faults(item[0], f"{field}[{number}].scheme", LONGEST_SCHEME)
            faults += length_faults(item[1], f"{field}[{number}].id", LONGEST_IDENTIFIER)
            kept.append(item)
    return tuple(dict.fromkeys(kept))


def share_of(
    exact: Decimal | None,
    minimum: Decimal | None,
    maximum: Decimal | None,
    field: str,
    faults: list[Fault],
) -> Share | None:
    """Read a share: exact where that is given, from 0 or up to 100 where one end is missing."""
    if exact is None and minimum is None and maximum is None:
        return None
    low = exact if exact is not None else minimum or Decimal(0)
    high = exact if exact is not None else Decimal(100) if maximum is None else maximum
    if (reason := share_fault(low, high)) is not None:
        faults.append(Fault(field=field, reason=reason))
        return None
    return Share(minimum=low, maximum=high)
