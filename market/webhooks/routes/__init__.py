"""HTTP about webhooks."""

from market.webhooks.routes.deliveries import DeliveryController
from market.webhooks.routes.subscriptions import OrganisationWebhookController, WebhookController

CONTROLLERS = (OrganisationWebhookController, WebhookController, DeliveryController)

__all__ = ["CONTROLLERS"]
