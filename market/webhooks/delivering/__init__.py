"""What the worker does for webhooks: look for their events, deliver these, keep the books.

Four tasks. Any number of workers may run them: what one does is claimed by a lease under a row
lock that the others skip. Nothing is sent while a transaction is open.
"""

from market.background import Task, Workbench
from market.webhooks.delivering.deliveries import WebhookDelivery
from market.webhooks.delivering.fan_out import WebhookFanOut
from market.webhooks.delivering.upkeep import WebhookRetention, WebhookUpkeep


def webhook_tasks(bench: Workbench) -> tuple[Task, ...]:
    """Every task about webhooks."""
    return (
        WebhookUpkeep(bench),
        WebhookFanOut(bench),
        WebhookDelivery(bench),
        WebhookRetention(bench),
    )


__all__ = [
    "WebhookDelivery",
    "WebhookFanOut",
    "WebhookRetention",
    "WebhookUpkeep",
    "webhook_tasks",
]
