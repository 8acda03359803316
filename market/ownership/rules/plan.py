"""What an import changes: parties made, named and merged, links made and superseded."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct

from market.errors import Fault
from market.ownership.rules.known import Identifier, Known, Named
from market.ownership.rules.links import LinkKind
from market.ownership.rules.parties import Parties
from market.ownership.rules.reading import MOST_FAULTS
from market.ownership.rules.statements import (
    Interest,
    Reference,
    Related,
    Statement,
)

_EARLIEST = date.min


class PlannedLink(Struct, frozen=True, kw_only=True, gc=False):
    """A link to be made, already superseded where a newer statement is known."""

    holder: UUID
    subject: UUID
    interest: Interest
    summary: bool
    statement: UUID
    superseded_by: UUID | None


class Plan(Struct, frozen=True, kw_only=True):
    """Everything an import writes, and what it has to report. With faults it writes nothing."""

    faults: tuple[Fault, ...] = ()
    statements: tuple[tuple[UUID, Statement], ...] = ()
    made: tuple[Named, ...] = ()
    renamed: tuple[Named, ...] = ()
    merged: tuple[tuple[UUID, UUID], ...] = ()
    identifiers: tuple[tuple[UUID, Identifier], ...] = ()
    references: tuple[tuple[UUID, Reference], ...] = ()
    links: tuple[PlannedLink, ...] = ()
    superseded_records: tuple[tuple[Reference, UUID], ...] = ()
    superseded_statements: tuple[tuple[str, UUID], ...] = ()
    silent: int = 0
    unresolved: tuple[str, ...] = ()


def plan_import(statements: Sequence[Statement], known: Known, new_id: Callable[[], UUID]) -> Plan:
    """Work out what a file of statements changes.

    Statements that are known change nothing. Parties that share an identifier are one party, so
    are those of statements of which one replaces the other. A reference to nothing makes a party
    of unknown kind with the reference as its name. Of several statements about one record the one
    with the latest date stands, and of two of one day the later in the file.
    """
    faults: list[Fault] = []
    fresh = list(_fresh(statements, known.statements, faults))
    ids = {statement.key: new_id() for statement in fresh}
    parties = Parties(fresh, known, new_id, faults)
    standing = _standing(fresh, known, ids)
    links: list[PlannedLink] = []
    silent = 0
    components = _components(fresh)
    for statement in fresh:
        says = statement.says
        if not isinstance(says, Related):
            continue
        if says.holder is None or says.subject is None:
            silent += 1
            continue
        holder, subject = parties.of[says.holder], parties.of[says.subject]
        if holder == subject:
            reason = f"{parties.name(holder)} cannot be linked to itself."
            faults.append(Fault(field=statement.where, reason=reason))
        explained = _explained(says, components)
        links += [
            PlannedLink(
                holder=holder,
                subject=subject,
                interest=interest,
                summary=explained and interest.may_be_indirect,
                statement=ids[statement.key],
                superseded_by=standing.superseded.get(statement.key),
            )
            for interest in says.interests or (UNSTATED,)
        ]
    if faults:
        return Plan(faults=tuple(faults[:MOST_FAULTS]))
    return Plan(
        statements=tuple((ids[statement.key], statement) for statement in fresh),
        made=tuple(parties.made),
        renamed=tuple(parties.renamed),
        merged=tuple(parties.merged),
        identifiers=tuple(parties.identifiers),
        references=tuple(parties.references),
        links=tuple(links),
        superseded_records=tuple(standing.records),
        superseded_statements=tuple(standing.statements),
        silent=silent,
        unresolved=tuple(parties.unresolved),
    )


def _fresh(
    statements: Iterable[Statement], known: Mapping[str, bytes], faults: list[Fault]
) -> Iterable[Statement]:
    for statement in statements:
        digest = known.get(statement.key)
        if digest is None:
            yield statement
        elif digest != statement.digest:
            reason = f"The statement {statement.key} was imported before, with other content."
            faults.append(Fault(field=statement.where, reason=reason))


# --------------------------------------------------------------------------------------- relations


UNSTATED = Interest(kind=LinkKind.UNKNOWN_INTEREST)
"""The interest of a relationship that names none."""


class _Standing(Struct, frozen=True):
    """Which statements no longer stand: new ones at once, known ones from now on."""

    superseded: dict[str, UUID]
    records: list[tuple[Reference, UUID]]
    statements: list[tuple[str, UUID]]


def _standing(fresh: Sequence[Statement], known: Known, ids: Mapping[str, UUID]) -> _Standing:
    standing = _Standing({}, [], [])
    for statement in fresh:
        for key in statement.replaces:
            if key in ids:
                standing.superseded[key] = ids[statement.key]
            else:
                standing.statements.append((key, ids[statement.key]))
        if statement.key in known.replaced:
            standing.superseded[statement.key] = known.replaced[statement.key]
    relations = [statement for statement in fresh if isinstance(statement.says, Related)]
    latest = _latest(relations)
    for statement in relations:
        last = latest[statement.reference]
        record = known.records.get(statement.reference)
        if record is not None and (record.dated or _EARLIEST) > (last.dated or _EARLIEST):
            standing.superseded[statement.key] = record.statement
        elif last is not statement:
            standing.superseded[statement.key] = ids[last.key]
        elif record is not None:
            standing.records.append((statement.reference, ids[statement.key]))
    return standing


def _latest(relations: Iterable[Statement]) -> dict[Reference, Statement]:
    """The statement about each record that stands: the latest, and of one day the last."""
    latest: dict[Reference, Statement] = {}
    for statement in relations:
        before = latest.setdefault(statement.reference, statement)
        if (statement.dated or _EARLIEST) >= (before.dated or _EARLIEST):
            latest[statement.reference] = statement
    return latest


def _components(fresh: Iterable[Statement]) -> dict[Reference, tuple[Reference, Reference]]:
    """Whom each relationship of the file links, by its record."""
    return {
        statement.reference: (says.holder, says.subject)
        for statement in fresh
        if isinstance(says := statement.says, Related)
        and says.holder is not None
        and says.subject is not None
    }


def _explained(says: Related, components: Mapping[Reference, tuple[Reference, Reference]]) -> bool:
    """Say whether the components of a relationship lead from its holder to its subject.

    Only then does the relationship say nothing that they do not say step by step.
    """
    if says.holder is None or not says.components:
        return False
    onward: dict[Reference, list[Reference]] = defaultdict(list)
    for component in says.components:
        if (ends := components.get(component)) is not None:
            onward[ends[0]].append(ends[1])
    waiting, seen = [says.holder], {says.holder}
    while waiting:
        for party in onward[waiting.pop()]:
            if party == says.subject:
                return True
            if party not in seen:
                seen.add(party)
                waiting.append(party)
    return False
