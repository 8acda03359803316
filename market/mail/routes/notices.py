"""HTTP about one's own notices and how they reach one."""

from typing import Annotated

from litestar import Controller, Response, get, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from market.actor import Actor
from market.mail import commands, queries
from market.mail.errors import FormalKind, UnknownNoticeKind
from market.mail.schemas import ChangeNoticePreferences, NoticePreferences, OwnNotice
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import tagged

ByKind = Annotated[
    str | None,
    QueryParameter(
        name="kind", required=False, max_length=60, description="Only notices of this kind."
    ),
]


class NoticeController(Controller):
    """What one was told, and how one wants to be told."""

    tags = ("notices",)

    @get("/notices", operation_id="listNotices")
    async def list_notices(  # noqa: PLR0913, PLR0917  # a list's parameters
        self,
        request: AnyRequest,
        state: State,
        actor: NamedDependency[Actor],
        kind: ByKind = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[OwnNotice]]:
        """List one's notices for the organisation one acts for, newest first, mailed or not."""
        return linked(
            await queries.notices(actor, state["notice_kinds"], kind, cursor, limit), request
        )

    @get("/notice-preferences", operation_id="getNoticePreferences")
    async def show_preferences(
        self, state: State, actor: NamedDependency[Actor]
    ) -> Response[NoticePreferences]:
        """Show how notices of each kind reach one: by mail at once, in the digest, or not."""
        hour = state["settings"].digest_hour
        return tagged(await queries.preferences(actor, state["notice_kinds"], hour))

    @put(
        "/notice-preferences",
        operation_id="changeNoticePreferences",
        responses=problems(UnknownNoticeKind, FormalKind),
    )
    async def change_preferences(
        self,
        data: JSONBody[ChangeNoticePreferences],
        state: State,
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[NoticePreferences]:
        """State how notices reach one. What is switched off stays in the list of notices."""
        hour = state["settings"].digest_hour
        return tagged(
            await commands.change_preferences(actor, state["notice_kinds"], hour, version, data)
        )
