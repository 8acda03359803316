"""What can be read of a requirement: as published, each version, who wrote and reviewed it."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from tenders.permissions.tenders import ensure_reads_draft, ensure_sees_inside
from tenders.queries.facts import facts_of
from tenders.rules.requirement import Requirement
from tenders.schemas.tenders import (
    RequirementVersionView,
    RequirementView,
    ReviewView,
    StoredRequirement,
)

# One statement for the anonymous reader of a published requirement: it is a hot path.
_PUBLISHED_REQUIREMENT = """
SELECT t.id AS tender, t.version, r.number, encode(r.digest, 'hex') AS digest, r.edited_at,
       r.content
FROM tender t JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
WHERE t.id = $1 AND t.published_at IS NOT NULL
"""
_REQUIREMENT = """
SELECT t.id AS tender, t.version, r.number, encode(r.digest, 'hex') AS digest, r.edited_at,
       r.content
FROM tender t JOIN requirement_version r ON r.tender = t.id
WHERE t.id = $1 AND ($2::int IS NULL OR r.number = $2) ORDER BY r.number DESC LIMIT 1
"""
_VERSIONS = """
SELECT r.number, encode(r.digest, 'hex') AS digest, r.edited_by, p.name AS editor_name,
       r.organisation, r.edited_at
FROM requirement_version r JOIN person p ON p.id = r.edited_by
WHERE r.tender = $1 ORDER BY r.number
"""
_REVIEWS = """
SELECT r.requirement, r.reviewer, p.name AS reviewer_name, r.outcome, r.comments, r.reviewed_at
FROM review r JOIN person p ON p.id = r.reviewer WHERE r.tender = $1 ORDER BY r.reviewed_at
"""
_NUMBERS = range(1, 2**31)  # a path may hold any number of digits, a column may not


class _Requirement(msgspec.Struct, frozen=True):
    tender: UUID
    version: int
    number: int
    digest: str
    edited_at: datetime
    content: str


class _Version(msgspec.Struct, frozen=True):
    number: int
    digest: str
    edited_by: UUID
    editor_name: str
    organisation: UUID
    edited_at: datetime


class _Review(msgspec.Struct, frozen=True):
    requirement: int
    reviewer: UUID
    reviewer_name: str
    outcome: str
    comments: str
    reviewed_at: datetime


async def requirement(actor: Actor, tender_id: UUID) -> StoredRequirement:
    """Show the published requirement to everybody, and its latest draft to the house.

    Raises:
        NotFound: there is none, or none that the actor may know of.
        DutyNotTakenUp: a draft in which the actor has not declared on taking their duty.
    """
    async with reading(actor):
        found = await fetch_one(_Requirement, _PUBLISHED_REQUIREMENT, tender_id)
        if found is None:
            ensure_reads_draft(actor, await facts_of(actor, tender_id))
            found = await fetch_one(_Requirement, _REQUIREMENT, tender_id, None)
    return _as_stored(found)


async def requirement_version(actor: Actor, tender_id: UUID, number: int) -> StoredRequirement:
    """Show one version of the requirement, superseded ones included, to the house.

    Raises:
        NotFound: there is none, or none that the actor may know of.
        Forbidden: the tender is published and the actor is a stranger to it.
    """
    async with reading(actor):
        ensure_sees_inside(actor, await facts_of(actor, tender_id))
        if number not in _NUMBERS:
            raise NotFound
        found = await fetch_one(_Requirement, _REQUIREMENT, tender_id, number)
    return _as_stored(found)


async def requirement_view_of(tender_id: UUID) -> RequirementView:
    """Show the latest version of the requirement inside a transaction that has permitted it.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(_Requirement, _REQUIREMENT, tender_id, None)
    if found is None:
        raise NotFound
    return RequirementView(
        tender=found.tender,
        version=found.version,
        number=found.number,
        digest=found.digest,
        edited_at=found.edited_at,
        content=msgspec.json.decode(found.content, type=Requirement),
    )


def _as_stored(found: _Requirement | None) -> StoredRequirement:
    if found is None:
        raise NotFound
    return StoredRequirement(
        tender=found.tender,
        version=found.version,
        number=found.number,
        digest=found.digest,
        edited_at=found.edited_at,
        content=msgspec.Raw(found.content),
    )


async def requirement_versions(actor: Actor, tender_id: UUID) -> list[RequirementVersionView]:
    """List who wrote which version of the requirement, and what reviewers said of it.

    Raises:
        NotFound: the tender is not visible to the actor.
        Forbidden: it is published and the actor is a stranger to it.
    """
    async with reading(actor):
        ensure_sees_inside(actor, await facts_of(actor, tender_id))
        versions = await fetch(_Version, _VERSIONS, tender_id)
        reviews = await fetch(_Review, _REVIEWS, tender_id)
    return [
        RequirementVersionView(
            number=version.number,
            digest=version.digest,
            edited_by=version.edited_by,
            editor_name=version.editor_name,
            organisation=version.organisation,
            edited_at=version.edited_at,
            reviews=[
                msgspec.convert(review, ReviewView, from_attributes=True)
                for review in reviews
                if review.requirement == version.number
            ],
        )
        for version in versions
    ]
