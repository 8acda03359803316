"""HTTP by which clients get tokens, in the words of OAuth 2.0 and not in the market's own."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Controller, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency

from market.actor import Actor, Scope
from market.problems import AnyRequest
from market.systems.commands.tokens import TokenRequest, give_token
from market.systems.errors import GrantNotSupported, TokenRefusal, TokenRequestFaulty
from market.systems.schemas import ServerMetadata, TokenError, TokenGiven

TOKEN_PATH = "/oauth/token"  # noqa: S105  # where tokens are, not one
_FORM = "application/x-www-form-urlencoded"
_GRANT = "client_credentials"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_BODY = 16 * 1024
_MOST_FIELDS = 20


async def _form(request: AnyRequest) -> dict[str, str]:
    """Read the form; a parameter that comes twice is a fault (RFC 6749, section 3.2).

    Raises:
        TokenRequestFaulty: it is no form, or one that cannot be read in one way only.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        message = f"Send the parameters as {_FORM}."
        raise TokenRequestFaulty(message)
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        message = f"The request is larger than {_LONGEST_BODY} bytes."
        raise TokenRequestFaulty(message)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        message = "The body is not a form that can be read."
        raise TokenRequestFaulty(message) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        message = "A parameter comes more than once."
        raise TokenRequestFaulty(message)
    return fields


def _understood(fields: dict[str, str]) -> TokenRequest:
    """Find out what is asked for.

    Raises:
        TokenRequestFaulty: a parameter is missing, or of another kind than the market knows.
        GrantNotSupported: another grant.
    """
    grant = fields.get("grant_type")
    if grant is None:
        message = "grant_type is missing."
        raise TokenRequestFaulty(message)
    if grant != _GRANT:
        raise GrantNotSupported
    if fields.get("client_assertion_type") != _ASSERTION_TYPE or "client_assertion" not in fields:
        message = (
            f"The client proves itself by client_assertion, with client_assertion_type"
            f" {_ASSERTION_TYPE}; the market takes no client secrets."
        )
        raise TokenRequestFaulty(message)
    scope = fields.get("scope")
    return TokenRequest(
        assertion=fields["client_assertion"],
        client_id=fields.get("client_id"),
        scopes=None if scope is None else frozenset(scope.split()),
    )


def _on_refusal(_: Any, refusal: TokenRefusal) -> Response[TokenError]:
    answer = TokenError(error=refusal.code, error_description=refusal.detail)
    return Response(answer, status_code=refusal.status, headers={"Cache-Control": "no-store"})


class TokenController(Controller):
    """The token endpoint, and where libraries find out about it."""

    include_in_schema = False
    # what comes with the request proves the client, not whoever sent an Authorization header
    opt = {"public": True, "anonymous": True}  # noqa: RUF012  # read by the guard, never changed
    exception_handlers = {TokenRefusal: _on_refusal}  # noqa: RUF012  # read once by Litestar

    @post(TOKEN_PATH, status_code=200, opt={"costly": True, "form": True})
    async def give_token(
        self, request: AnyRequest, actor: NamedDependency[Actor], state: State
    ) -> Response[TokenGiven]:
        """Give a client a token for its signed assertion (RFC 6749, section 4.4; RFC 7523)."""
        settings = state["settings"]
        audiences = {settings.issuer, settings.issuer + TOKEN_PATH, settings.name}
        asked = _understood(await _form(request))
        given = await give_token(actor, asked, audiences, settings.token_lifetime)
        return Response(given, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    @get("/.well-known/oauth-authorization-server")
    async def metadata(self, state: State) -> ServerMetadata:
        """Say where tokens are given, for which scopes, and what proves a client (RFC 8414)."""
        issuer = state["settings"].issuer
        return ServerMetadata(
            issuer=issuer,
            token_endpoint=issuer + TOKEN_PATH,
            scopes_supported=[scope.value for scope in Scope],
            response_types_supported=[],
            grant_types_supported=[_GRANT],
            token_endpoint_auth_methods_supported=["private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported=["ES256", "EdDSA", "PS256", "RS256"],
            service_documentation=issuer + "/docs",
        )
