"""What a declaration of an interest says, and everything that can be wrong with it."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from msgspec import Struct

from market.errors import Fault
from market.interests.rules.dates import EARLIEST, LATEST
from market.interests.rules.texts import Line, Paragraph, is_blank
from market.money import DecimalText, decimal_of
from market.organisations.rules import BadIdentifier, Identifier, normalise

WHOLE: Final = Decimal(100)


class InterestKind(StrEnum):
    """The four kinds of the statutory guidance; an indirect one is held by somebody close."""

    FINANCIAL = "financial"
    NON_FINANCIAL_PROFESSIONAL = "non_financial_professional"
    NON_FINANCIAL_PERSONAL = "non_financial_personal"
    INDIRECT = "indirect"


class Relationship(StrEnum):
    """What the holder of an interest is to the organisation or person it is in."""

    EMPLOYEE = "employee"
    DIRECTOR = "director"
    MEMBER = "member"
    PARTNER = "partner"
    OWNER = "owner"
    SHAREHOLDER = "shareholder"
    TRUSTEE = "trustee"
    OFFICE_HOLDER = "office_holder"
    CONTRACTOR = "contractor"
    ADVISER = "adviser"
    BENEFICIARY = "beneficiary"
    LOYALTY = "loyalty"
    OTHER = "other"


class InterestContent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the declaration form asks for.

    The counterparty is an organisation of the market, by its id, or anybody else by name and, where
    there is one, an identifier on a public register. `associate` says who holds an indirect
    interest by their relation to the declarer ("spouse or partner"), never by name. `share` is the
    percentage held. `line_manager` may read the interest and record what was agreed about it.
    """

    kind: InterestKind
    relationship: Relationship
    associate: Line | None = None
    organisation: UUID | None = None
    counterparty: Line | None = None
    identifier: Identifier | None = None
    business: Line | None = None
    nature: Paragraph
    share: DecimalText | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    aware_on: date
    line_manager: UUID | None = None
    consents: bool
    consent_refused_because: Paragraph | None = None
    accurate: bool

    example: ClassVar[dict[str, Any]] = {
        "kind": "financial",
        "relationship": "shareholder",
        "counterparty": "Delta Data Limited",
        "identifier": {"scheme": "GB-COH", "value": "01234567"},
        "business": "Health informatics",
        "nature": "Founding shareholder; no dividend has been paid so far.",
        "share": "12.5",
        "starts_on": "2019-04-01",
        "aware_on": "2019-04-01",
        "consents": True,
        "accurate": True,
    }


def date_faults(**dates: date | None) -> Iterator[Fault]:
    """Find the dates that no register can hold."""
    for field, day in dates.items():
        if day is not None and not EARLIEST <= day <= LATEST:
            reason = f"A date lies between {EARLIEST} and {LATEST}."
            yield Fault(field=field, reason=reason)


def blank_faults(**texts: str | None) -> Iterator[Fault]:
    """Find the texts that were given and say nothing."""
    for field, text in texts.items():
        if is_blank(text):
            yield Fault(field=field, reason="This text is blank. Say something, or leave it out.")


def consent_faults(*, consents: bool, refused_because: str | None) -> Iterator[Fault]:
    """A refusal to publish has a reason, and only a refusal has."""
    field = "consent_refused_because"
    if not consents and refused_because is None:
        yield Fault(field=field, reason="Say why you refuse consent to publish this.")
    if consents and refused_because is not None:
        yield Fault(field=field, reason="You consent: leave out a reason for refusing, or refuse.")


def accuracy_faults(*, accurate: bool) -> Iterator[Fault]:
    """Nothing is declared that the declarer does not state to be accurate."""
    if not accurate:
        reason = "State that what you declare is accurate and complete, by true."
        yield Fault(field="accurate", reason=reason)


def interest_faults(given: InterestContent, today: date) -> Iterator[Fault]:
    """Find everything wrong with a declaration made today, as far as it can be seen by itself."""
    yield from blank_faults(
        associate=given.associate,
        counterparty=given.counterparty,
        business=given.business,
        nature=given.nature,
        consent_refused_because=given.consent_refused_because,
    )
    yield from date_faults(
        starts_on=given.starts_on, ends_on=given.ends_on, aware_on=given.aware_on
    )
    if given.aware_on > today:
        reason = "This day is in the future: give the day on which you became aware."
        yield Fault(field="aware_on", reason=reason)
    ends_on = given.ends_on
    if ends_on is not None and given.starts_on is not None and ends_on < given.starts_on:
        reason = "The interest ends before it starts; exchange or correct the dates."
        yield Fault(field="ends_on", reason=reason)
    yield from _associate_faults(given)
    yield from _counterparty_faults(given)
    yield from _share_faults(given)
    yield from consent_faults(
        consents=given.consents, refused_because=given.consent_refused_because
    )
    yield from accuracy_faults(accurate=given.accurate)


def _associate_faults(given: InterestContent) -> Iterator[Fault]:
    indirect = given.kind is InterestKind.INDIRECT
    if indirect and given.associate is None:
        reason = 'Say who holds an indirect interest, such as "spouse or partner".'
        yield Fault(field="associate", reason=reason)
    if not indirect and given.associate is not None:
        reason = "Only an indirect interest is held by somebody else; change the kind."
        yield Fault(field="associate", reason=reason)


def _counterparty_faults(given: InterestContent) -> Iterator[Fault]:
    if given.organisation is None and given.counterparty is None:
        reason = "Name whom the interest is in: an organisation of the market, or a name."
        yield Fault(field="counterparty", reason=reason)
    if given.organisation is not None and given.counterparty is not None:
        reason = "The organisation has its name in the market already; leave this out."
        yield Fault(field="counterparty", reason=reason)
    if given.organisation is not None and given.identifier is not None:
        reason = "The organisation has its identifiers in the market already; leave this out."
        yield Fault(field="identifier", reason=reason)
    if given.identifier is not None:
        try:
            normalise(given.identifier.scheme, given.identifier.value)
        except BadIdentifier as error:
            yield Fault(field="identifier.value", reason=str(error))


def _share_faults(given: InterestContent) -> Iterator[Fault]:
    if given.share is None:
        return
    if given.kind not in {InterestKind.FINANCIAL, InterestKind.INDIRECT}:
        reason = "Only a financial interest, of one's own or an associate's, is a share."
        yield Fault(field="share", reason=reason)
    if not 0 < decimal_of(given.share) <= WHOLE:
        reason = "A share is a percentage above 0 and at most 100."
        yield Fault(field="share", reason=reason)


def ending_faults(ended_on: date, *, starts_on: date | None, today: date) -> Iterator[Fault]:
    """Find what is wrong with the day on which an interest is said to have ended."""
    yield from date_faults(ended_on=ended_on)
    if ended_on > today:
        reason = "This day is in the future: correct the interest and give the day in ends_on."
        yield Fault(field="ended_on", reason=reason)
    if starts_on is not None and ended_on < starts_on:
        reason = f"The interest started on {starts_on}; it cannot have ended before."
        yield Fault(field="ended_on", reason=reason)
