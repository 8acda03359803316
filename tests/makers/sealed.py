"""Bids that suppliers seal before sending, in tests: right ones, and wrong in every way."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import rfc8785

from market.sealing import Address, EnvelopeKind, commitment, new_salt, seal
from market.sealing.stand_alone_client import give_sealed_bid
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person


class _Bridge(httpx.BaseTransport):
    """Lets a client that knows nothing of asyncio ask the API in this process."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = self.client.request(
            request.method,
            str(request.url.path),
            headers=dict(request.headers),
            content=request.read(),
        )
        answer = asyncio.run_coroutine_threadsafe(sent, self.loop).result(60)
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=answer.content, request=request
        )


async def by_the_client(
    person: Person, tender: PublishedTender, body: dict[str, Any], lot: int = 1
) -> tuple[dict[str, Any], dict[str, str]]:
    """Give a bid by the documented client, as a supplier's system would: receipt and salts."""
    transport = _Bridge(person.client)

    def give() -> tuple[dict[str, Any], dict[str, str]]:
        headers = {"Authorization": f"Bearer {person.token}", "Idempotency-Key": str(uuid4())}
        with httpx.Client(
            transport=transport, base_url="http://market/api/v1/", headers=headers
        ) as api:
            return give_sealed_bid(
                api,
                tender.id,
                lot,
                person.organisation,
                quality=body["quality"],
                price=body["price"],
            )

    return await asyncio.to_thread(give)


async def sealed_body(  # noqa: PLR0913  # everything that can be sealed otherwise
    person: Person,
    tender: PublishedTender,
    body: dict[str, Any],
    *,
    lot: int = 1,
    version: int = 1,
    variant: int = 0,
    opens_for: int | None = None,
    committed: bool = True,
    keys: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """The body of a sealed bid; `opens_for` another version, or not as `committed`, if wanted.

    `keys` of documents are put into both envelopes.
    """
    given: dict[str, Any] = {"version": version}
    inside = rfc8785.dumps({one["id"]: one["key"] for one in keys})
    for key in (await person.get(f"{tender.path}/keys")).json():
        if key["lot_number"] != lot:
            continue
        kind, salt = EnvelopeKind(key["envelope"]), new_salt()
        content = msgspec.json.encode(body[kind.value])
        address = Address(
            tender=tender.id,
            lot=UUID(key["lot"]),
            supplier=person.organisation,
            envelope=kind,
            version=version if opens_for is None else opens_for,
            variant=variant,
        )
        plain = b'{"content":%b,"keys":%b,"salt":"%b"}' % (content, inside, salt.hex().encode())
        sealed = seal(base64.b64decode(key["public_key"]), address, plain)
        given[kind.value] = {
            "sealed": base64.b64encode(sealed).decode("ascii"),
            "commitment": commitment(salt if committed else new_salt(), content).hex(),
        }
    return given


async def send_sealed(
    person: Person, tender: PublishedTender, given: dict[str, Any], lot: int = 1
) -> httpx.Response:
    """Send a sealed bid, whatever the answer."""
    return await person.post(f"{tender.path}/lots/{lot}/sealed-bids", given)
