"""What can be read about suppliers and their applications."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import Malformed, NotFound
from market.organisations.queries import identifiers_of, name_and_id, search_words
from market.organisations.rules import Identifier, OrganisationKind
from market.pages import Page, decode_cursor, encode_cursor
from market.settings import Environment
from suppliers.permissions import ensure_may_list_applications, ensure_may_read_application
from suppliers.rules import Known
from suppliers.schemas import (
    ApplicantView,
    ApplicationState,
    ApplicationView,
    ApplyingOrganisationView,
    IdentifierView,
    Outcome,
    SupplierDecisionView,
    SupplierView,
)

_APPLICATION = """
SELECT a.id, a.statement, a.applied_at, p.id AS applicant, p.name AS applicant_name, p.email,
       o.id AS organisation, o.kind, o.name, o.address, o.demonstration, o.proposed,
       d.outcome, d.reason, d.decided_at,
       ARRAY(SELECT s.service_line FROM supplier_application_service_line s
             WHERE s.application = a.id ORDER BY s.service_line) AS service_lines
FROM supplier_application a
JOIN person p ON p.id = a.applicant
JOIN organisation o ON o.id = a.organisation
LEFT JOIN supplier_decision d ON d.application = a.id
"""
_ONE_APPLICATION = _APPLICATION + "WHERE a.id = $1"
_APPLICATIONS = (
    _APPLICATION
    + """
WHERE ($1::text IS NULL OR coalesce(d.outcome, 'pending') = $1)
  AND ($2::timestamptz IS NULL OR (a.applied_at, a.id) > ($2, $3::uuid))
ORDER BY a.applied_at, a.id LIMIT $4
"""
)
_KNOWN = """
SELECT o.id AS organisation, o.kind, o.demonstration, o.proposed, i.scheme, i.identifier
FROM organisation_identifier i
JOIN organisation o ON o.id = i.organisation
JOIN unnest($1::text[], $2::text[]) AS given (scheme, identifier)
    ON given.scheme = i.scheme AND given.identifier = i.identifier
ORDER BY o.id, i.scheme
"""
_SUPPLIERS = """
SELECT o.id AS organisation, o.kind, o.name, o.demonstration, d.decided_at AS admitted_at,
       ARRAY(SELECT s.service_line FROM supplier_application_service_line s
             WHERE s.application = a.id ORDER BY s.service_line) AS service_lines
FROM supplier_decision d
JOIN supplier_application a ON a.id = d.application
JOIN organisation o ON o.id = a.organisation
WHERE d.outcome = 'admitted'
  AND ($1::text IS NULL OR o.kind = $1)
  AND ($2::text IS NULL OR EXISTS (
      SELECT 1 FROM supplier_application_service_line s
      WHERE s.application = a.id AND s.service_line = $2))
  AND o.name ILIKE ALL ($3::text[])
  AND ($4::text IS NULL OR (o.name, o.id) > ($4, $5::uuid))
ORDER BY o.name, o.id LIMIT $6
"""


class _Application(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    statement: str
    applied_at: datetime
    applicant: UUID
    applicant_name: str
    email: str
    organisation: UUID
    kind: OrganisationKind
    name: str
    address: str | None
    demonstration: bool
    proposed: bool
    outcome: Outcome | None
    reason: str | None
    decided_at: datetime | None
    service_lines: list[str]


def _viewed(found: _Application, identifiers: list[IdentifierView]) -> ApplicationView:
    decision = None
    if found.outcome is not None and found.reason is not None and found.decided_at is not None:
        decision = SupplierDecisionView(
            outcome=found.outcome, reason=found.reason, decided_at=found.decided_at
        )
    return ApplicationView(
        id=found.id,
        state=ApplicationState.PENDING if decision is None else ApplicationState(decision.outcome),
        organisation=ApplyingOrganisationView(
            id=found.organisation,
            kind=found.kind,
            name=found.name,
            address=found.address,
            demonstration=found.demonstration,
            proposed=found.proposed,
            identifiers=identifiers,
        ),
        service_lines=found.service_lines,
        statement=found.statement,
        applicant=ApplicantView(id=found.applicant, name=found.applicant_name, email=found.email),
        applied_at=found.applied_at,
        decision=decision,
    )


async def _all_viewed(found: Sequence[_Application]) -> list[ApplicationView]:
    by_organisation = await identifiers_of([one.organisation for one in found])
    return [
        _viewed(
            one,
            [
                IdentifierView(scheme=identifier.scheme, identifier=identifier.identifier)
                for identifier in by_organisation.get(one.organisation, [])
            ],
        )
        for one in found
    ]


async def application_view(application: UUID) -> ApplicationView:
    """Give an application inside the current transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(_Application, _ONE_APPLICATION, application)
    if found is None:
        raise NotFound
    return (await _all_viewed([found]))[0]


async def read_application(actor: Actor, application: UUID) -> ApplicationView:
    """Give an application to its applicant or a registrar.

    Raises:
        NotFound: there is none, or the actor is neither.
    """
    async with reading(actor):
        view = await application_view(application)
    ensure_may_read_application(actor, view.applicant.id)
    return view


async def list_applications(
    actor: Actor, state: ApplicationState | None, cursor: str | None, limit: int
) -> Page[ApplicationView]:
    """Give the applications in the order in which they came.

    Raises:
        Forbidden: the actor is not a registrar.
        Malformed: a cursor that is none of the market's.
    """
    ensure_may_list_applications(actor)
    after, after_id = (None, None) if cursor is None else _time_and_id(cursor)
    async with reading(actor):
        found = await fetch(
            _Application,
            _APPLICATIONS,
            None if state is None else state.value,
            after,
            after_id,
            limit + 1,
        )
        items = await _all_viewed(found[:limit])
    following = None
    if len(found) > limit:
        following = encode_cursor(items[-1].applied_at.isoformat(), str(items[-1].id))
    return Page(items=items, next=following)


def _time_and_id(cursor: str) -> tuple[datetime, UUID]:
    time, identity = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(time).astimezone(UTC), UUID(identity)
    except (ValueError, OverflowError):
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None


async def list_suppliers(  # noqa: PLR0913  # the filters of one list
    actor: Actor,
    *,
    words: str | None,
    kind: OrganisationKind | None,
    service_line: str | None,
    cursor: str | None,
    limit: int,
) -> Page[SupplierView]:
    """Give the admitted suppliers, by name.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        found = await fetch(
            SupplierView,
            _SUPPLIERS,
            None if kind is None else kind.value,
            service_line,
            search_words(words),
            after,
            after_id,
            limit + 1,
        )
    items = found[:limit]
    following = None
    if len(found) > limit:
        following = encode_cursor(items[-1].name, str(items[-1].organisation))
    return Page(items=items, next=following)


# -- what an application is checked against, inside the current transaction ------------------------


async def known_by(identifiers: Sequence[Identifier]) -> list[Known]:
    """The organisations that hold any of these normalised identifiers."""
    return await fetch(
        Known,
        _KNOWN,
        [one.scheme.value for one in identifiers],
        [one.value for one in identifiers],
    )


async def known_service_lines(codes: Sequence[str]) -> set[str]:
    """Those of the codes that the market has."""
    found: list[str] = await fetch_value(
        "SELECT coalesce(array_agg(code), '{}') FROM service_line WHERE code = ANY ($1::text[])",
        list(codes),
    )
    return set(found)


async def in_sandbox() -> bool:
    """Whether this market is a sandbox, in which there are organisations for demonstration."""
    kind = await fetch_value("SELECT kind FROM installation")
    return bool(kind == Environment.SANDBOX.value)
