"""HTTP about saved searches."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Malformed, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED
from tenders.commands import searches as commands
from tenders.errors import NotActing, SearchFaulty, TooManySearches
from tenders.queries import searches as queries
from tenders.schemas.searches import SavedSearchView, SaveSearch


class SavedSearchController(Controller):
    """One's own saved searches."""

    path = "/saved-searches"
    tags = ("tenders",)

    @post(
        operation_id="saveSearch",
        dependencies=KEYED,
        responses=problems(NotActing, SearchFaulty, TooManySearches),
    )
    async def save(
        self, data: JSONBody[SaveSearch], actor: NamedDependency[Actor]
    ) -> SavedSearchView:
        """Save a search: one is told of every opportunity published later that matches it."""
        return await commands.save_search(actor, data)

    @get(operation_id="listSavedSearches", responses=problems(NotActing, Malformed))
    async def list_own(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[SavedSearchView]]:
        """List one's own searches in force for the organisation one acts for, the oldest first."""
        return linked(await queries.saved_searches(actor, limit=limit, cursor=cursor), request)

    @delete(
        "/{search_id:uuid}",
        operation_id="endSavedSearch",
        responses=problems(NotActing, NotFound),
    )
    async def end(self, search_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """End a search. Needs no If-Match: it can only end."""
        await commands.end_search(actor, search_id)
