"""The way to the identity provider: short waits, small answers, no redirects, remembered keys."""

import asyncio
import functools
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

import httpx
import msgspec
from joserfc.jwk import Key

from market.settings import Settings
from market.single_sign_on.errors import CodeRefused, IdentityNotProven, ProviderFailed
from market.single_sign_on.rules import (
    Expected,
    Identity,
    Metadata,
    Proof,
    TokenError,
    Tokens,
    UnknownKey,
    authorization_address,
    client_authentication,
    completed,
    ensure_own_answer,
    ensure_usable,
    identity_in,
    signing_keys,
)

LARGEST_ANSWER: Final = 256 * 1024
REMEMBERED: Final = 3600.0
"""Seconds for which the provider's metadata and keys are remembered."""
BETWEEN_REFRESHES: Final = 60.0
"""Seconds between two readings of the keys that were not due but asked for by an unknown one."""

T = TypeVar("T")
_ERROR_CODE = re.compile(r"[a-z_]{1,50}")
_OK = 200


@functools.cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class IdentityProvider:
    """One OpenID provider, as the settings name it. Nothing here runs inside a transaction."""

    def __init__(
        self, settings: Settings, *, issuer: str, client_id: str, redirect_uri: str
    ) -> None:
        """Keep what the settings say; the provider is asked for the rest when it is needed."""
        self.issuer = issuer
        self.client_id = client_id
        self._redirect_uri = redirect_uri
        self._secret = settings.oidc_client_secret
        self._scopes = settings.oidc_scopes
        self._timeout = settings.oidc_timeout
        self.skew = settings.oidc_clock_skew
        self._reading = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._metadata_until = 0.0
        self._keys: tuple[Key, ...] = ()
        self._keys_until = 0.0
        self._refreshed_at = -BETWEEN_REFRESHES

    def __repr__(self) -> str:
        """Name the provider without the client's secret."""
        return f"IdentityProvider({self.issuer!r})"

    # ------------------------------------------------------------------------------------ the flow

    async def authorization_address(self, state: str, proof: Proof, *, fresh: bool) -> str:
        """Where to send the person to sign in.

        Raises:
            ProviderFailed: the provider's metadata cannot be had or used.
        """
        metadata = await self.metadata()
        return authorization_address(
            metadata.authorization_endpoint,
            client_id=self.client_id,
            redirect_uri=self._redirect_uri,
            scopes=self._scopes,
            state=state,
            proof=proof,
            fresh=fresh,
        )

    async def exchange(self, code: str, proof: Proof, said_issuer: str | None) -> Tokens:
        """Exchange the code for tokens: OpenID Connect Core 1.0, section 3.1.3.

        Raises:
            IdentityNotProven: the answer came from another provider (RFC 9207).
            CodeRefused: the provider does not accept the code.
            ProviderFailed: it gives no usable answer.
        """
        metadata = await self.metadata()
        ensure_own_answer(
            self.issuer,
            said_issuer,
            always_said=metadata.authorization_response_iss_parameter_supported,
        )
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": proof.verifier,
        }
        options: dict[str, Any] = {}
        way = client_authentication(self._secret, metadata.token_endpoint_auth_methods_supported)
        if way == "client_secret_basic":  # both parts encoded: RFC 6749, section 2.3.1
            options["auth"] = (quote_plus(self.client_id), quote_plus(self._secret or ""))
        else:
            form["client_id"] = self.client_id
            if way == "client_secret_post":
                form["client_secret"] = self._secret or ""
        status, body = await self._ask("POST", metadata.token_endpoint, data=form, **options)
        if status == _OK:
            return _read(body, Tokens)
        try:
            error = msgspec.json.decode(body, type=TokenError).error
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            error = ""
        if error == "invalid_grant":
            raise CodeRefused
        said = f": {error}" if _ERROR_CODE.fullmatch(error) else f" with status {status}"
        message = f"The identity provider gives no tokens{said}."
        raise ProviderFailed(message)

    async def identity(self, tokens: Tokens, expected: Expected) -> Identity:
        """Who the ID token proves to sign in. The keys are read again for one that is not known.

        Raises:
            IdentityNotProven: there is no ID token, or it proves nothing.
            ProviderFailed: the provider's keys cannot be had.
        """
        if tokens.id_token is None:
            message = "The identity provider gave no identity token."
            raise IdentityNotProven(message)
        try:
            return identity_in(tokens.id_token, await self.keys(), expected)
        except UnknownKey:
            await self._refresh_keys()
        try:
            return identity_in(tokens.id_token, self._keys, expected)
        except UnknownKey:
            message = "The identity token is signed by a key that the provider does not publish."
            raise IdentityNotProven(message) from None

    async def described(self, identity: Identity, tokens: Tokens) -> Identity:
        """The identity with the address the provider tells of it, where the token does not.

        OpenID Connect Core 1.0, section 5.3: asked with the access token, over TLS.

        Raises:
            ProviderFailed: the provider does not answer, or tells of somebody else.
        """
        metadata = await self.metadata()
        endpoint = metadata.userinfo_endpoint
        if identity.email is not None or endpoint is None or tokens.access_token is None:
            return identity
        if not (tokens.access_token.isascii() and tokens.access_token.isprintable()):
            message = "The identity provider gave an access token that is none."
            raise ProviderFailed(message)
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        status, body = await self._ask("GET", endpoint, headers=headers)
        if status != _OK:
            message = f"The identity provider does not tell who you are: status {status}."
            raise ProviderFailed(message)
        return completed(identity, _read(body, dict[str, Any]))

    # ---------------------------------------------------------------------------- what it publishes

    async def metadata(self) -> Metadata:
        """What the provider says of itself, asked at most once an hour."""
        async with self._alone():
            if self._metadata is None or time.monotonic() >= self._metadata_until:
                address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = _read(await self._published(address), Metadata)
                ensure_usable(found, self.issuer)
                self._metadata = found
                self._metadata_until = time.monotonic() + REMEMBERED
            return self._metadata

    async def keys(self) -> tuple[Key, ...]:
        """The provider's public keys, asked at most once an hour unless an unknown one is used."""
        metadata = await self.metadata()
        async with self._alone():
            if time.monotonic() >= self._keys_until:
                await self._read_keys(metadata)
            return self._keys

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Let one request at a time read what is published; whoever waits, waits no longer.

        Raises:
            ProviderFailed: the provider did not answer in time, to this request or those before.
        """
        try:
            async with asyncio.timeout(self._timeout), self._reading:
                yield
        except TimeoutError:
            raise self._too_slow() from None

    def _too_slow(self) -> ProviderFailed:
        message = f"The identity provider did not answer within {self._timeout:g} seconds."
        return ProviderFailed(message)

    async def _refresh_keys(self) -> None:
        """Read the keys before their time, at most once a minute: forged tokens cost no more."""
        metadata = await self.metadata()
        async with self._alone():
            if time.monotonic() - self._refreshed_at >= BETWEEN_REFRESHES:
                self._refreshed_at = time.monotonic()
                await self._read_keys(metadata)

    async def _read_keys(self, metadata: Metadata) -> None:
        self._keys = signing_keys(await self._published(metadata.jwks_uri))
        self._keys_until = time.monotonic() + REMEMBERED

    async def _published(self, address: str) -> bytes:
        status, body = await self._ask("GET", address)
        if status != _OK:
            message = f"The identity provider does not answer at {address}: status {status}."
            raise ProviderFailed(message)
        return body

    async def _ask(self, method: str, address: str, **options: Any) -> tuple[int, bytes]:
        """Send one request and read its whole answer, within the time and the size allowed.

        Raises:
            ProviderFailed: no answer in time, one that is too large, a redirect, or none of HTTP.
        """
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **options.pop("headers", {}),
        }
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx.AsyncClient(
                    verify=_trust(), timeout=self._timeout, trust_env=False, follow_redirects=False
                ) as client,
                client.stream(method, address, headers=headers, **options) as answer,
            ):
                if answer.is_redirect or answer.has_redirect_location:
                    message = (
                        "The identity provider answers with a redirect, which is not followed."
                    )
                    raise ProviderFailed(message)
                return answer.status_code, await _whole(answer)
        except (TimeoutError, httpx.TimeoutException):
            raise self._too_slow() from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            message = f"The identity provider cannot be asked: {type(error).__name__}."
            raise ProviderFailed(message) from error


async def _whole(answer: httpx.Response) -> bytes:
    """Read an answer as it was sent: an encoded one could be small on the way and huge here."""
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        message = "The identity provider sends an encoded answer though none was asked for."
        raise ProviderFailed(message)
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > LARGEST_ANSWER:
            message = "The identity provider's answer is too large."
            raise ProviderFailed(message)
    return bytes(body)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        message = "The identity provider's answer is not the JSON it should be."
        raise ProviderFailed(message) from None


def identity_provider(settings: Settings) -> IdentityProvider | None:
    """The provider that the settings name; None where single sign-on is off."""
    issuer, client_id = settings.oidc_issuer, settings.oidc_client_id
    redirect_uri = settings.oidc_redirect_uri
    if issuer is None or client_id is None or redirect_uri is None:
        return None
    return IdentityProvider(settings, issuer=issuer, client_id=client_id, redirect_uri=redirect_uri)
