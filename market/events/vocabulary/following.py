"""The actions of following the market: notices by e-mail, webhooks, saved searches."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind, Whose

_NOTICES: Final[Mapping[str, Action]] = {
    "notice_preferences.changed": Action(
        "Somebody said which kinds of notices reach them, and how.",
        ("person",),
        {"kinds": Kind.CODES},
        own_affair=True,
    ),
    "notice.unsubscribed": Action(
        "Somebody left notices by the address in a mail.",
        ("person",),
        {"address": Kind.CODE, "kinds": Kind.CODES},
        own_affair=True,
    ),
}

_WEBHOOK = ("webhook_subscription",)
_WEBHOOKS: Final[Mapping[str, Action]] = {
    "webhook_subscription.made": Action(
        "A webhook was made.",
        _WEBHOOK,
        {"types": Kind.CODES, "of_tender": Kind.ID, "start_after": Kind.NUMBER},
        private=("host",),
        whose={"webhook_subscription": Whose.ACTOR},
        own_affair=True,
    ),
    "webhook_subscription.verification_asked": Action(
        "A webhook's receiver was to be sent another challenge.", _WEBHOOK, own_affair=True
    ),
    "webhook_subscription.verified": Action(
        "A webhook's receiver answered the challenge: it is delivered to.",
        _WEBHOOK,
        own_affair=True,
    ),
    "webhook_subscription.rotated": Action(
        "A webhook's secret was replaced.",
        _WEBHOOK,
        {"overlap_seconds": Kind.NUMBER},
        own_affair=True,
    ),
    "webhook_subscription.replayed": Action(
        "What a webhook had delivered or given up was to be delivered again.",
        _WEBHOOK,
        {"what": Kind.CODE, "delivery": Kind.ID, "from_position": Kind.NUMBER},
        own_affair=True,
    ),
    "webhook_subscription.paused": Action(
        "A webhook was paused, or paused itself.",
        _WEBHOOK,
        {"because": Kind.CODE},
        own_affair=True,
    ),
    "webhook_subscription.resumed": Action("A webhook was resumed.", _WEBHOOK, own_affair=True),
    "webhook_subscription.ended": Action(
        "A webhook was ended.", _WEBHOOK, {"because": Kind.CODE}, own_affair=True
    ),
    "webhook_subscription.stopped": Action(
        "A webhook was stopped by the market: its maker's role or its receiver was gone.",
        _WEBHOOK,
        {"because": Kind.CODE},
        own_affair=True,
    ),
}

_SEARCHES: Final[Mapping[str, Action]] = {
    "saved_search.made": Action(
        "Somebody asked to be told of opportunities like these.",
        ("saved_search",),
        commits_to="the search",
        whose={"saved_search": Whose.ACTOR},
        own_affair=True,
    ),
    "saved_search.ended": Action(
        "Somebody asked no longer to be told of them.", ("saved_search",), own_affair=True
    ),
}

OF_FOLLOWING: Final[Mapping[str, Action]] = {**_NOTICES, **_WEBHOOKS, **_SEARCHES}
