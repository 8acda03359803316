"""Paths between people and bidders over what is known of ownership."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import msgspec

from market.database import fetch
from market.ownership.rules.links import LinkKind, PartyKind, Share, strength_of, words_for
from market.ownership.rules.paths import (
    MOST_LINKS,
    Found,
    Node,
    Start,
    Step,
    Target,
    find_paths,
    worth_following,
)

_LINKS = """
SELECT l.holder, h.name AS holder_name, h.kind AS holder_kind, l.subject, s.name AS subject_name,
    s.kind AS subject_kind, l.kind, l.share_minimum, l.share_maximum, l.indirect, l.summary
FROM links_between($1::uuid[], $2::uuid[], $3) l
JOIN ownership_party h ON h.id = l.holder JOIN ownership_party s ON s.id = l.subject
"""
_STANDING = """
SELECT id, merged_into FROM ownership_party WHERE id = ANY ($1::uuid[]) AND merged_into IS NOT NULL
"""


class _Link(msgspec.Struct, frozen=True):
    holder: UUID
    holder_name: str
    holder_kind: PartyKind
    subject: UUID
    subject_name: str
    subject_kind: PartyKind
    kind: LinkKind
    share_minimum: Decimal | None
    share_maximum: Decimal | None
    indirect: bool
    summary: bool


class _Merged(msgspec.Struct, frozen=True):
    id: UUID
    merged_into: UUID


class FoundPath(msgspec.Struct, frozen=True, kw_only=True):
    """One path, as it is shown: whom it begins and ends with, told as a sentence.

    `strength` is that of the weakest link in per cent, as decimal text. `links` counts the links
    of ownership, without the introduction and the closing step; `kinds` names every step.
    """

    start: UUID
    target: UUID
    sentence: str
    strength: str
    links: int
    kinds: list[str]


async def paths_between(
    starts: Sequence[Start], targets: Sequence[Target], most_links: int = MOST_LINKS
) -> list[FoundPath]:
    """Find how starts and targets are linked today, in the current transaction.

    A start is a party with, if wanted, the step that leads to it ("Dr A is a director of B Ltd");
    a target likewise with the step that leads on ("C Ltd is a subcontractor of D"). Paths are
    simple, of at most so many links of ownership, shortest first, then strongest; at most fifty
    to each target.

    Raises:
        NoTransaction: outside a command or query.
    """
    given = {start.party.id for start in starts} | {target.party.id for target in targets}
    merged = {row.id: row.merged_into for row in await fetch(_Merged, _STANDING, list(given))}
    begin = [Start(_standing(start.party, merged), start.introduction) for start in starts]
    end = [Target(_standing(target.party, merged), target.closing) for target in targets]
    rows = await fetch(
        _Link,
        _LINKS,
        [start.party.id for start in begin],
        [target.party.id for target in end],
        most_links,
    )
    ends = {start.party.id for start in begin} | {target.party.id for target in end}
    kept = worth_following([(row.holder, row.subject) for row in rows], ends)
    steps = [_step(rows[place]) for place in kept]
    # hubs can make this long: others are answered meanwhile
    found = await asyncio.to_thread(find_paths, steps, begin, end, most_links)
    return [_shown(path) for path in found]


def _standing(node: Node, merged: dict[UUID, UUID]) -> Node:
    return Node(merged.get(node.id, node.id), node.name, node.is_person)


def _step(row: _Link) -> Step:
    share = None
    if row.share_minimum is not None and row.share_maximum is not None:
        share = Share(minimum=row.share_minimum, maximum=row.share_maximum)
    words = words_for(row.kind, share, indirect=row.indirect)
    return Step(
        source=Node(row.holder, row.holder_name, row.holder_kind is PartyKind.PERSON),
        target=Node(row.subject, row.subject_name, row.subject_kind is PartyKind.PERSON),
        forward=words.forward,
        backward=words.backward,
        strength=strength_of(row.kind, share),
        kind=row.kind.value,
        summary=row.summary,
    )


def _shown(path: Found) -> FoundPath:
    return FoundPath(
        start=path.start,
        target=path.target,
        sentence=path.sentence,
        strength=path.percent,
        links=path.links,
        kinds=list(path.kinds),
    )
