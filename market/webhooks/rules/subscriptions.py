"""Pure rules about subscriptions: their states, and how much of anything there may be."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from market.actor import Role

MOST_WEBHOOKS: Final = 20
"""How many webhooks of an organisation may be in force."""
MOST_TYPES: Final = 20
LONGEST_OVERLAP: Final = timedelta(hours=24)
"""How long a secret that was replaced may go on signing."""
MOST_SECRETS: Final = 4
"""How many secrets of a webhook may sign at once."""
MOST_REQUESTS: Final = 10
"""How many verifications and replays of a webhook may wait to be carried out."""
KEPT: Final = timedelta(days=30)
"""How long attempts, and deliveries that have ended, are kept."""
MOST_WAITING: Final = 5000
"""How many deliveries of a webhook wait at most; what lies beyond waits in the log itself."""
AT_ONCE: Final = 2
"""How many deliveries of a webhook are under way at once."""

HOLDING_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.BID_MANAGER})
"""The roles whose holders make webhooks, as they make API keys: it lives while they hold one."""


class WebhookState(StrEnum):
    """Where a subscription stands: nothing is delivered before it is verified."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class WebhookPauseReason(StrEnum):
    """Why a subscription is paused: by a person, or by itself after many dead deliveries."""

    BY_PERSON = "by_person"
    TOO_MANY_DEAD = "too_many_dead"


class WebhookEndReason(StrEnum):
    """Why a subscription has ended."""

    BY_PERSON = "by_person"
    MEMBERSHIP_ENDED = "membership_ended"
    RECEIVER_GONE = "receiver_gone"


class WebhookRequestKind(StrEnum):
    """What somebody can ask of the worker: a verification, or to deliver something again."""

    VERIFICATION = "verification"
    DELIVERY = "delivery"
    DEAD = "dead"
    POSITION = "position"
