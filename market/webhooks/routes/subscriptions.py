"""HTTP about subscriptions and their secrets."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people.errors import FreshSignInNeeded
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from market.vault import Vault
from market.webhooks.commands import subscriptions as commands
from market.webhooks.errors import (
    AlreadyPaused,
    NotForThisOrganisation,
    NotPaused,
    NotYourWebhook,
    TargetRefused,
    TooManySecrets,
    TooManyWebhooks,
    WebhookEnded,
)
from market.webhooks.queries import subscriptions as queries
from market.webhooks.schemas import MakeWebhook, RotateSecret, WebhookGiven, WebhookView


class OrganisationWebhookController(Controller):
    """The webhooks of an organisation."""

    path = "/organisations/{organisation_id:uuid}/webhooks"
    tags = ("webhooks",)

    @post(
        operation_id="makeWebhook",
        dependencies=KEYED,
        responses=problems(
            FreshSignInNeeded, NotForThisOrganisation, NotFound, TargetRefused, TooManyWebhooks
        ),
    )
    async def make(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[MakeWebhook],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
        state: State,
    ) -> Response[WebhookGiven]:
        """Make a webhook that sends what the feed shows you; its secret is shown once.

        Messages are signed as Standard Webhooks describes. The receiver first gets
        `webhook.verification` and must answer 2xx with `{"challenge": ...}`, the challenge of its
        `data`; until then nothing else is delivered. Each event is delivered at least once, with a
        `webhook-id` of its own, those of one subject in their order. It ends with the membership
        by which you made it.
        """
        private = state["settings"].webhook_private_targets
        made = await commands.make_webhook(actor, organisation_id, data, vault, private=private)
        return tagged(made, 201)

    @get(operation_id="listWebhooks", responses=problems(Forbidden, NotFound))
    async def list_webhooks(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[WebhookView]]:
        """List webhooks, the newest first; administrators see all, others their own."""
        return linked(await queries.webhooks_of(actor, organisation_id, cursor, limit), request)


class WebhookController(Controller):
    """One webhook."""

    path = "/webhooks/{webhook_id:uuid}"
    tags = ("webhooks",)

    @get(operation_id="getWebhook", responses=problems(NotFound))
    async def show(
        self, webhook_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[WebhookView]:
        """Show a webhook: its state, and how far it has come."""
        return tagged(await queries.webhook(actor, webhook_id))

    @post(
        "/rotation",
        operation_id="rotateWebhookSecret",
        dependencies=KEYED,
        responses=problems(
            FreshSignInNeeded,
            NotYourWebhook,
            NotForThisOrganisation,
            NotFound,
            WebhookEnded,
            TooManySecrets,
        ),
    )
    async def rotate(
        self,
        webhook_id: FromPath[UUID],
        data: JSONBody[RotateSecret],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[WebhookGiven]:
        """Replace the secret of one's own webhook; the former ones sign beside it for a while.

        `webhook-signature` then holds several signatures, parted by spaces.
        """
        made = await commands.rotate_secret(actor, webhook_id, version, data, vault)
        return tagged(made, 201)

    @post(
        "/pause",
        operation_id="pauseWebhook",
        status_code=200,
        responses=problems(NotFound, WebhookEnded, AlreadyPaused),
    )
    async def pause(
        self,
        webhook_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[WebhookView]:
        """Pause a webhook: what happens meanwhile is delivered once it is resumed."""
        return tagged(await commands.pause_webhook(actor, webhook_id, version))

    @post(
        "/resumption",
        operation_id="resumeWebhook",
        status_code=200,
        responses=problems(
            NotYourWebhook, NotForThisOrganisation, NotFound, WebhookEnded, NotPaused
        ),
    )
    async def resume(
        self,
        webhook_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[WebhookView]:
        """Resume one's own webhook where it was paused, by oneself or by itself."""
        return tagged(await commands.resume_webhook(actor, webhook_id, version))

    @delete(operation_id="endWebhook", responses=problems(NotFound))
    async def end(self, webhook_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """End a webhook at once and for good. Needs no If-Match: it can only end."""
        await commands.end_webhook(actor, webhook_id)
