"""What must be kept of a person, until when, and why; what an erasure leaves."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from market.interests.rules.dates import kept_until

ERASED_NAME: Final = "Erased person"
"""What is shown wherever a person's name was."""


class Kind(StrEnum):
    """What a person did or declared that the market must be able to account for."""

    TENDER = "tender"
    INTEREST = "interest"
    INTEREST_CONFIRMATION = "interest_confirmation"
    GIFT = "gift"
    CONFLICT_BREACH = "conflict_breach"
    OFFICE = "office"


class Kept(msgspec.Struct, frozen=True):
    """One such thing, and the civil day in London on which it was over; None while it is not."""

    kind: Kind
    what: str
    concluded_on: date | None


class Held(msgspec.Struct, frozen=True):
    """A legal hold in force."""

    placed_on: date
    because: str


_SAID: Final = {
    Kind.TENDER: "they acted, or had a duty, in the tender {what}",
    Kind.INTEREST: "they declared an interest in the register of {what}",
    Kind.INTEREST_CONFIRMATION: "they confirmed their entries in the register of {what}",
    Kind.GIFT: "they declared a gift in the register of {what}",
    Kind.CONFLICT_BREACH: "they were involved in a breach recorded by {what}",
    Kind.OFFICE: "they acted for an organisation or the market (last: {what})",
}
_NOT_OVER: Final = {
    Kind.TENDER: "which is not concluded: given up, or every contract of it at its end",
    Kind.INTEREST: "which has not ended",
}


def must_keep(kept: Kept, today: date) -> bool:
    """Whether it must still be kept on a day: until six years after it was over, to the day.

    For registers the six years are those of the guidance on managing conflicts of interest (see
    `market.interests.rules.dates`); for tenders and acts of office, the time within which a claim
    can be brought (Limitation Act 1980, s. 5).
    """
    return kept.concluded_on is None or kept_until(kept.concluded_on) >= today


def reasons_against(kept: Iterable[Kept], holds: Iterable[Held], today: date) -> Iterator[str]:
    """Say everything that forbids an erasure on a day, and until when; nothing where none does."""
    for hold in holds:
        yield (
            f"A legal hold is in force since {_day(hold.placed_on)}, until it is released:"
            f" {hold.because}"
        )
    for one in kept:
        if not must_keep(one, today):
            continue
        said = _SAID[one.kind].format(what=one.what)
        if one.concluded_on is None:
            yield f"Kept until six years after its end: {said}, {_NOT_OVER[one.kind]}."
        else:
            yield (
                f"Kept until {_day(kept_until(one.concluded_on))}: {said}, which was over on"
                f" {_day(one.concluded_on)}."
            )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


ERASES: Final = {
    "event_private": "texts kept apart from events about them or naming them, with the salts",
    "idempotency_key": "answers kept for repeated requests",
    "invitation": "invitations to them: the address",
    "identity_link": "identities at identity providers",
    "recovery_code": "recovery codes",
    "api_key": "API keys: revoked; name and network addresses",
    "oauth_client": "clients: revoked; name and keys",
    "credential_use": "network addresses that their credentials were used from",
    "ownership_person": "statements of who they are in ownership data: ended; the reason",
    "interest": "interests: every text",
    "interest_mitigation": "what was done about their interests",
    "gift": "gifts: every text",
    "gift_review": "comments in reviews of their gifts",
    "consent_decision": "reasons of decisions on publishing their entries",
    "conflict_breach_person": "their name in breaches they were involved in",
    "duty_declaration": "texts of declarations on taking up duties",
    "declaration": "texts of declarations against bidders",
    "exemption": "reasons of exemptions they were granted",
    "exemption_revocation": "reasons of ending these",
    "conflict_decision": "reasons and mitigations of decisions about their interests",
    "notice": "notices to them, or with their name in them: what they say",
    "webhook_subscription": "webhooks: ended; the address",
    "webhook_secret": "secrets of webhooks",
    "saved_search": "saved searches: ended; name and text",
    "session": "sessions: ended; the tokens",
    "one_time_password": "authenticators: removed",
    "membership": "roles: ended",
}
"""What is erased, by table; name, address and password always."""

STAYS: Final = (
    "Every event, with its position, its leaf and its digests: the log verifies as before.",
    "Who did what, under the person's id, which leads to nobody any more.",
    "Scores with their reasons, reviews, approvals, bids; that there were declarations.",
    "Salts of bids, scores and awards: these must be provable.",
    "Texts about a matter, not a person: reasons of scores and awards, the account of a breach.",
    "What was published. Read it, and those texts, if they may name the person.",
    "A text kept apart from an event goes where it has the person's name or address in it.",
    "What was imported about ownership, and what other systems and backups hold.",
)
"""What an erasure leaves, and why."""
