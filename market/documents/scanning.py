"""Looking for malware with ClamAV's daemon, by its INSTREAM command; off where none is set."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from market.errors import MarketError
from market.settings import Settings

_LENGTH_BYTES: Final = 4
_CHUNK: Final = 64 * 1024
_LONGEST_ANSWER: Final = 4096
_UNIX: Final = "unix:"
_BROKEN = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class ScannerUnavailable(MarketError):
    """The scanner for malware does not answer; nothing is accepted unscanned."""

    status = 503
    title = "The scanner for malware does not answer now. Try again."
    retry_after = 10


class Scanner(msgspec.Struct, frozen=True, kw_only=True):
    """A clamd, by its socket: `unix:/run/clamd.sock`, or `host:port`.

    Each wait for it is bounded by `patience`, in seconds. Its own StreamMaxLength must be above
    the largest document: what it does not read whole, it is taken not to have scanned.
    """

    address: str
    patience: float

    async def finding(self, content: AsyncIterator[bytes]) -> str | None:
        """Scan a document, and give the name of what was found in it, or None.

        The content is read to its end whatever is found.

        Raises:
            ScannerUnavailable: it does not answer in time, or not as clamd does.
        """
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await self._connect()
        except _BROKEN as error:
            raise ScannerUnavailable from error
        try:
            return await self._ask(reader, writer, content)
        finally:
            writer.close()
            with contextlib.suppress(*_BROKEN):
                async with asyncio.timeout(self.patience):
                    await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.startswith(_UNIX):
            return await asyncio.open_unix_connection(
                self.address.removeprefix(_UNIX), limit=_LONGEST_ANSWER
            )
        host, _, port = self.address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port), limit=_LONGEST_ANSWER)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        content: AsyncIterator[bytes],
    ) -> str | None:
        await self._send(writer, b"zINSTREAM\x00")
        async for piece in content:
            for start in range(0, len(piece), _CHUNK):
                chunk = piece[start : start + _CHUNK]
                await self._send(writer, len(chunk).to_bytes(_LENGTH_BYTES) + chunk)
        await self._send(writer, bytes(_LENGTH_BYTES))
        try:
            async with asyncio.timeout(self.patience):
                answer = (await reader.readuntil(b"\x00"))[:-1].decode("ascii", "replace")
        except _BROKEN as error:
            raise ScannerUnavailable from error
        said = answer.removeprefix("stream: ")
        if said == "OK":
            return None
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")[:100]
        raise ScannerUnavailable

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        try:
            writer.write(data)
            async with asyncio.timeout(self.patience):
                await writer.drain()
        except _BROKEN as error:
            raise ScannerUnavailable from error


def scanner_of(settings: Settings) -> Scanner | None:
    """The scanner that the settings name, or None."""
    if settings.scanner_address is None:
        return None
    return Scanner(address=settings.scanner_address, patience=settings.scanner_timeout)
