"""Refusals about systems, their keys, clients and tokens, named by their reason."""

from typing import ClassVar

from market.errors import Forbidden, Malformed, MarketError, NotSignedIn, keeps


class WrongCredential(NotSignedIn):
    """The key or token is unknown, or may not be used from this address; which is not said."""

    title = "This key or token is unknown, or may not be used from this address."


class CredentialExpired(NotSignedIn):
    """The key or token is a right one whose time is over."""

    title = "This key or token has expired. Make another one, or ask for a new token."


class CredentialRevoked(NotSignedIn):
    """The key, or the client whose token it is, was a right one and was revoked."""

    title = "This key, or the client whose token it is, has been revoked."


class MakerGone(NotSignedIn):
    """Whoever made the credential no longer holds the role in which they answer for it."""

    title = (
        "Whoever made this key or client is no longer administrator or bid manager of the"
        " organisation: somebody else must make a new one."
    )


class BeyondScope(Forbidden):
    """A system asked for something that its scopes do not cover, or that no scope covers."""

    title = "The scopes of this key or token do not cover this."


@keeps("person_acts")
class PersonActs(Forbidden):
    """A system tried what people alone do: opening, evaluation, award, duties, people, keys."""

    title = "A person does this, signed in; no system can."


@keeps("system_for_own_organisation")
class NotInOwnOrganisation(Forbidden):
    """A credential was to be made for somebody else, or without the role that answers for it."""

    title = (
        "Administrators and bid managers make keys and clients, for themselves and for the"
        " organisation they act for."
    )


@keeps("system_of_another")
class NotYourCredential(Forbidden):
    """Somebody tried to change a credential that is not theirs to change."""

    title = "Only whoever made it, an administrator of the organisation or a registrar ends it."


@keeps("systems_bounded")
class TooManyCredentials(MarketError):
    """The person has as many keys and clients in force as they can have."""

    title = "You have 20 keys and clients in force for this organisation. Revoke one first."


@keeps("credential_lifetime")
class LifetimeRefused(Malformed):
    """A key was to expire in the past or after more than a year, or a token to live too long."""

    title = "An API key expires in the future, and within a year."


@keeps("credential_only_ends")
class CredentialEnded(MarketError):
    """The credential was revoked or has expired, and nothing of it changes any more."""

    title = "It was revoked or has expired, or this part of it never changes. Make a new one."


@keeps("successor_as_before", "api_key_one_successor")
class AlreadyReplaced(MarketError):
    """The key has a successor already, which is the one to replace."""

    title = "This key has been replaced. Replace its successor."


class KeySetFaulty(Malformed):
    """A client's public keys are not good enough; `errors` name each fault."""

    title = "The key set cannot be registered."


# ---------------------------------------------------------------------------------- the token's own


class TokenRefusal(MarketError):
    """A refusal of the token endpoint: told as RFC 6749 section 5.2 says, not as a problem."""

    status = 400
    title = "No token was issued."
    code: ClassVar[str] = "invalid_request"


class TokenRequestFaulty(TokenRefusal):
    """The request for a token lacks a parameter, repeats one, or is not form-encoded."""

    title = "The request for a token is not of the form that RFC 6749 describes."


class GrantNotSupported(TokenRefusal):
    """Another grant than client credentials was asked for."""

    title = "The market grants tokens for client_credentials alone."
    code: ClassVar[str] = "unsupported_grant_type"


@keeps("client_in_force", "client_token_assertion_once")
class ClientNotProven(TokenRefusal):
    """The client is unknown or revoked, or its assertion is wrong, late, or was used before."""

    status = 401
    title = "The client is unknown or revoked, or its assertion is not right or was used before."
    code: ClassVar[str] = "invalid_client"


@keeps("token_within_scopes")
class ScopeNotAllowed(TokenRefusal):
    """Scopes were asked for that the client has not, or that do not exist."""

    title = "The client has none of the scopes that were asked for, or they do not exist."
    code: ClassVar[str] = "invalid_scope"
