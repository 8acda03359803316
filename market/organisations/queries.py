"""What can be read about organisations and service lines."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, reading
from market.errors import Malformed, NotFound
from market.organisations.rules import OrganisationKind, Scheme
from market.organisations.schemas import OrganisationView, RegisteredIdentifier, ServiceLineView
from market.pages import Page, decode_cursor, encode_cursor

# every word occurs in the name, or the whole is one of the identifiers
_ORGANISATIONS = """
SELECT o.id, o.kind, o.name, o.address, o.population, o.demonstration
FROM organisation o
WHERE NOT o.proposed
  AND ($1::text IS NULL OR o.kind = $1)
  AND (o.name ILIKE ALL ($2::text[]) OR EXISTS (
      SELECT 1 FROM organisation_identifier i
      WHERE i.organisation = o.id AND i.identifier = upper($3)))
  AND ($4::text IS NULL OR (o.name, o.id) > ($4, $5::uuid))
ORDER BY o.name, o.id LIMIT $6
"""
_ORGANISATION = """
SELECT id, kind, name, address, population, demonstration
FROM organisation WHERE id = $1 AND NOT proposed
"""


class _Organisation(msgspec.Struct, frozen=True):
    id: UUID
    kind: OrganisationKind
    name: str
    address: str | None
    population: int | None
    demonstration: bool


class _Held(msgspec.Struct, frozen=True):
    organisation: UUID
    scheme: Scheme
    identifier: str


def search_words(text: str | None) -> list[str]:
    """Make a pattern for ILIKE of each word, in which nothing but letters has a meaning."""
    words = (text or "").split()
    escaped = (word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words)
    return [f"%{word}%" for word in escaped]


def name_and_id(cursor: str) -> tuple[str, UUID]:
    """Read the cursor of a list that is ordered by name and id.

    Raises:
        Malformed: it is none of ours.
    """
    name, identity = decode_cursor(cursor, 2)
    try:
        if "\x00" not in name:
            return name, UUID(identity)
    except ValueError:
        pass
    message = "The cursor is not one the market gave. Begin again without it."
    raise Malformed(message)


async def identifiers_of(organisations: Sequence[UUID]) -> dict[UUID, list[RegisteredIdentifier]]:
    """The identifiers of organisations, inside the current transaction."""
    found: dict[UUID, list[RegisteredIdentifier]] = {}
    for held in await fetch(
        _Held,
        "SELECT organisation, scheme, identifier FROM organisation_identifier"
        " WHERE organisation = ANY ($1::uuid[]) ORDER BY scheme, identifier",
        list(organisations),
    ):
        identifier = RegisteredIdentifier(scheme=held.scheme, identifier=held.identifier)
        found.setdefault(held.organisation, []).append(identifier)
    return found


async def _viewed(found: Sequence[_Organisation]) -> list[OrganisationView]:
    identifiers = await identifiers_of([one.id for one in found])
    return [
        OrganisationView(
            id=one.id,
            kind=one.kind,
            name=one.name,
            address=one.address,
            population=one.population,
            demonstration=one.demonstration,
            identifiers=identifiers.get(one.id, []),
        )
        for one in found
    ]


async def list_organisations(
    actor: Actor,
    *,
    words: str | None,
    kind: OrganisationKind | None,
    cursor: str | None,
    limit: int,
) -> Page[OrganisationView]:
    """Give the organisations by name; those that nobody has confirmed are not among them.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        found = await fetch(
            _Organisation,
            _ORGANISATIONS,
            None if kind is None else kind.value,
            search_words(words),
            (words or "").strip(),
            after,
            after_id,
            limit + 1,
        )
        items = await _viewed(found[:limit])
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)


async def read_organisation(actor: Actor, organisation: UUID) -> OrganisationView:
    """Give one organisation.

    Raises:
        NotFound: there is none, or nobody has confirmed it yet.
    """
    async with reading(actor):
        found = await _viewed(await fetch(_Organisation, _ORGANISATION, organisation))
    if not found:
        raise NotFound
    return found[0]


async def list_service_lines(actor: Actor) -> list[ServiceLineView]:
    """Give every service line, by group and title; a few dozen, so in one answer."""
    async with reading(actor):
        return await fetch(
            ServiceLineView,
            "SELECT code, title, group_title, cpv, source FROM service_line"
            " ORDER BY group_title, title, code",
        )
