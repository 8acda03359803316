"""What the market knew before an import, as far as its statements touch it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from market.database import fetch
from market.ownership.rules.known import Identifier, Known, KnownParty, KnownRecord
from market.ownership.rules.links import PartyKind
from market.ownership.rules.statements import Described, Reference, Related, Statement


class _Digest(msgspec.Struct, frozen=True):
    statement: str
    digest: bytes


class _Place(msgspec.Struct, frozen=True):
    first: str
    second: str
    party: UUID


class _Party(msgspec.Struct, frozen=True):
    id: UUID
    kind: PartyKind
    name: str
    named_on: date | None


class _Record(msgspec.Struct, frozen=True):
    scope: str
    record: str
    id: UUID
    dated: date | None


class _Replaced(msgspec.Struct, frozen=True):
    replaces: str
    statement: UUID


async def known_before(statements: Sequence[Statement]) -> Known:
    """Look up everything that a file of statements speaks of, in the current transaction."""
    keys = [statement.key for statement in statements]
    references: dict[Reference, None] = {}
    identifiers: dict[Identifier, None] = {}
    records: list[Reference] = []
    for statement in statements:
        says = statement.says
        if isinstance(says, Described):
            references[statement.reference] = None
            identifiers.update(dict.fromkeys(says.identifiers))
            scope = statement.reference[0]
            references.update(dict.fromkeys((scope, key) for key in statement.replaces))
        elif isinstance(says, Related):
            records.append(statement.reference)
            references.update({item: None for item in (says.holder, says.subject) if item})
    by_reference = await _places(
        "SELECT r.scope AS first, r.reference AS second, r.party FROM ownership_reference r"
        " JOIN unnest($1::text[], $2::text[]) AS g(scope, reference) USING (scope, reference)",
        list(references),
    )
    by_identifier = await _places(
        "SELECT i.scheme AS first, i.identifier AS second, i.party FROM ownership_identifier i"
        " JOIN unnest($1::text[], $2::text[]) AS g(scheme, identifier) USING (scheme, identifier)",
        list(identifiers),
    )
    parties = await fetch(
        _Party,
        "SELECT id, kind, name, named_on FROM ownership_party WHERE id = ANY ($1::uuid[])",
        list({*by_reference.values(), *by_identifier.values()}),
    )
    return Known(
        statements={
            row.statement: row.digest
            for row in await fetch(
                _Digest,
                "SELECT statement, digest FROM ownership_statement"
                " WHERE statement = ANY ($1::text[])",
                keys,
            )
        },
        references=by_reference,
        identifiers=by_identifier,
        parties={row.id: KnownParty(row.id, row.kind, row.name, row.named_on) for row in parties},
        records=await _records(records),
        replaced={
            row.replaces: row.statement
            for row in await fetch(
                _Replaced,
                "SELECT replaces, statement FROM ownership_replacement"
                " WHERE replaces = ANY ($1::text[])",
                keys,
            )
        },
    )


async def _places(sql: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    rows = await fetch(_Place, sql, [one for one, _ in pairs], [other for _, other in pairs])
    return {(row.first, row.second): row.party for row in rows}


async def _records(references: Sequence[Reference]) -> dict[Reference, KnownRecord]:
    """The latest statement about each relationship; of one day, the one imported last."""
    rows = await fetch(
        _Record,
        "SELECT DISTINCT ON (s.scope, s.record) s.scope, s.record, s.id, s.dated"
        " FROM ownership_statement s JOIN ownership_import i ON i.id = s.imported_in"
        " JOIN unnest($1::text[], $2::text[]) AS g(scope, record)"
        " ON g.scope = s.scope AND g.record = s.record"
        " WHERE s.kind = 'relationship'"
        " ORDER BY s.scope, s.record, s.dated DESC NULLS LAST, i.imported_at DESC",
        [scope for scope, _ in references],
        [record for _, record in references],
    )
    return {(row.scope, row.record): KnownRecord(row.id, row.dated) for row in rows}
