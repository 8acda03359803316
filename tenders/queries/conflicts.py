"""What can be read of declarations on duties, exemptions, decisions and delegations."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import NotFound
from tenders.permissions.tenders import ensure_reads_draft, ensure_sees_duties
from tenders.queries.facts import facts_of
from tenders.rules.duties import Duty, Pair
from tenders.schemas.conflicts import (
    ConflictDecisionView,
    DelegationView,
    DutyDeclarationView,
    ExemptionView,
)

_DUTY_DECLARATIONS = """
SELECT d.id, d.person, p.name, d.statement, d.details, d.declared_at
FROM duty_declaration d JOIN person p ON p.id = d.person
WHERE d.tender = $1 AND ($2::uuid IS NULL OR d.id = $2) ORDER BY d.declared_at, d.id
"""

_EXEMPTIONS = """
SELECT e.id, e.person, p.name, e.one, e.other, e.reason, e.granted_by,
       g.name AS granted_by_name, e.granted_at, e.expires_at, r.revoked_at,
       r.reason AS revoked_because, r.id IS NULL AND e.expires_at > market_now() AS in_force
FROM exemption e JOIN person p ON p.id = e.person JOIN person g ON g.id = e.granted_by
LEFT JOIN exemption_revocation r ON r.exemption = e.id
WHERE e.tender = $1 AND ($2::uuid IS NULL OR e.id = $2) ORDER BY e.granted_at, e.id
"""

_DECISIONS = """
SELECT c.id, c.person, p.name, c.bidder, o.name AS bidder_name, c.outcome, c.reason, c.mitigation,
       c.decided_by, g.name AS decided_by_name, c.decided_at
FROM conflict_decision c JOIN person p ON p.id = c.person JOIN organisation o ON o.id = c.bidder
JOIN person g ON g.id = c.decided_by
WHERE c.tender = $1 AND ($2::uuid IS NULL OR c.id = $2) ORDER BY c.decided_at, c.id
"""

_DELEGATIONS = """
SELECT g.id, g.delegator, o.name AS delegator_name, g.delegate, d.name AS delegate_name,
       g.authority, g.starts_on, g.ends_on, g.recorded_at, n.ended_at, n.reason AS ended_because,
       n.id IS NULL AND (market_now() AT TIME ZONE 'Europe/London')::date
           BETWEEN g.starts_on AND g.ends_on AS in_force
FROM award_delegation g JOIN organisation o ON o.id = g.delegator
JOIN organisation d ON d.id = g.delegate LEFT JOIN award_delegation_ending n ON n.delegation = g.id
WHERE g.delegator = $1 AND ($2::uuid IS NULL OR g.id = $2)
ORDER BY g.recorded_at DESC, g.id LIMIT 200
"""

_EXEMPTED = """
SELECT DISTINCT one, other FROM exemption e WHERE e.tender = $1 AND e.person = $2
AND exempted(e.tender, e.person, e.one, e.other)
"""


class _Pair(msgspec.Struct, frozen=True):
    one: Duty
    other: Duty


class _Exemption(msgspec.Struct, frozen=True):
    id: UUID
    person: UUID
    name: str
    one: Duty
    other: Duty
    reason: str
    granted_by: UUID
    granted_by_name: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None
    in_force: bool

    def view(self) -> ExemptionView:
        """The pair as one."""
        return ExemptionView(
            id=self.id,
            person=self.person,
            name=self.name,
            duties=(self.one, self.other),
            reason=self.reason,
            granted_by=self.granted_by,
            granted_by_name=self.granted_by_name,
            granted_at=self.granted_at,
            expires_at=self.expires_at,
            revoked_at=self.revoked_at,
            revoked_because=self.revoked_because,
            in_force=self.in_force,
        )


async def exempted_pairs(tender_id: UUID, person: UUID | None) -> frozenset[Pair]:
    """The pairs of duties a person may hold by an exemption in force, inside a transaction."""
    rows = await fetch(_Pair, _EXEMPTED, tender_id, person)
    return frozenset(frozenset({row.one, row.other}) for row in rows)


async def duty_declarations(actor: Actor, tender_id: UUID) -> list[DutyDeclarationView]:
    """One's own declarations on taking up duties, and for guardian and auditors everybody's.

    Inside a transaction.

    Raises:
        NotFound: the actor has no duty in the tender and does not audit a buyer.
    """
    ensure_sees_duties(actor, await facts_of(actor, tender_id))
    return await fetch(DutyDeclarationView, _DUTY_DECLARATIONS, tender_id, None)


async def duty_declaration(tender_id: UUID, declaration_id: UUID) -> DutyDeclarationView:
    """One declaration inside the transaction that made it."""
    found = await fetch_one(DutyDeclarationView, _DUTY_DECLARATIONS, tender_id, declaration_id)
    if found is None:
        raise NotFound
    return found


async def exemptions(actor: Actor, tender_id: UUID) -> list[ExemptionView]:
    """Every exemption ever granted in a tender: to everybody once it is published.

    Raises:
        NotFound: there is no such tender, or a draft that the actor may not know of.
        DutyNotTakenUp: a draft in which the actor has not declared on taking their duty.
    """
    async with reading(actor):
        ensure_reads_draft(actor, await facts_of(actor, tender_id))
        return [row.view() for row in await fetch(_Exemption, _EXEMPTIONS, tender_id, None)]


async def exemption(tender_id: UUID, exemption_id: UUID) -> ExemptionView:
    """One exemption of a tender inside a transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(_Exemption, _EXEMPTIONS, tender_id, exemption_id)
    if found is None:
        raise NotFound
    return found.view()


async def conflict_decisions(actor: Actor, tender_id: UUID) -> list[ConflictDecisionView]:
    """What was decided about interests: one's own; everybody's for guardian, manager, auditors.

    Row-level security gives each their part, and none before the bidders are known to them.
    Inside a transaction.

    Raises:
        NotFound: the actor has no duty in the tender and does not audit a buyer.
    """
    ensure_sees_duties(actor, await facts_of(actor, tender_id))
    return await fetch(ConflictDecisionView, _DECISIONS, tender_id, None)


async def conflict_decision(tender_id: UUID, decision_id: UUID) -> ConflictDecisionView:
    """One decision inside the transaction that made it."""
    found = await fetch_one(ConflictDecisionView, _DECISIONS, tender_id, decision_id)
    if found is None:
        raise NotFound
    return found


async def delegations(actor: Actor, organisation_id: UUID) -> list[DelegationView]:
    """What an organisation has delegated, the latest first; public.

    Raises:
        NotFound: there is no such organisation.
    """
    async with reading(actor):
        known = await fetch_value(
            "SELECT id FROM organisation WHERE id = $1 AND NOT proposed", organisation_id
        )
        if known is None:
            raise NotFound
        return await fetch(DelegationView, _DELEGATIONS, organisation_id, None)


async def delegation(organisation_id: UUID, delegation_id: UUID) -> DelegationView:
    """One delegation of an organisation inside a transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(DelegationView, _DELEGATIONS, organisation_id, delegation_id)
    if found is None:
        raise NotFound
    return found
