"""What the market knew of ownership before an import, as far as the file touches it."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct

from market.ownership.rules.links import PartyKind
from market.ownership.rules.statements import Reference

Identifier = tuple[str, str]
"""The scheme and the identifier in it."""


class KnownParty(Struct, frozen=True, gc=False):
    """A party that was there before the import."""

    id: UUID
    kind: PartyKind
    name: str
    named_on: date | None


class KnownRecord(Struct, frozen=True, gc=False):
    """The latest statement about a relationship's record, and whom it links."""

    statement: UUID
    dated: date | None


class Known(Struct, frozen=True, kw_only=True):
    """What the market knew before, as far as the file touches it.

    Statements by id with their digests, parties by reference and identifier, the latest statement
    of each record, and for statements that a later one stands for, which.
    """

    statements: Mapping[str, bytes]
    references: Mapping[Reference, UUID]
    identifiers: Mapping[Identifier, UUID]
    parties: Mapping[UUID, KnownParty]
    records: Mapping[Reference, KnownRecord]
    replaced: Mapping[str, UUID]


class Named(Struct, frozen=True, gc=False):
    """A party that is made, or an old one that gets a name or kind."""

    id: UUID
    kind: PartyKind
    name: str
    named_on: date | None
