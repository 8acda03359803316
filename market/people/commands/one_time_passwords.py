"""Authenticators and their codes: enrolling, confirming, accepting a code once, removing."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.people import credentials
from market.people.commands.attempts import Attempt, count_attempt, forgive, take_back
from market.people.commands.identity import check_own_password, my_credentials, note_refusal
from market.people.errors import (
    AuthenticatorEnrolled,
    AuthenticatorUnreadable,
    ConfirmationWrong,
    OneTimePasswordNeeded,
    OneTimePasswordWrong,
)
from market.people.permissions import ensure_fresh
from market.people.rules import SignInMethod, looks_like_code, matching_step, normal_code
from market.people.schemas import (
    AuthenticatorConfirmed,
    AuthenticatorEnrolment,
    ConfirmAuthenticator,
    RemoveAuthenticator,
)
from market.sealing import CannotUnwrap
from market.vault import Vault

_AUTHENTICATOR = """
SELECT id, person, wrapped_secret, confirmed_at IS NOT NULL AS confirmed, last_step,
    extract(epoch FROM clock_timestamp())::float8 AS now
FROM one_time_password WHERE person = $1 AND removed_at IS NULL
"""

_ACCEPT = """
UPDATE one_time_password SET last_step = $2
WHERE id = $1 AND removed_at IS NULL AND (last_step IS NULL OR last_step < $2)
"""

_USE_RECOVERY = """
UPDATE recovery_code SET used_at = clock_timestamp()
WHERE one_time_password = $1 AND code_digest = $2 AND used_at IS NULL RETURNING id
"""


class _Authenticator(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    person: UUID
    wrapped_secret: bytes
    confirmed: bool
    last_step: int | None
    now: float


async def _authenticator_of(actor: Actor) -> _Authenticator | None:
    return await fetch_one(_Authenticator, _AUTHENTICATOR, actor.person)


async def accept_code(actor: Actor, vault: Vault, code: str | None) -> SignInMethod:
    """Ask for a code where the acting person has an authenticator, and use it up.

    Runs inside the command that it lets in, so that a code is used only by what succeeds. Says
    what the person has proved themselves by, the password included; where there is no
    authenticator a code means nothing.

    Raises:
        OneTimePasswordNeeded: there is an authenticator and no code.
        OneTimePasswordWrong: the code is not one of now, or was used; or no such recovery code.
        AuthenticatorUnreadable: the custodian cannot unwrap the secret; recovery codes go on.
    """
    found = await _authenticator_of(actor)
    if found is None or not found.confirmed:
        return SignInMethod.PASSWORD
    if code is None:
        raise OneTimePasswordNeeded
    if looks_like_code(code):
        if not await _accepted(found, vault, code):
            raise OneTimePasswordWrong
        return SignInMethod.ONE_TIME_PASSWORD
    used = await fetch_value(_USE_RECOVERY, found.id, credentials.recovery_digest(found.id, code))
    if used is None:
        raise OneTimePasswordWrong
    await record(actor, "recovery_code.used", "one_time_password", found.id)
    return SignInMethod.RECOVERY_CODE


async def _accepted(found: _Authenticator, vault: Vault, code: str) -> bool:
    purpose = credentials.authenticator_purpose(found.id, found.person)
    try:
        secret = vault.custodian.recall(found.wrapped_secret, purpose).decode("ascii")
    except CannotUnwrap as error:
        raise AuthenticatorUnreadable from error
    step = matching_step(secret, normal_code(code), found.now, found.last_step)
    return step is not None and await execute(_ACCEPT, found.id, step) == 1


async def enrol_authenticator(actor: Actor, vault: Vault) -> AuthenticatorEnrolment:
    """Make a secret for an authenticator; it counts for nothing until a code of it confirms it.

    One that was never confirmed is replaced. The secret is given here and never again.

    Raises:
        FreshSignInNeeded: somebody at a session left open would shut its owner out.
        AuthenticatorEnrolled: there is one already.
    """
    secret = credentials.new_authenticator_secret()
    return await _enrol(actor, vault, secret)


@command
async def _enrol(actor: Actor, vault: Vault, secret: str) -> AuthenticatorEnrolment:
    ensure_fresh(actor)
    person = actor.person
    present = await _authenticator_of(actor)
    if person is None or (present is not None and present.confirmed):
        raise AuthenticatorEnrolled
    if present is not None:
        await execute(
            "UPDATE one_time_password SET removed_at = clock_timestamp()"
            " WHERE id = $1 AND removed_at IS NULL AND confirmed_at IS NULL",
            present.id,
        )
    authenticator = uuid4()
    kept = vault.custodian.keep(
        secret.encode("ascii"), credentials.authenticator_purpose(authenticator, person)
    )
    await execute(
        "INSERT INTO one_time_password (id, person, wrapped_secret, enrolled_at)"
        " VALUES ($1, $2, $3, clock_timestamp())",
        authenticator,
        person,
        kept,
    )
    email = await fetch_value("SELECT email FROM person WHERE id = $1", person)
    await record(actor, "one_time_password.enrolled", "one_time_password", authenticator)
    return AuthenticatorEnrolment(
        id=authenticator,
        secret=secret,
        uri=credentials.authenticator_uri(secret, email=email, market=vault.name),
    )


async def confirm_authenticator(
    actor: Actor, vault: Vault, authenticator_id: UUID, given: ConfirmAuthenticator
) -> AuthenticatorConfirmed:
    """Show by a code that the authenticator works; from then on every sign-in asks for one.

    Raises:
        NotFound: no such authenticator of one's own that waits to be confirmed.
        FreshSignInNeeded: the sign-in is too old.
        ConfirmationWrong: another code, which counts as a failure.
        SignInLocked: the account or the client's address had too many failures.
    """
    own = await my_credentials(actor)
    attempt = await count_attempt(actor, vault, own.email)
    codes = credentials.new_recovery_codes()
    try:
        return await _confirm(actor, vault, authenticator_id, given.code, codes, attempt)
    except OneTimePasswordWrong as error:
        await _note_wrong_code(actor, own.id, attempt)
        raise ConfirmationWrong(error.detail) from None


async def _note_wrong_code(actor: Actor, person: UUID, attempt: Attempt) -> None:
    await note_refusal(actor.continued(), person, "one_time_password", attempt.locks_for or None)


@command
async def _confirm(  # noqa: PLR0913, PLR0917  # what was made and checked before the transaction
    actor: Actor,
    vault: Vault,
    authenticator_id: UUID,
    code: str,
    codes: list[str],
    attempt: Attempt,
) -> AuthenticatorConfirmed:
    ensure_fresh(actor)
    found = await _authenticator_of(actor)
    if found is None or found.id != authenticator_id or found.confirmed:
        raise NotFound
    if not await _accepted(found, vault, code):
        raise OneTimePasswordWrong
    confirmed = await execute(
        "UPDATE one_time_password SET confirmed_at = clock_timestamp()"
        " WHERE id = $1 AND confirmed_at IS NULL AND removed_at IS NULL",
        found.id,
    )
    if not confirmed:
        raise NotFound
    for one in codes:
        await execute(
            "INSERT INTO recovery_code (id, one_time_password, person, code_digest)"
            " VALUES ($1, $2, $3, $4)",
            uuid4(),
            found.id,
            found.person,
            credentials.recovery_digest(found.id, one),
        )
    await take_back(attempt)
    await record(actor, "one_time_password.confirmed", "one_time_password", found.id)
    return AuthenticatorConfirmed(id=found.id, recovery_codes=codes)


async def remove_authenticator(
    actor: Actor, vault: Vault, authenticator_id: UUID, given: RemoveAuthenticator
) -> None:
    """Remove one's authenticator, by password and a code of it or a recovery code.

    Raises:
        NotFound: no such authenticator of one's own in use.
        ConfirmationWrong: wrong password or code, which counts as a failure.
        SignInLocked: the account or the client's address had too many failures.
    """
    proof = await check_own_password(actor, vault, given.password)
    try:
        await _remove(actor, vault, authenticator_id, given.one_time_password, proof.attempt)
    except OneTimePasswordWrong as error:
        await _note_wrong_code(actor, proof.person.id, proof.attempt)
        raise ConfirmationWrong(error.detail) from None


@command
async def _remove(
    actor: Actor, vault: Vault, authenticator_id: UUID, code: str, attempt: Attempt
) -> None:
    found = await _authenticator_of(actor)
    if found is None or found.id != authenticator_id or not found.confirmed:
        raise NotFound
    await accept_code(actor, vault, code)
    removed = await execute(
        "UPDATE one_time_password SET removed_at = clock_timestamp()"
        " WHERE id = $1 AND removed_at IS NULL",
        found.id,
    )
    if not removed:
        raise NotFound
    await forgive(attempt)
    await record(actor, "one_time_password.removed", "one_time_password", found.id)
