"""Lists about ownership, page by page."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import Malformed, NotFound
from market.organisations.queries import name_and_id, search_words
from market.ownership.permissions import ensure_may_read_imports
from market.ownership.queries.links import links_of_organisation
from market.ownership.rules.links import PartyKind
from market.ownership.schemas import ImportSummary, LinkView, MatchView, PartyView
from market.pages import Page, decode_cursor, encode_cursor

_MATCH = """
SELECT m.id, m.person, n.name AS person_name, m.party, p.name AS party_name, m.reason,
    m.stated_by, m.stated_at, m.ended_at
FROM ownership_person m JOIN person n ON n.id = m.person JOIN ownership_party p ON p.id = m.party
"""
_ONE_MATCH = f"{_MATCH} WHERE m.id = $1"
# one's own; the registrar sees all, a conflicts guardian those of their organisation's people
_MATCHES = f"""{_MATCH}
WHERE (m.person = $1 OR $2 OR $3 AND EXISTS (
        SELECT FROM membership b WHERE b.person = m.person AND b.organisation = $4
        AND b.ended_at IS NULL))
  AND ($5::uuid IS NULL OR m.id > $5)
ORDER BY m.id LIMIT $6
"""
_PARTIES = """
SELECT p.id, p.kind, p.name, CASE WHEN p.kind = 'entity' THEN ARRAY(
    SELECT i.scheme || ' ' || i.identifier FROM ownership_identifier i WHERE i.party = p.id
    ORDER BY i.scheme, i.identifier LIMIT 20) ELSE '{}' END AS identifiers
FROM ownership_party p
WHERE p.merged_into IS NULL AND ($1::text IS NULL OR p.kind = $1)
  AND (p.name ILIKE ALL ($2::text[]) OR p.kind = 'entity' AND EXISTS (
      SELECT 1 FROM ownership_identifier i WHERE i.party = p.id AND i.identifier = upper($3)))
  AND ($4::text IS NULL OR (p.name, p.id) > ($4, $5::uuid))
ORDER BY p.name, p.id LIMIT $6
"""
_IMPORTS = """
SELECT id, source, statements, added, parties, links, silent, unresolved, imported_by, imported_at
FROM ownership_import
WHERE $1::timestamptz IS NULL OR (imported_at, id) < ($1, $2::uuid)
ORDER BY imported_at DESC, id DESC LIMIT $3
"""


def _bad_cursor() -> Malformed:
    return Malformed("The cursor is not one the market gave. Begin again without it.")


def _id_in(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except ValueError:
        raise _bad_cursor() from None


class _Moment(msgspec.Struct, frozen=True):
    """An instant with its offset, as a cursor holds it."""

    at: datetime
    id: UUID


def _moment_in(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    at, identity = decode_cursor(cursor, 2)
    try:
        moment = msgspec.convert({"at": at, "id": identity}, _Moment)
    except msgspec.ValidationError:
        raise _bad_cursor() from None
    if moment.at.tzinfo is None:
        raise _bad_cursor()
    return moment.at, moment.id


async def match_view(match: UUID) -> MatchView:
    """One match, in the current transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(MatchView, _ONE_MATCH, match)
    if found is None:
        raise NotFound
    return found


async def list_matches(actor: Actor, cursor: str | None, limit: int) -> Page[MatchView]:
    """Who is who, as far as the actor may know: themselves, their organisation's people, all.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after = _id_in(cursor)
    async with reading(actor):
        found = await fetch(
            MatchView,
            _MATCHES,
            actor.person,
            actor.holds(Role.REGISTRAR),
            actor.holds(Role.CONFLICTS_GUARDIAN),
            actor.organisation,
            after,
            limit + 1,
        )
    following = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=following)


async def list_parties(
    actor: Actor, *, words: str | None, kind: PartyKind | None, cursor: str | None, limit: int
) -> Page[PartyView]:
    """The parties of the statements by name, for people to find themselves and others in.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        found = await fetch(
            PartyView,
            _PARTIES,
            None if kind is None else kind.value,
            search_words(words),
            (words or "").strip(),
            after,
            after_id,
            limit + 1,
        )
    items = found[:limit]
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)


async def list_imports(actor: Actor, cursor: str | None, limit: int) -> Page[ImportSummary]:
    """What was imported, the latest first.

    Raises:
        Forbidden: the actor is neither registrar, nor conflicts guardian, nor auditor.
        Malformed: a cursor that is none of the market's.
    """
    ensure_may_read_imports(actor)
    after, after_id = _moment_in(cursor)
    async with reading(actor):
        found = await fetch(ImportSummary, _IMPORTS, after, after_id, limit + 1)
    items = found[:limit]
    following = (
        encode_cursor(items[-1].imported_at.isoformat(), str(items[-1].id))
        if len(found) > limit
        else None
    )
    return Page(items=items, next=following)


async def list_ownership(
    actor: Actor, organisation: UUID, cursor: str | None, limit: int
) -> Page[LinkView]:
    """Who owns, controls or directs an organisation, and what it owns, from which source.

    Raises:
        NotFound: no such organisation.
        Malformed: a cursor that is none of the market's.
    """
    after = _id_in(cursor)
    async with reading(actor):
        known = await fetch_value(
            "SELECT true FROM organisation WHERE id = $1 AND NOT proposed", organisation
        )
        if not known:
            raise NotFound
        found = await links_of_organisation(organisation, after, limit + 1)
    following = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=following)
