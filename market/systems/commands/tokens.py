"""Issuing short tokens to clients that prove who they are (RFC 6749, 4.4; RFC 7523, 2.2)."""

from collections.abc import Collection
from uuid import uuid4

import msgspec

from market.actor import Actor, Scope
from market.command import command
from market.database import fetch_value
from market.events.commands import record
from market.systems import credentials
from market.systems.errors import ClientNotProven, ScopeNotAllowed
from market.systems.queries.proving import Proving, proving
from market.systems.rules.assertions import Assertion, BadAssertion, checked, claimed_client
from market.systems.schemas import TokenGiven

# Only if the client is still as it was when its assertion was checked.
_ISSUE = """
INSERT INTO client_token (id, client, token_digest, assertion_digest, scopes, expires_at)
SELECT $1, c.id, $3, $4, $5, clock_timestamp() + make_interval(secs => $6)
FROM oauth_client c WHERE c.id = $2 AND c.version = $7 AND c.revoked_at IS NULL RETURNING id
"""


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a token as it was understood: the proof, and the scopes asked for, if any."""

    assertion: str
    client_id: str | None
    scopes: frozenset[str] | None


def _granted(asked: frozenset[str] | None, allowed: Collection[Scope]) -> list[Scope]:
    """The scopes a token gets: those asked for that the client has; all it has, if none were.

    Raises:
        ScopeNotAllowed: none is left, or one does not exist.
    """
    if asked is None:
        return sorted(allowed)
    known = {scope.value for scope in Scope}
    granted = sorted(scope for scope in allowed if scope.value in asked)
    if not granted or not asked <= known:
        raise ScopeNotAllowed
    return granted


async def give_token(
    actor: Actor, asked: TokenRequest, audiences: Collection[str], lifetime: int
) -> TokenGiven:
    """Give a client a token for an assertion that it signed; each assertion is good for one.

    The signature is checked between two transactions. Why an assertion is wrong is told, since
    that helps whoever writes a client and nobody who lacks its key; whether a client exists is not.

    Raises:
        ClientNotProven: the client is unknown or revoked, or the assertion is not right.
        ScopeNotAllowed: none of the scopes that were asked for is the client's.
    """
    try:
        client_id = claimed_client(asked.assertion)
        if asked.client_id not in {None, str(client_id)}:
            message = "client_id and the assertion's iss differ."
            raise ClientNotProven(message)
        client = await proving(actor, client_id)
        if client is None:
            raise ClientNotProven
        proof = checked(
            asked.assertion,
            client.key_set(),
            client=client.id,
            audiences=audiences,
            now=client.now,
        )
    except BadAssertion as error:
        raise ClientNotProven(str(error)) from None
    scopes = _granted(asked.scopes, client.scopes)
    system = Actor(
        person=client.person,
        organisation=client.organisation,
        request=actor.request,
        credential=client.id,
        scopes=frozenset(scopes),
    )
    return await _issue(system, client, proof, scopes, lifetime)


@command
async def _issue(
    actor: Actor, client: Proving, proof: Assertion, scopes: list[Scope], lifetime: int
) -> TokenGiven:
    token = credentials.new_token()
    issued = await fetch_value(
        _ISSUE,
        uuid4(),
        client.id,
        credentials.token_digest(token),
        proof.digest,
        [scope.value for scope in scopes],
        float(lifetime),
        client.version,
    )
    if issued is None:
        raise ClientNotProven
    await record(actor, "token.issued", "client", client.id, scopes=[*scopes])
    return TokenGiven(
        access_token=token,
        token_type="Bearer",  # noqa: S106  # a kind of token, RFC 6750
        expires_in=lifetime,
        scope=" ".join(scopes),
    )
