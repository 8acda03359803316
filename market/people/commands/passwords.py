"""Changing one's password, and getting back in after it was forgotten."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value, reading
from market.errors import Fault, Malformed
from market.events.commands import record
from market.people import credentials
from market.people.commands.attempts import forget_failures, take_back
from market.people.commands.identity import Proof, check_own_password, my_credentials
from market.people.commands.sessions import revoke_sessions
from market.people.errors import ConfirmationWrong, ResetOver
from market.people.permissions import ensure_fresh, ensure_may_reset
from market.people.schemas import (
    ChangePassword,
    PasswordResetGiven,
    PasswordResetMade,
    ResetPassword,
)
from market.vault import Vault

_OPEN_RESET = """
SELECT r.id, r.person, p.email, p.name FROM password_reset r JOIN person p ON p.id = r.person
WHERE r.secret_digest = $1 AND r.used_at IS NULL AND r.ended_at IS NULL
    AND r.expires_at > clock_timestamp()
    AND may_reset_password(r.made_by, r.person, r.organisation)
"""

_USE_RESET = """
UPDATE password_reset SET used_at = clock_timestamp()
WHERE id = $1 AND used_at IS NULL AND ended_at IS NULL AND expires_at > clock_timestamp()
"""

_END_RESETS = """
UPDATE password_reset SET ended_at = clock_timestamp()
WHERE person = $1 AND used_at IS NULL AND ended_at IS NULL
"""


class _Organisation(msgspec.Struct, frozen=True):
    organisation: UUID
    name: str


class _Owner(msgspec.Struct, frozen=True):
    """Whose password it is."""

    person: UUID
    email: str
    name: str


class _Reset(_Owner, frozen=True):
    id: UUID


_BELONGS_TO = """
SELECT DISTINCT m.organisation, o.name FROM membership m
JOIN organisation o ON o.id = m.organisation WHERE m.person = $1 AND m.ended_at IS NULL
"""


async def _ensure_good(actor: Actor, owner: _Owner, password: str, field: str) -> None:
    """Refuse a new password that is too weak, in no transaction.

    Raises:
        Malformed: with everything that is wrong with it.
    """
    async with reading(actor):
        known = await fetch(_Organisation, _BELONGS_TO, owner.person)
    others = [organisation.name for organisation in known]
    faults = [
        Fault(field=field, reason=fault.reason)
        for fault in await credentials.weaknesses(
            password, email=owner.email, name=owner.name, others=others
        )
    ]
    if faults:
        raise Malformed(faults[0].reason, faults=faults)


async def change_password(actor: Actor, vault: Vault, given: ChangePassword) -> None:
    """Change one's own password by the present one; ends one's other sessions and open resets.

    Raises:
        Malformed: the new one is too weak, or the present one.
        SignInLocked: the account or the client's address had too many failures.
        ConfirmationWrong: another password, which counts as a failure, or it was changed meanwhile.
    """
    if given.new == given.current:
        fault = Fault(field="new", reason="This is the present password. Choose another one.")
        raise Malformed(fault.reason, faults=[fault])
    own = await my_credentials(actor)
    owner = _Owner(person=own.id, email=own.email, name=own.name)
    await _ensure_good(actor, owner, given.new, "new")
    proof = await check_own_password(actor, vault, given.current)
    await _change(actor, proof, await credentials.hash_password(given.new))


@command
async def _change(actor: Actor, proof: Proof, hashed: str) -> None:
    ended = await revoke_sessions(proof.person.id, but=actor.session)
    changed = await execute(
        "UPDATE person SET password_hash = $2 WHERE id = $1 AND password_hash = $3",
        proof.person.id,
        hashed,
        proof.password_hash,
    )
    if not changed:
        raise ConfirmationWrong
    await execute(_END_RESETS, proof.person.id)
    await take_back(proof.attempt)
    await record(actor, "person.password_changed", "person", proof.person.id, sessions_ended=ended)


async def offer_reset(
    actor: Actor, organisation_id: UUID, person_id: UUID, vault: Vault
) -> PasswordResetGiven:
    """Give somebody who forgot their password a secret with which to set another, within a day.

    The secret is derived after the command, so that the stored answer does not hold it. An
    earlier reset that is still open ends. What an authenticator asks for stays as it is.

    Raises:
        FreshSignInNeeded: who has a reset can act as that person, so it takes a fresh sign-in.
        NotFound: no such organisation or person, or not the actor's own.
        Forbidden: the actor does not administer the organisation.
        ResetByAdministrator: it would be their own, or the person belongs to others as well.
    """
    made = await _offer(actor, organisation_id, person_id, vault)
    return PasswordResetGiven(
        id=made.id,
        person=made.person,
        expires_at=made.expires_at,
        secret=credentials.reset_secret(vault, made.id),
    )


@command
async def _offer(
    actor: Actor, organisation_id: UUID, person_id: UUID, vault: Vault
) -> PasswordResetMade:
    ensure_fresh(actor)
    known = await fetch(_Organisation, _BELONGS_TO, person_id)
    belongs_to = frozenset(organisation.organisation for organisation in known)
    ensure_may_reset(actor, organisation_id, person_id, belongs_to=belongs_to)
    # two resets for one person are given one after the other
    await execute("SELECT 1 FROM person WHERE id = $1 FOR NO KEY UPDATE", person_id)
    await execute(_END_RESETS, person_id)
    reset = uuid4()
    expires_at: datetime = await fetch_value(
        "INSERT INTO password_reset (id, person, organisation, secret_digest, made_by, made_at,"
        " expires_at) VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp())"
        " RETURNING expires_at",
        reset,
        person_id,
        organisation_id,
        credentials.digest(credentials.reset_secret(vault, reset)),
        actor.person,
    )
    await record(actor, "password_reset.made", "person", person_id, reset=str(reset))
    return PasswordResetMade(id=reset, person=person_id, expires_at=expires_at)


async def reset_password(actor: Actor, vault: Vault, given: ResetPassword) -> None:
    """Set a new password by the secret of a reset; ends every session, and any lock-out.

    Raises:
        ResetOver: unknown, expired, used or replaced, or whoever gave it no longer may.
        Malformed: the new password is too weak; the reset stays open.
    """
    secret_digest = credentials.digest(given.secret)
    async with reading(actor):
        reset = await fetch_one(_Reset, _OPEN_RESET, secret_digest)
    if reset is None:
        raise ResetOver
    await _ensure_good(actor, reset, given.password, "password")
    hashed = await credentials.hash_password(given.password)
    resetting = Actor(person=reset.person, request=actor.request)
    await _reset(resetting, vault, secret_digest, hashed)


@command
async def _reset(actor: Actor, vault: Vault, secret_digest: bytes, hashed: str) -> None:
    # the person first, as in a change of the password, which ends the resets
    ended = await revoke_sessions(actor.person, but=None) if actor.person is not None else 0
    reset = await fetch_one(_Reset, _OPEN_RESET, secret_digest)
    if reset is None or not await execute(_USE_RESET, reset.id):
        raise ResetOver
    await execute("UPDATE person SET password_hash = $2 WHERE id = $1", reset.person, hashed)
    await forget_failures(vault, reset.email)
    await record(
        actor,
        "person.password_reset",
        "person",
        reset.person,
        reset=str(reset.id),
        sessions_ended=ended,
    )
