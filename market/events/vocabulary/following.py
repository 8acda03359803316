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

_WEBHOOKS: Final[Mapping[str, Action]] = {
    name: Action(
        means,
        ("webhook_subscription",),
        details or {},
        private,
        whose={"webhook_subscription": Whose.ACTOR} if private else {},
    )
    for name, means, details, private in (
        (
            "webhook_subscription.made",
            "An organisation asked for the feed to be delivered to an address.",
            {"types": Kind.CODES, "of_tender": Kind.ID, "start_after": Kind.NUMBER},
            ("host",),
        ),
        ("webhook_subscription.verified", "The address answered the challenge.", None, ()),
        (
            "webhook_subscription.verification_asked",
            "Somebody asked for the address to be challenged anew.",
            None,
            (),
        ),
        (
            "webhook_subscription.rotated",
            "A new secret signs, and the old one for a while.",
            {"overlap_seconds": Kind.NUMBER},
            (),
        ),
        (
            "webhook_subscription.paused",
            "Nothing is delivered until it is resumed.",
            {"because": Kind.CODE},
            (),
        ),
        ("webhook_subscription.resumed", "It is delivered again.", None, ()),
        (
            "webhook_subscription.replayed",
            "Somebody asked for something to be delivered once more.",
            {"what": Kind.CODE, "delivery": Kind.ID, "from_position": Kind.NUMBER},
            (),
        ),
        (
            "webhook_subscription.stopped",
            "The market ended it: the address is gone, or its maker is.",
            {"because": Kind.CODE},
            (),
        ),
        (
            "webhook_subscription.ended",
            "Its organisation ended it, or its address said that it is gone.",
            {"because": Kind.CODE},
            (),
        ),
    )
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
