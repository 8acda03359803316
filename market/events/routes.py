"""HTTP about the change feed: pages of it, waiting for it, following it."""

from typing import Annotated, Any, cast
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter

from market.actor import Actor, Scope
from market.errors import Fault, Malformed
from market.events.errors import NoRoomToWait, UnknownType, WaitsElsewhere
from market.events.reading import Asked, Reader
from market.events.rules import FARTHEST, LONGEST_PAGE, LONGEST_WAIT, MOST_TYPES
from market.events.schemas import Feed
from market.events.streams import MEDIA_TYPE, EventStream
from market.problems import AnyRequest, problems
from market.settings import Settings

_LIMIT = 100

After = Annotated[
    int,
    QueryParameter(
        ge=0, le=FARTHEST, description="The position to go on after: 0, or `next` of the last page."
    ),
]
PageSize = Annotated[
    int, QueryParameter(ge=1, le=LONGEST_PAGE, description="How many events a page may have.")
]
Types = Annotated[
    list[str] | None,
    QueryParameter(
        name="type",
        required=False,
        max_items=MOST_TYPES,
        description=(
            "Only events of this type, such as `tender.published`, or of a kind, such as `bid.*`."
            " May be given several times."
        ),
    ),
]
OfSubject = Annotated[
    UUID | None, QueryParameter(required=False, description="Only events of this subject.")
]
OfTender = Annotated[
    UUID | None, QueryParameter(required=False, description="Only events of this tender.")
]
Wait = Annotated[
    int,
    QueryParameter(
        ge=0,
        le=LONGEST_WAIT,
        description="For how many seconds to wait where there is nothing yet; 0 answers at once.",
    ),
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        required=False,
        description="The id a stream gave last; it goes on after it, whatever `after` says.",
    ),
]


class FeedController(Controller):
    """The one log of the market, by position."""

    path = "/events"
    tags = ("events",)

    @get(
        operation_id="listEvents",
        responses=problems(Malformed, UnknownType, WaitsElsewhere, NoRoomToWait),
        opt={"public": True, "scope": Scope.EVENTS_READ, "stream": True},
    )
    async def list_events(  # noqa: PLR0913  # the filters of one list, each by its name
        self,
        *,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        after: After = 0,
        limit: PageSize = _LIMIT,
        types: Types = None,
        subject: OfSubject = None,
        tender: OfTender = None,
        wait: Wait = 0,
        last_event_id: LastEventId = None,
    ) -> Response[Feed]:
        """List what happened in the market, in the order of the log, from any position on.

        You see whole what you did, what your role lets you see of your colleagues' acts, and the
        record of tenders you manage, guard or audit; of what else is public, its public part. Each
        event comes once, its position never changes, and a later one never has a lower position:
        begin with `after=0`, go on with `next`, and you miss nothing and get nothing twice. A
        system should remember `next`, and know events by their `id`.

        A page may be short or empty although `more` is true: a request looks at so many positions
        and no more. With `wait` an empty page is answered as soon as there is something, or when
        the time is over. With `Accept: text/event-stream` the same comes as Server-Sent Events:
        `id` is the position, `event` the type, `data` the event; an event `next` says how far the
        market has looked. A stream ends after some minutes, or when your session does; come again
        with `Last-Event-ID`.

        You get what you may see when you read. What becomes visible later keeps its earlier
        position: a tender's earlier exemptions once it is published, its bids' events, for who
        reads its record, once it is opened. To have them, read again with `tender` from the
        tender's first position after `tender.published` and after `tender.opened`.
        """
        asked = Asked(
            after=after if last_event_id is None else _position(last_event_id),
            limit=limit,
            types=tuple(types or ()),
            subject=subject,
            tender=tender,
        )
        reader = Reader(request, actor)
        if _is_stream(request):
            return await _streamed(reader, asked, request)
        return _linked(await reader.page(asked, wait), request)


def _position(given: str) -> int:
    """Read the id of an event.

    Raises:
        Malformed: it is none that a stream gives.
    """
    if given.isascii() and given.isdecimal() and len(given) <= len(str(FARTHEST)):
        return min(int(given), FARTHEST)
    reason = "Last-Event-ID is the id that a stream gave last: a position, such as 17."
    raise Malformed(reason, faults=[Fault(field="Last-Event-ID", reason=reason)])


def _is_stream(request: AnyRequest) -> bool:
    return request.accept.best_match(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


async def _streamed(reader: Reader, asked: Asked, request: AnyRequest) -> Response[Feed]:
    """Answer with a stream, once it is known that what is asked can be answered."""
    await reader.page(asked, 0)
    settings: Settings = request.app.state["settings"]
    stream: Any = EventStream(
        reader.stream(asked),
        place=reader.place,
        lifetime=settings.feed_stream_lifetime,
    )
    # the handler's type is its documented form; a stream is said of it in the OpenAPI document
    return cast("Response[Feed]", stream)


def _linked(feed: Feed, request: AnyRequest) -> Response[Feed]:
    """Answer with the page and a Link to the next one (RFC 8288): a feed always goes on."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "after"]
    query = urlencode([*kept, ("after", feed.next)])
    link = f'<{request.url.path}?{query}>; rel="next"'
    return Response(feed, headers={"Link": link, "Vary": "Accept"})


CONTROLLERS = (FeedController,)
