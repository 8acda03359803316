"""What a declaration of a gift or of hospitality says, and everything that can be wrong with it."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from msgspec import Struct

from market.errors import Fault
from market.interests.rules.interests import (
    accuracy_faults,
    blank_faults,
    consent_faults,
    date_faults,
)
from market.interests.rules.texts import Line, Paragraph
from market.interests.rules.thresholds import GiftKind, GiftSource
from market.money import Money

MOST: Final = Decimal(1_000_000)
"""Pounds beyond which a value is a slip of the pen."""

_PENNY: Final = Decimal("0.01")


class GiftContent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the form for gifts and hospitality asks for, accepted or declined alike."""

    kind: GiftKind
    source: GiftSource
    detail: Paragraph
    value: Money
    estimated: bool
    offered_on: date
    received_on: date | None = None
    organisation: UUID | None = None
    offeror: Line | None = None
    business: Line | None = None
    accepted: bool
    on_behalf_of_organisation: bool = False
    reason: Paragraph
    consents: bool
    consent_refused_because: Paragraph | None = None
    accurate: bool

    example: ClassVar[dict[str, Any]] = {
        "kind": "meal",
        "source": "supplier",
        "detail": "Dinner after the regional informatics conference",
        "value": {"amount": "32.50"},
        "estimated": True,
        "offered_on": "2018-03-14",
        "received_on": "2018-03-14",
        "offeror": "Delta Data Limited",
        "business": "Health informatics",
        "accepted": True,
        "reason": "The conference's own dinner, to which every speaker was invited.",
        "consents": True,
        "accurate": True,
    }


def gift_faults(given: GiftContent, today: date) -> Iterator[Fault]:
    """Find everything wrong with a declaration of an offer made today."""
    yield from blank_faults(
        detail=given.detail,
        offeror=given.offeror,
        business=given.business,
        reason=given.reason,
        consent_refused_because=given.consent_refused_because,
    )
    yield from date_faults(offered_on=given.offered_on, received_on=given.received_on)
    if given.offered_on > today:
        yield Fault(field="offered_on", reason="This day is in the future.")
    if given.received_on is not None:
        if given.received_on > today:
            yield Fault(field="received_on", reason="This day is in the future.")
        if given.received_on < given.offered_on:
            reason = "Nothing is received before it is offered; correct one of the dates."
            yield Fault(field="received_on", reason=reason)
        if not given.accepted:
            reason = "What was declined was not received; leave this out."
            yield Fault(field="received_on", reason=reason)
    if given.on_behalf_of_organisation and not given.accepted:
        reason = "What was declined was accepted on nobody's behalf; leave this out."
        yield Fault(field="on_behalf_of_organisation", reason=reason)
    if (given.organisation is None) == (given.offeror is None):
        reason = "Name who offered it: either an organisation of the market, or a name."
        yield Fault(field="offeror", reason=reason)
    value = given.value.exact
    if not 0 <= value <= MOST:
        reason = f"A value is at least 0 and at most {MOST} pounds."
        yield Fault(field="value.amount", reason=reason)
    elif value % _PENNY:
        yield Fault(field="value.amount", reason="A value is in pounds and whole pence.")
    yield from consent_faults(
        consents=given.consents, refused_because=given.consent_refused_because
    )
    yield from accuracy_faults(accurate=given.accurate)
