"""HTTP about the market itself: outside the API's prefix, public, for machines and people."""

from litestar import Controller, MediaType, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from market.observation.measures import exposition
from market.problems import AnyRequest
from market.status import pages, queries
from market.status.schemas import Health, ProblemKind, Status
from market.vault import Vault


def _wants_page(request: AnyRequest) -> bool:
    return request.accept.best_match(["application/json", "text/html"]) == "text/html"


class StatusController(Controller):
    """Whether it lives, can serve, how much it does, what is on and what is missing."""

    opt = {"public": True}  # noqa: RUF012  # read by the guard, never changed
    include_in_schema = False

    @get("/health", opt={"unlimited": True})
    async def health(self) -> Health:
        """Say that the process lives; asks nobody else."""
        return queries.health()

    @get("/ready", opt={"unlimited": True})
    async def ready(self, state: State) -> Health:
        """Say whether the market can serve: database, migrations, vault."""
        return await queries.ensure_ready(state.get("vault"))

    @get("/metrics", opt={"unlimited": True})
    async def metrics(self) -> Response[bytes]:
        """Give the measures as Prometheus reads them."""
        body, media_type = exposition()
        return Response(body, headers={"Content-Type": media_type})

    @get("/status")
    async def status(
        self, request: AnyRequest, state: State, vault: NamedDependency[Vault]
    ) -> Response[Status] | Response[str]:
        """Show the state of the market: a page for people, JSON for machines."""
        found = await queries.status(state["settings"], vault)
        if _wants_page(request):
            return Response(pages.status_page(found), media_type=MediaType.HTML)
        return Response(found)

    @get("/status/page.css", media_type="text/css")
    async def stylesheet(self) -> str:
        """Give the style sheet of the pages."""
        return pages.stylesheet()


class ProblemController(Controller):
    """The catalogue of refusals: where the `type` of every problem leads."""

    path = "/problems"
    opt = {"public": True}  # noqa: RUF012  # read by the guard, never changed
    include_in_schema = False

    @get()
    async def all_problems(
        self, request: AnyRequest
    ) -> Response[list[ProblemKind]] | Response[str]:
        """List every kind of refusal, for people or machines."""
        kinds = queries.problem_kinds()
        if _wants_page(request):
            return Response(pages.problems_page(kinds), media_type=MediaType.HTML)
        return Response(kinds)

    @get("/{slug:str}")
    async def one_problem(
        self, slug: FromPath[str], request: AnyRequest
    ) -> Response[ProblemKind] | Response[str]:
        """Show one kind of refusal."""
        kind = queries.problem_kind(slug)
        if _wants_page(request):
            return Response(pages.problems_page([kind]), media_type=MediaType.HTML)
        return Response(kind)


class ReferenceController(Controller):
    """The reference page of the API: Swagger UI served from here, without the network."""

    path = "/docs"
    opt = {"public": True}  # noqa: RUF012  # read by the guard, never changed
    include_in_schema = False

    @get(media_type=MediaType.HTML)
    async def page(self) -> str:
        """Show the page."""
        return pages.REFERENCE_PAGE

    @get("/{name:str}")
    async def file(self, name: FromPath[str]) -> Response[bytes]:
        """Give one of the files the page uses."""
        content, media_type = pages.reference_file(name)
        return Response(content, media_type=media_type)


CONTROLLERS = (StatusController, ProblemController, ReferenceController)
