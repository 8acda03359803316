"""Acts about suppliers: applying, and deciding an application."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor, Role
from market.command import command
from market.database import execute, fetch_one, fetch_value, reading
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.organisations.rules import BadIdentifier, Identifier, normalise
from market.people.commands import NewPerson, grant_role, prove_identity, register
from market.people.credentials import weaknesses
from market.people.rules import normal_email
from market.vault import Vault
from suppliers.errors import AlreadyApplied, AlreadyDecided
from suppliers.permissions import ensure_may_decide
from suppliers.queries import application_view, in_sandbox, known_by, known_service_lines
from suppliers.rules import Known, form_faults, service_line_faults, standing_faults
from suppliers.schemas import ApplicationView, Apply, ApplyingOrganisation, Decide, Outcome


class _Latest(msgspec.Struct, frozen=True):
    id: UUID
    applicant: UUID
    outcome: Outcome | None


class _Pending(msgspec.Struct, frozen=True):
    applicant: UUID
    organisation: UUID
    decided: bool


async def apply(actor: Actor, vault: Vault, given: Apply) -> ApplicationView:
    """Apply for an organisation to be admitted as a supplier; gives no membership yet.

    An identifier that the market knows attaches the application to that organisation; otherwise
    the organisation is proposed, and shown to nobody but the registrar until it is confirmed.
    The applicant is registered, or proves by the password to be who is registered; that is done
    before the transaction, since hashing is slow on purpose.

    Raises:
        Malformed: with every fault at once.
        SignInLocked: the account or the client's address had too many failures.
        WrongCredentials: the address is registered and the password is not its own.
        AlreadyApplied: the organisation is a supplier already, or has applied.
    """
    organisation = given.organisation
    email, identifiers, faults = await _checked(given)
    async with reading(actor):
        faults += service_line_faults(
            given.service_lines, await known_service_lines(given.service_lines)
        )
        if given.demonstration and not await in_sandbox():
            reason = "Only a sandbox has organisations for demonstration."
            faults.append(Fault(field="demonstration", reason=reason))
        if identifiers:
            faults += standing_faults(
                organisation.kind,
                identifiers,
                await known_by(identifiers),
                demonstration=given.demonstration,
            )
    if faults:
        raise Malformed(_summary(faults), faults=faults)
    person, new = await prove_identity(
        actor, vault, email=email, name=given.applicant.name, password=given.applicant.password
    )
    applying = Actor(person=person, request=actor.request)
    return await _apply(applying, given, identifiers, new)


async def _checked(given: Apply) -> tuple[str, list[Identifier], list[Fault]]:
    """What can be said of an application without the market: address, identifiers, faults.

    The identifiers are normalised; none are given unless every one has the form of its register.
    """
    faults: list[Fault] = []
    written = [
        Identifier(scheme=one.scheme, value=one.identifier)
        for one in given.organisation.identifiers
    ]
    faults += form_faults(given.organisation.kind, written, given.service_lines)
    try:
        identifiers = [
            Identifier(scheme=one.scheme, value=normalise(one.scheme, one.value)) for one in written
        ]
    except BadIdentifier:
        identifiers = []  # which of them, is among the faults
    email = given.applicant.email
    try:
        email = normal_email(given.applicant.email)
    except ValueError as error:
        faults.append(Fault(field="applicant.email", reason=str(error)))
    faults += [
        Fault(field=f"applicant.{fault.field}", reason=fault.reason)
        for fault in await weaknesses(
            given.applicant.password,
            email=email,
            name=given.applicant.name,
            others=[given.organisation.name],
        )
    ]
    return email, identifiers, faults


def _summary(faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return faults[0].reason
    return f"The application has {len(faults)} faults. Each is listed with its field."


@command
async def _apply(
    actor: Actor, given: Apply, identifiers: list[Identifier], new: NewPerson | None
) -> ApplicationView:
    if new is not None:
        await register(actor, new)
    known = await known_by(identifiers)
    organisation = known[0].organisation if known else uuid4()
    if known:
        await _ensure_may_apply(actor, organisation)
        known = await known_by(identifiers)
    # asked again under the lock: what was known before the password was checked may be old
    faults = standing_faults(
        given.organisation.kind, identifiers, known, demonstration=given.demonstration
    )
    if faults:
        raise Malformed(_summary(faults), faults=faults)
    if not known or known[0].proposed:
        await _propose(actor, organisation, given, identifiers, known)
    application = uuid4()
    await execute(
        "INSERT INTO supplier_application (id, organisation, applicant, statement, applied_at)"
        " VALUES ($1, $2, $3, $4, market_now())",
        application,
        organisation,
        actor.person,
        given.statement,
    )
    await execute(
        "INSERT INTO supplier_application_service_line (id, application, service_line)"
        " SELECT gen_random_uuid(), $1, code FROM unnest($2::text[]) AS code",
        application,
        given.service_lines,
    )
    await record(
        actor,
        "supplier.applied",
        "supplier_application",
        application,
        organisation=str(organisation),
    )
    return await application_view(application)


async def _ensure_may_apply(actor: Actor, organisation: UUID) -> None:
    """Lock the organisation against another application, and see how its last one ended."""
    await execute("SELECT FROM organisation WHERE id = $1 FOR NO KEY UPDATE", organisation)
    latest = await fetch_one(
        _Latest,
        "SELECT a.id, a.applicant, d.outcome FROM supplier_application a"
        " LEFT JOIN supplier_decision d ON d.application = a.id WHERE a.organisation = $1"
        " ORDER BY a.applied_at DESC LIMIT 1",
        organisation,
    )
    if latest is None or latest.outcome is Outcome.REFUSED:
        return
    if latest.outcome is Outcome.ADMITTED:
        message = (
            "This organisation is a supplier already. Ask its administrator for an invitation."
        )
        raise AlreadyApplied(message)
    if latest.applicant == actor.person:
        message = (
            f"You have applied for this organisation already, and application {latest.id} is being"
            " considered. Sign in to read it."
        )
        raise AlreadyApplied(message)
    message = "Another application for this organisation is being considered."
    raise AlreadyApplied(message)


async def _propose(
    actor: Actor,
    organisation: UUID,
    given: Apply,
    identifiers: Sequence[Identifier],
    known: Sequence[Known],
) -> None:
    """Write an organisation that nobody has confirmed, or describe it anew."""
    described: ApplyingOrganisation = given.organisation
    await execute(
        "INSERT INTO organisation (id, kind, name, address, demonstration, proposed,"
        " registered_at) VALUES ($1, $2, $3, $4, $5, true, market_now())"
        " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name,"
        " address = excluded.address, demonstration = excluded.demonstration",
        organisation,
        described.kind.value,
        described.name,
        described.address,
        given.demonstration,
    )
    held = {(one.scheme, one.identifier) for one in known}
    for one in identifiers:
        if (one.scheme, one.value) not in held:
            await execute(
                "INSERT INTO organisation_identifier (id, organisation, scheme, identifier)"
                " VALUES ($1, $2, $3, $4)",
                uuid4(),
                organisation,
                one.scheme.value,
                one.value,
            )
    await record(actor, "organisation.proposed", "organisation", organisation)


@command
async def decide_application(actor: Actor, application: UUID, given: Decide) -> ApplicationView:
    """Admit or refuse an applicant.

    Admission confirms the organisation and makes the applicant its administrator and bid manager,
    in the same transaction; a refusal gives nothing.

    Raises:
        NotFound: no such application, or none the actor may know of.
        Forbidden: the actor is not a registrar, or applied themselves.
        AlreadyDecided: the application was decided before.
    """
    pending = await fetch_one(
        _Pending,
        "SELECT a.applicant, a.organisation, EXISTS (SELECT 1 FROM supplier_decision d"
        " WHERE d.application = a.id) AS decided FROM supplier_application a WHERE a.id = $1",
        application,
    )
    if pending is None:
        raise NotFound
    ensure_may_decide(actor, pending.applicant)
    if pending.decided:
        raise AlreadyDecided
    decision = uuid4()
    await fetch_value(
        "INSERT INTO supplier_decision (id, application, outcome, reason, decided_by, decided_at)"
        " VALUES ($1, $2, $3, $4, $5, market_now()) RETURNING id",
        decision,
        application,
        given.outcome.value,
        given.reason,
        actor.person,
    )
    if given.outcome is Outcome.ADMITTED:
        await execute(
            "UPDATE organisation SET proposed = false WHERE id = $1 AND proposed",
            pending.organisation,
        )
        for role in (Role.ADMINISTRATOR, Role.BID_MANAGER):
            await grant_role(actor, pending.applicant, pending.organisation, role)
    await record(
        actor,
        "supplier.admitted" if given.outcome is Outcome.ADMITTED else "supplier.refused",
        "supplier_application",
        application,
        organisation=str(pending.organisation),
        private={"reason": given.reason},
    )
    return await application_view(application)
