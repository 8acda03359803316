"""Keyset pages: opaque cursors, stable while rows are added, a link to the next page."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from market.errors import Malformed
from market.problems import AnyRequest

T = TypeVar("T")
LIMIT = 50
LONGEST = 200

PageLimit = Annotated[
    int, QueryParameter(ge=1, le=LONGEST, description="How many items a page may have.")
]
PageCursor = Annotated[
    str | None,
    QueryParameter(
        name="cursor", required=False, max_length=500, description="Where the last page ended."
    ),
]


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some items in order, and where to go on. `next` is absent on the last page."""

    items: list[T]
    next: str | None = None


def encode_cursor(*keys: str) -> str:
    """Make an opaque cursor out of the sort keys of the last item."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def decode_cursor(cursor: str, count: int) -> tuple[str, ...]:
    """Read a cursor back.

    Raises:
        Malformed: it is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        keys = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[str, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        keys = ()
    if len(keys) != count:
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message)
    return keys


def linked(page: Page[T], request: AnyRequest) -> Response[Page[T]]:
    """Answer with the page and, where there is more, a Link to the next one (RFC 8288)."""
    headers: dict[str, str] = {}
    if page.next is not None:
        kept = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
        query = urlencode([*kept, ("cursor", page.next)])
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return Response(page, headers=headers)
