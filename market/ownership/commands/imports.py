"""Importing a file of ownership statements, whole or not at all."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import current, execute, fetch, fetch_value
from market.errors import Fault, TooLarge
from market.events.commands import record
from market.ownership.errors import UnusableStatements
from market.ownership.permissions import ensure_may_import, may_import
from market.ownership.queries.known import known_before
from market.ownership.rules.plan import Plan, plan_import
from market.ownership.rules.reading import NOTHING, Reading, read_statements
from market.ownership.schemas import ImportView

_SHOWN = 100
_LARGE = 1000  # statements after which the database's statistics are made anew
_LONGEST_DETAIL = 3  # faults that the sentence names; the list names all

# shares that are known exactly, of subjects that the import touches
_OVER = """
SELECT p.name || ': ' || trim_scale(sum(l.share_minimum)) || ' % of its ' ||
    CASE l.kind WHEN 'shareholding' THEN 'shares' ELSE 'votes' END || ' are held' AS warning
FROM ownership_link l JOIN ownership_party p ON p.id = l.subject
WHERE l.subject = ANY ($1::uuid[]) AND l.kind IN ('shareholding', 'voting_rights')
  AND l.share_minimum = l.share_maximum AND NOT l.summary AND l.superseded_at IS NULL
  AND (l.starts_on IS NULL OR l.starts_on <= (market_now() AT TIME ZONE 'Europe/London')::date)
  AND (l.ends_on IS NULL OR l.ends_on > (market_now() AT TIME ZONE 'Europe/London')::date)
GROUP BY p.id, p.name, l.kind HAVING sum(l.share_minimum) > 100
ORDER BY p.name, l.kind LIMIT 100
"""
_ENDED_BY_RECORD = """
UPDATE ownership_link l SET superseded_at = market_now(), superseded_by = n.newer
FROM unnest($1::text[], $2::text[], $3::uuid[]) AS n(scope, record, newer)
JOIN ownership_statement s
    ON s.scope = n.scope AND s.record = n.record AND s.kind = 'relationship'
WHERE l.statement = s.id AND l.superseded_at IS NULL AND s.imported_in <> $4
"""
_ENDED_BY_STATEMENT = """
UPDATE ownership_link l SET superseded_at = market_now(), superseded_by = n.newer
FROM unnest($1::text[], $2::uuid[]) AS n(statement, newer)
JOIN ownership_statement s ON s.statement = n.statement
WHERE l.statement = s.id AND l.superseded_at IS NULL
"""


class _Warning(msgspec.Struct, frozen=True):
    warning: str


class _Linked(msgspec.Struct, frozen=True):
    name: str


async def import_statements(
    actor: Actor, content: bytes, source: str, *, most_bytes: int
) -> ImportView:
    """Import Beneficial Ownership Data Standard statements, 0.2 or 0.4, an array or JSON Lines.

    The same statement imported twice changes nothing. The file is read in a thread, so that
    others are answered meanwhile.

    Raises:
        NotYoursToState: the actor may not import.
        TooLarge: it has more bytes than are taken this way.
        UnusableStatements: faults, up to a hundred, each with its place; nothing was imported.
    """
    if not may_import(actor):  # refused, and recorded so, before anything is read
        return await _import(actor, NOTHING, source)
    if len(content) > most_bytes:
        message = (
            f"The file has more than {most_bytes} bytes. Divide it, or let the market's operator"
            " import it by the command line."
        )
        raise TooLarge(message)
    reading = await asyncio.to_thread(read_statements, content, source)
    _ensure_no_faults(reading.faults)
    return await _import(actor, reading, source)


def _ensure_no_faults(faults: Sequence[Fault]) -> None:
    if not faults:
        return
    told = "; ".join(
        f"{fault.field}: {fault.reason}" if fault.field else fault.reason
        for fault in faults[:_LONGEST_DETAIL]
    )
    more = len(faults) - _LONGEST_DETAIL
    raise UnusableStatements(f"{told}; and {more} more" if more > 0 else told, faults=faults)


@command
async def _import(actor: Actor, reading: Reading, source: str) -> ImportView:
    ensure_may_import(actor)
    await execute("SELECT hold_ownership()")
    known = await known_before(reading.statements)
    plan = await asyncio.to_thread(plan_import, reading.statements, known, uuid4)
    _ensure_no_faults(plan.faults)
    await _ensure_no_link_within(plan)
    identity = uuid4()
    # before anything is written: the guards of bulk tables ask for an event at once
    await record(
        actor,
        "ownership.imported",
        "ownership_import",
        identity,
        private={"source": source},
        content=reading.digest.hex(),
        statements=len(reading.statements),
        added=len(plan.statements),
    )
    await current().flush()  # these tables want their event first
    await execute(
        "INSERT INTO ownership_import (id, source, content_digest, statements, added, parties,"
        " links, silent, unresolved, imported_at, transaction)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, market_now(), 0)",
        identity,
        source,
        reading.digest,
        len(reading.statements),
        len(plan.statements),
        len(plan.made),
        len(plan.links),
        plan.silent,
        len(plan.unresolved),
    )
    now: datetime = await fetch_value("SELECT market_now()")
    await _write_parties(plan, now)
    ended = await _write_statements(plan, identity)
    await _write_links(plan, now)
    if len(plan.statements) >= _LARGE:
        await execute("SELECT count_ownership_anew()")
    warnings = await fetch(_Warning, _OVER, list({link.subject for link in plan.links}))
    return ImportView(
        id=identity,
        source=source,
        statements=len(reading.statements),
        added=len(plan.statements),
        parties=len(plan.made),
        merged=len(plan.merged),
        links=len(plan.links),
        ended=ended,
        silent=plan.silent,
        unresolved=len(plan.unresolved),
        unresolved_references=list(plan.unresolved[:_SHOWN]),
        warnings=[item.warning for item in warnings],
    )


async def _ensure_no_link_within(plan: Plan) -> None:
    """Refuse to make one party of two that are linked to each other already."""
    if not plan.merged:
        return
    groups: dict[UUID, set[UUID]] = {}
    for absorbed, survivor in plan.merged:
        groups.setdefault(survivor, {survivor}).add(absorbed)
    faults: list[Fault] = []
    for group in groups.values():
        linked = await fetch(
            _Linked,
            "SELECT p.name FROM ownership_link l JOIN ownership_party p ON p.id = l.subject"
            " WHERE l.holder = ANY ($1::uuid[]) AND l.subject = ANY ($1::uuid[]) LIMIT 1",
            list(group),
        )
        faults += [
            Fault(
                field="",
                reason=f"By their identifiers, {item.name} and a party that is linked to it"
                " would be one and the same.",
            )
            for item in linked
        ]
    _ensure_no_faults(faults[:_SHOWN])


async def _copy(table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await current().connection.copy_records_to_table(table, columns=columns, records=rows)


async def _write_parties(plan: Plan, now: datetime) -> None:
    await _copy(
        "ownership_party",
        ("id", "kind", "name", "named_on", "recorded_at"),
        [(made.id, made.kind.value, made.name, made.named_on, now) for made in plan.made],
    )
    if plan.renamed:
        await execute(
            "UPDATE ownership_party p SET kind = n.kind, name = n.name, named_on = n.named_on"
            " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::date[])"
            " AS n(id, kind, name, named_on) WHERE p.id = n.id",
            [named.id for named in plan.renamed],
            [named.kind.value for named in plan.renamed],
            [named.name for named in plan.renamed],
            [named.named_on for named in plan.renamed],
        )
    for absorbed, survivor in plan.merged:
        await execute("SELECT merge_ownership_parties($1, $2)", absorbed, survivor)
    await _copy(
        "ownership_identifier",
        ("party", "scheme", "identifier"),
        [(party, *identifier) for party, identifier in plan.identifiers],
    )
    await _copy(
        "ownership_reference",
        ("party", "scope", "reference"),
        [(party, *reference) for party, reference in plan.references],
    )


async def _write_statements(plan: Plan, identity: UUID) -> int:
    """Keep the statements, end what they stand in the place of, and say how many links ended."""
    await _copy(
        "ownership_statement",
        (
            "id",
            "imported_in",
            "statement",
            "version",
            "kind",
            "scope",
            "record",
            "dated",
            "digest",
            "content",
        ),
        [
            (
                key,
                identity,
                statement.key,
                statement.version.value,
                statement.kind.value,
                *statement.reference,
                statement.dated,
                statement.digest,
                statement.content,
            )
            for key, statement in plan.statements
        ],
    )
    await _copy(
        "ownership_replacement",
        ("statement", "replaces"),
        [
            (key, replaced)
            for key, statement in plan.statements
            for replaced in dict.fromkeys(statement.replaces)
        ],
    )
    ended = 0
    if plan.superseded_records:
        ended += await execute(
            _ENDED_BY_RECORD,
            [scope for (scope, _), _ in plan.superseded_records],
            [reference for (_, reference), _ in plan.superseded_records],
            [newer for _, newer in plan.superseded_records],
            identity,
        )
    if plan.superseded_statements:
        ended += await execute(
            _ENDED_BY_STATEMENT,
            [statement for statement, _ in plan.superseded_statements],
            [newer for _, newer in plan.superseded_statements],
        )
    return ended


async def _write_links(plan: Plan, now: datetime) -> None:
    rows: list[tuple[object, ...]] = []
    for link in plan.links:
        interest, share = link.interest, link.interest.share
        rows.append(
            (
                link.holder,
                link.subject,
                interest.kind.value,
                None if share is None else share.minimum,
                None if share is None else share.maximum,
                interest.majority,
                interest.indirect,
                link.summary,
                interest.starts_on,
                interest.ends_on,
                link.statement,
                now,
                None if link.superseded_by is None else now,
                link.superseded_by,
            )
        )
    await _copy(
        "ownership_link",
        (
            "holder",
            "subject",
            "kind",
            "share_minimum",
            "share_maximum",
            "majority",
            "indirect",
            "summary",
            "starts_on",
            "ends_on",
            "statement",
            "recorded_at",
            "superseded_at",
            "superseded_by",
        ),
        rows,
    )
