"""HTTP about confirming one's interests, and who has to."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.interests.commands.confirmations import confirm_interests
from market.interests.errors import ConfirmationContradicted, NoRegister
from market.interests.queries import confirmations as queries
from market.interests.schemas.interests import ConfirmationDue, ConfirmationView, ConfirmInterests
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED


class ConfirmationController(Controller):
    """That the register is right: within 28 days of joining, then every twelve months."""

    tags = ("interests",)

    @post(
        "/me/interest-confirmations",
        operation_id="confirmInterests",
        dependencies=KEYED,
        responses=problems(NotFound, NoRegister, ConfirmationContradicted, Malformed),
    )
    async def confirm(
        self, data: JSONBody[ConfirmInterests], actor: NamedDependency[Actor]
    ) -> ConfirmationView:
        """Confirm one's entries, or that there is nothing to declare, where one acts."""
        return await confirm_interests(actor, data)

    @get(
        "/me/interest-confirmation",
        operation_id="getMyInterestConfirmation",
        responses=problems(NotFound, NoRegister),
    )
    async def mine(self, actor: NamedDependency[Actor]) -> ConfirmationView:
        """Show when one last confirmed one's interests, and when one has to next."""
        return await queries.my_confirmation(actor)

    @get(
        "/organisations/{organisation_id:uuid}/interest-confirmations-due",
        operation_id="listInterestConfirmationsDue",
        responses=problems(NoRegister, Forbidden),
    )
    async def list_due(  # noqa: PLR0913  # the filters of one list
        self,
        *,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        within_days: Annotated[
            int,
            QueryParameter(ge=0, le=366, description="Also what falls due in so many days."),
        ] = 0,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ConfirmationDue]]:
        """List who owes a confirmation, since when, for guardian, auditors and administrators."""
        page = await queries.confirmations_due(
            actor, organisation_id, within_days=within_days, cursor=cursor, limit=limit
        )
        return linked(page, request)
