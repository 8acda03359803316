"""A clamd of the tests' own: it speaks INSTREAM and knows one signature."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex


@asynccontextmanager
async def clamd(
    folder: Path, signature: bytes, answer: bytes | None = b"as it is"
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Listen on a socket; give its address and what was scanned.

    `answer` is given instead of the true one, or never where it is None.
    """
    scanned: list[bytes] = []
    stopping = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\x00") == b"zINSTREAM\x00"
        content = b""
        while length := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(length)
        scanned.append(content)
        if answer is None:
            await stopping.wait()
        elif answer != b"as it is":
            writer.write(answer)
        else:
            found = b"Made.Up-1 FOUND" if signature in content else b"OK"
            writer.write(b"stream: " + found + b"\x00")
        writer.close()
        await writer.wait_closed()

    path = folder / f"clamd-{token_hex(4)}.sock"
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield f"unix:{path}", scanned
    finally:
        stopping.set()
        server.close()
        await server.wait_closed()
