"""HTTP about breaches of the rules on conflicts of interest."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.interests.commands import breaches as commands
from market.interests.commands import reading
from market.interests.errors import (
    GuardianInvolved,
    GuardianNeeded,
    NamesSomebody,
    NoRegister,
)
from market.interests.queries.registers import public_breaches
from market.interests.schemas.breaches import BreachView, PublishBreach, RecordBreach
from market.interests.schemas.registers import PublicBreach
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED


class BreachController(Controller):
    """Breaches: recorded in private, published anonymised."""

    tags = ("breaches",)

    @post(
        "/organisations/{organisation_id:uuid}/conflict-breaches",
        operation_id="recordBreach",
        dependencies=KEYED,
        responses=problems(NoRegister, GuardianNeeded, GuardianInvolved, Malformed),
    )
    async def record(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[RecordBreach],
        actor: NamedDependency[Actor],
    ) -> BreachView:
        """Record a breach in private. A guardian who was not involved does this."""
        return await commands.record_breach(actor, organisation_id, data)

    @post(
        "/conflict-breaches/{breach_id:uuid}/publications",
        operation_id="publishBreach",
        dependencies=KEYED,
        responses=problems(NotFound, GuardianNeeded, GuardianInvolved, NamesSomebody, Malformed),
    )
    async def publish(
        self,
        breach_id: FromPath[UUID],
        data: JSONBody[PublishBreach],
        actor: NamedDependency[Actor],
    ) -> BreachView:
        """Publish a breach by a text that names nobody involved; a later text replaces it."""
        return await commands.publish_breach(actor, breach_id, data)

    @get(
        "/organisations/{organisation_id:uuid}/conflict-breaches",
        operation_id="listConflictBreaches",
        responses=problems(NoRegister),
        opt={"public": True},
    )
    async def list_public(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[PublicBreach]]:
        """List the published breaches, the latest first, for everybody."""
        return linked(await public_breaches(actor, organisation_id, cursor, limit), request)

    @get(
        "/organisations/{organisation_id:uuid}/conflict-breaches/private",
        operation_id="listPrivateConflictBreaches",
        responses=problems(NoRegister, Forbidden),
    )
    async def list_private(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[BreachView]]:
        """List every breach with who was involved, for guardian and auditors. It is recorded."""
        page = await reading.read_breaches(actor, organisation_id, cursor, limit)
        return linked(page, request)
