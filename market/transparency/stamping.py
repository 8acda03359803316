"""Time stamps of checkpoints by an authority outside the house (RFC 3161), where one is set."""

import asyncio
from pathlib import Path

import httpx
from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.base import HashAlgorithm

from market.background import Workbench

_OFF = 3600.0
_PAUSE = 5.0
_TIME_LIMIT = 10.0
_LARGEST = 64 * 1024

# Those signed for a reason, of the last day; and the newest, where none was stamped for so long.
_DUE = """
SELECT c.size, c.note FROM checkpoint c
WHERE NOT EXISTS (SELECT 1 FROM checkpoint_stamp s WHERE s.size = c.size)
  AND (c.because <> 'interval' AND c.signed_at > clock_timestamp() - interval '1 day'
       OR c.size = (SELECT max(size) FROM checkpoint) AND NOT EXISTS (
           SELECT 1 FROM checkpoint_stamp s
           WHERE s.stamped_at > clock_timestamp() - make_interval(secs => $1)))
ORDER BY c.size DESC LIMIT 1
"""
_KEEP = """
INSERT INTO checkpoint_stamp (size, authority, token, stamped_at)
VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT DO NOTHING
"""


class BadTimeStamp(RuntimeError):
    """The authority answered with something that is no time stamp of the checkpoint."""


class TimeStamper:
    """Has checkpoints stamped: after that not even whoever holds the log's key can date one back.

    A stamp is checked against the authority's roots before it is kept. An authority that does not
    answer is asked again later and holds up nothing.
    """

    name = "time stamper"

    def __init__(self, bench: Workbench) -> None:
        """Use the authority of the settings."""
        self._database = bench.database
        self._settings = bench.settings

    async def run(self) -> float:
        """Have one checkpoint stamped, if one is due."""
        url, roots = self._settings.timestamp_url, self._settings.timestamp_roots
        if url is None or roots is None:
            return _OFF
        async with self._database.connection() as connection:
            due = await connection.fetchrow(_DUE, float(self._settings.timestamp_interval))
        if due is None:
            return _PAUSE
        pem = await asyncio.to_thread(Path(roots).read_bytes)
        token = await stamp(url, pem, due["note"].encode())
        async with self._database.connection() as connection:
            await connection.execute(_KEEP, due["size"], url, token)
        return 0


async def stamp(url: str, roots: bytes, message: bytes) -> bytes:
    """Have a message stamped, and give the DER of the token once it was checked.

    Raises:
        BadTimeStamp: it is refused, unreadable, too large, of another message, or not signed by an
            authority that one of the root certificates (PEM) vouches for.
        httpx.HTTPError: the authority cannot be reached.
    """
    request = TimestampRequestBuilder(data=message, hash_algorithm=HashAlgorithm.SHA256).build()
    answer = await _ask(url, request.as_bytes())
    try:
        response = decode_timestamp_response(answer)
        verifier = VerifierBuilder.from_request(request)
        for certificate in load_pem_x509_certificates(roots):
            verifier = verifier.add_root_certificate(certificate)
        verifier.build().verify_message(response, message)
    except (VerificationError, ValueError) as error:
        text = f"The time-stamping authority's answer cannot be used: {error}"
        raise BadTimeStamp(text) from error
    return response.time_stamp_token()


async def _ask(url: str, query: bytes) -> bytes:
    async with (
        httpx.AsyncClient(timeout=_TIME_LIMIT, trust_env=False) as client,
        client.stream(
            "POST", url, content=query, headers={"Content-Type": "application/timestamp-query"}
        ) as response,
    ):
        if response.status_code != httpx.codes.OK:
            text = f"The time-stamping authority answered {response.status_code}."
            raise BadTimeStamp(text)
        answer = bytearray()
        async for piece in response.aiter_bytes():
            answer += piece
            if len(answer) > _LARGEST:
                raise BadTimeStamp("The time-stamping authority's answer is too large.")
        return bytes(answer)
