"""The actions of following the market: notices by e-mail, webhooks, saved searches."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind

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

OF_FOLLOWING: Final[Mapping[str, Action]] = {**_NOTICES}
