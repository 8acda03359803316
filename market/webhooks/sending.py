"""Sending a message to a receiver that nobody trusts: one checked address, short waits, no more.

The name is resolved once, by us; every address it gives must be one that is sent to, and the
connection goes to one of exactly these. So nobody leads the market into its own network, neither by
an address nor by a name that changes what it means in between (DNS rebinding).
"""

import asyncio
import functools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, Final

import httpcore
import httpx
import msgspec

from market.settings import Settings
from market.webhooks.rules.retries import Verdict, verdict_of, words_of
from market.webhooks.rules.targets import may_send_to, url_fault

MOST_READ: Final = 16 * 1024
"""How much of an answer is read at most, in bytes."""
_CONNECTING: Final = 5.0
_MOST_ADDRESSES: Final = 16
_TRIED: Final = 3
"""How many of a name's addresses are tried, one after another."""
_LOOKING_UP: Final = 64
"""Threads for looking names up: apart, so that a slow name server holds up no one else."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives every address of a name, as text. Raises OSError where there is none."""

_AGENT: Final = f"commissioning-support-market/{version('commissioning-support-market')} (webhooks)"
_NOT_SENT_TO: Final = "Its name leads to no address that the market sends to."


class NotSentTo(Exception):
    """The name is unknown, or leads to an address that is not sent to: which is not said."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt: a status, or in `failure` why there is none, in words."""

    verdict: Verdict
    status: int | None = None
    failure: str | None = None
    body: bytes = b""
    retry_after: str | None = None
    milliseconds: int = 0


@functools.cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_LOOKING_UP, thread_name_prefix="webhook-names")


async def looked_up(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver.

    Raises:
        OSError: the name is unknown.
    """
    ask = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads(), ask)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to an address that was found good, and to no other."""

    def __init__(self, resolve: Resolve, *, private: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolve = resolve
        self._private = private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._good_addresses(host, port)
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses[:_TRIED]:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or NotSentTo

    async def _good_addresses(self, host: str, port: int) -> list[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise NotSentTo from None
        if not 0 < len(found) <= _MOST_ADDRESSES:
            raise NotSentTo
        if not all(may_send_to(address, private=self._private) for address in found):
            raise NotSentTo
        return found

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    """An answer's body, closed where reading it ends."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Transport(httpx.AsyncBaseTransport):
    """httpx over one new connection of a checked network: no proxy, nothing kept open."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, trust: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=1,
            max_keepalive_connections=0,
            http1=True,
            http2=False,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = await self._pool.handle_async_request(asked)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class Sender:
    """Sends messages, each over a connection of its own, under the limits of the settings."""

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Resolve = looked_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Resolve names by the system and trust the usual authorities, unless told otherwise."""
        self._network = _CheckedNetwork(resolve, private=settings.webhook_private_targets)
        self._private = settings.webhook_private_targets
        self._total = settings.webhook_timeout
        self._trust = trust

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, *, read: bool = False
    ) -> Answer:
        """Post a message, and say what came of it; whatever the receiver does, in bounded time.

        Redirects are not followed, no cookie is kept or sent, and of the answer's body nothing is
        read, or with `read` at most 16 kB, which is then cut.
        """
        began = time.monotonic()
        if url_fault(url, private=self._private) is not None:
            answer = _failed("The market does not send to this URL.")
        else:
            try:
                async with asyncio.timeout(self._total):
                    answer = await self._exchange(url, headers, body, read=read)
            except TimeoutError:
                answer = _failed(f"It did not answer within {self._total:g} seconds.")
            except _FAILURES as error:
                answer = _failed(_words(error))
        passed = int((time.monotonic() - began) * 1000)
        return msgspec.structs.replace(answer, milliseconds=passed)

    async def _exchange(
        self, url: str, headers: Mapping[str, str], body: bytes, *, read: bool
    ) -> Answer:
        async with (
            httpx.AsyncClient(
                transport=_Transport(self._network, self._trust or _trust()),
                timeout=httpx.Timeout(self._total, connect=min(_CONNECTING, self._total)),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("POST", url, headers={**_HEADERS, **headers}, content=body) as response,
        ):
            verdict = verdict_of(response.status_code)
            return Answer(
                verdict=verdict,
                status=response.status_code,
                failure=None if verdict is Verdict.DELIVERED else words_of(response.status_code),
                body=await _read(response) if read and verdict is Verdict.DELIVERED else b"",
                retry_after=response.headers.get("retry-after"),
            )


_HEADERS: Final = {
    "user-agent": _AGENT,
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "identity",
    "connection": "close",
}

_FAILURES: Final = (
    NotSentTo,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    ssl.SSLError,
    OSError,
)


def _failed(words: str) -> Answer:
    return Answer(verdict=Verdict.FAILED, failure=words)


async def _read(response: httpx.Response) -> bytes:
    """The beginning of the body as it was sent; what would decode to more is not decoded."""
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > MOST_READ:
            break
    return bytes(found[: MOST_READ + 1])


def _words(error: BaseException) -> str:
    """What failed, in words that say nothing of the market's own network."""
    if isinstance(error, NotSentTo):
        return _NOT_SENT_TO
    if isinstance(error, httpcore.TimeoutException | httpx.TimeoutException):
        return "It did not answer in time."
    if (why := _certificate_fault(error)) is not None:
        return why
    if isinstance(error, httpcore.ProtocolError | httpx.ProtocolError):
        return "What it answered is not HTTP."
    if isinstance(error, httpcore.ConnectError):
        return "It could not be connected to."
    return "The connection broke."


def _certificate_fault(error: BaseException | None) -> str | None:
    """Why TLS was not agreed on, looked for in what caused the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"Its TLS certificate is not good: {error.verify_message[:120]}."
        if isinstance(error, ssl.SSLError):
            return "TLS could not be agreed on."
        error = error.__cause__ or error.__context__
    return None
