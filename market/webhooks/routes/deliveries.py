"""HTTP about what a webhook delivered, and what the worker is asked to do for it."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from market.actor import Actor
from market.errors import NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED
from market.webhooks.commands import requests as commands
from market.webhooks.errors import (
    NotForThisOrganisation,
    NotReplayed,
    NotYourWebhook,
    TooManyWebhookRequests,
    WebhookEnded,
)
from market.webhooks.queries import deliveries as queries
from market.webhooks.rules.retries import DeliveryOutcome
from market.webhooks.schemas import (
    ReplayWebhook,
    WebhookDeliveryLog,
    WebhookDeliveryView,
    WebhookRequestView,
)

Ended = Annotated[
    DeliveryOutcome | None, QueryParameter(required=False, description="Only those that ended so.")
]


class DeliveryController(Controller):
    """What one webhook delivered."""

    path = "/webhooks/{webhook_id:uuid}"
    tags = ("webhooks",)

    @post(
        "/verifications",
        operation_id="verifyWebhook",
        dependencies=KEYED,
        status_code=202,
        responses=problems(
            NotYourWebhook, NotForThisOrganisation, NotFound, WebhookEnded, TooManyWebhookRequests
        ),
    )
    async def verify(
        self, webhook_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> WebhookRequestView:
        """Have a new challenge sent to the receiver of one's own webhook."""
        return await commands.verify_webhook(actor, webhook_id)

    @post(
        "/replays",
        operation_id="replayWebhook",
        dependencies=KEYED,
        status_code=202,
        responses=problems(
            NotYourWebhook,
            NotForThisOrganisation,
            NotFound,
            NotReplayed,
            WebhookEnded,
            TooManyWebhookRequests,
        ),
    )
    async def replay(
        self,
        webhook_id: FromPath[UUID],
        data: JSONBody[ReplayWebhook],
        actor: NamedDependency[Actor],
    ) -> WebhookRequestView:
        """Deliver again: one delivery, the dead ones, or everything after a position."""
        return await commands.replay_webhook(actor, webhook_id, data)

    @get("/deliveries", operation_id="listWebhookDeliveries", responses=problems(NotFound))
    async def list_deliveries(  # noqa: PLR0913, PLR0917  # a list's parameters
        self,
        webhook_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        outcome: Ended = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[WebhookDeliveryView]]:
        """List what a webhook delivered or is to deliver, the newest first, for thirty days."""
        page = await queries.deliveries_of(actor, webhook_id, outcome, cursor, limit)
        return linked(page, request)

    @get(
        "/deliveries/{delivery_id:uuid}",
        operation_id="getWebhookDelivery",
        responses=problems(NotFound),
    )
    async def show_delivery(
        self,
        webhook_id: FromPath[UUID],
        delivery_id: FromPath[UUID],
        actor: NamedDependency[Actor],
    ) -> WebhookDeliveryLog:
        """Show a delivery with every attempt: when, for how long, the status or what failed."""
        return await queries.delivery_log(actor, webhook_id, delivery_id)
