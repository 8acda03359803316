"""Who takes part in a bid beside its lead: members of a consortium, subcontractors."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import DecimalText, decimal_of, exact_sum, plain_text
from market.organisations.rules import BadIdentifier, Identifier, Scheme, normalise

MOST_PARTICIPANTS: Final = 50
WHOLE: Final = Decimal(100)
Name = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"^(?![\s\S]*[\x00-\x1f\x7f])[\s\S]*\S")
]


class ParticipantRole(StrEnum):
    """What a participant is to the bid: it bids jointly, or does a part of the work."""

    CONSORTIUM_MEMBER = "consortium_member"
    SUBCONTRACTOR = "subcontractor"


class ExclusionGrounds(StrEnum):
    """Whether a ground for exclusion applies: Public Contracts Regulations 2015, regulation 57."""

    NONE = "no_grounds"
    DISCLOSED = "grounds_disclosed"


class ParticipantDeclaration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the lead declares for a participant, as parts 1 and 2 of a selection questionnaire ask.

    `details` say which ground is disclosed, and what was done since (self-cleaning, regulation
    57(13)). `consents` says that the participant agreed to be named, and to what is declared.
    """

    exclusion_grounds: ExclusionGrounds
    details: Annotated[str, Meta(max_length=4_000, pattern=r"^[^\u0000]*$")] = ""
    consents: bool


class Participant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who takes part: registered in the market, or known by name and public register.

    An identifier is what finds conflicts of interest; a name alone finds none, so give one where
    there is one.
    """

    role: ParticipantRole
    organisation: UUID | None = None
    name: Name | None = None
    identifier: Identifier | None = None
    share: Annotated[
        DecimalText | None,
        Meta(description="Of a subcontractor: how many per cent of the contract it does."),
    ] = None
    declaration: Annotated[
        ParticipantDeclaration | None,
        Meta(description="What the lead declares for them; a draft may leave it out, a bid not."),
    ] = None


Own = Collection[tuple[Scheme, str]]


def participant_faults(
    participants: Sequence[Participant], lead: UUID, own: Own = ()
) -> list[Fault]:
    """Find everything wrong with the participants of a bid at once.

    `own` are the lead's identifiers, as their registers write them.
    """
    return [*_faults(participants, lead, own), *_declared_faults(participants)]


def _faults(participants: Sequence[Participant], lead: UUID, own: Own) -> Iterator[Fault]:
    seen: dict[object, int] = {}
    for index, one in enumerate(participants):
        where = f"participants[{index}]"
        if one.organisation == lead:
            reason = "This is the lead of the bid itself; name only those who take part beside it."
            yield Fault(field=f"{where}.organisation", reason=reason)
        if one.organisation is None and one.name is None:
            reason = "Say who takes part: an organisation of the market, or a name."
            yield Fault(field=where, reason=reason)
        if one.organisation is not None and (one.name is not None or one.identifier is not None):
            reason = "Give either an organisation of the market, or a name and its identifier."
            yield Fault(field=where, reason=reason)
        key: object = one.organisation or one.name
        if one.identifier is not None:
            try:
                key = normalised(one.identifier)
            except BadIdentifier as error:
                yield Fault(field=f"{where}.identifier.value", reason=str(error))
            else:
                if key in own:
                    reason = "This is the number of the lead of the bid itself."
                    yield Fault(field=f"{where}.identifier", reason=reason)
        first = seen.setdefault(key, index)
        if key is not None and first != index:
            reason = f"This is the same as participants[{first}]. Name everybody once."
            yield Fault(field=where, reason=reason)


def _declared_faults(participants: Sequence[Participant]) -> Iterator[Fault]:
    for index, one in enumerate(participants):
        where = f"participants[{index}]"
        if one.declaration is None:
            reason = "Declare whether a ground for exclusion applies, and that they consent."
            yield Fault(field=f"{where}.declaration", reason=reason)
        else:
            yield from _declaration_faults(f"{where}.declaration", one.declaration)
        yield from _share_faults(f"{where}.share", one)
    shares = exact_sum(decimal_of(one.share) for one in participants if one.share is not None)
    if shares > WHOLE:
        reason = f"The shares add up to {plain_text(shares)} per cent; they are parts of 100."
        yield Fault(field="participants", reason=reason)


def _declaration_faults(where: str, declared: ParticipantDeclaration) -> Iterator[Fault]:
    if not declared.consents:
        reason = "Name only those who agreed to be named, and to what is declared for them."
        yield Fault(field=f"{where}.consents", reason=reason)
    disclosed = declared.exclusion_grounds is ExclusionGrounds.DISCLOSED
    if disclosed and not declared.details.strip():
        reason = "Say which ground for exclusion applies, and what was done since."
        yield Fault(field=f"{where}.details", reason=reason)
    if declared.details.strip() and not disclosed:
        reason = "There is no ground to describe; take the details out, or disclose the ground."
        yield Fault(field=f"{where}.details", reason=reason)


def _share_faults(where: str, one: Participant) -> Iterator[Fault]:
    if one.role is ParticipantRole.CONSORTIUM_MEMBER:
        if one.share is not None:
            reason = "A member of the consortium bids jointly and has no share; leave it out."
            yield Fault(field=where, reason=reason)
    elif one.share is None:
        reason = "Say how many per cent of the contract the subcontractor does."
        yield Fault(field=where, reason=reason)
    elif not 0 < decimal_of(one.share) <= WHOLE or decimal_of(one.share) * 100 % 1:
        reason = "Give per cent above 0 and up to 100, with at most two decimals."
        yield Fault(field=where, reason=reason)


def normalised(identifier: Identifier) -> tuple[Scheme, str]:
    """An identifier as its register writes it.

    Raises:
        BadIdentifier: it cannot be one of that register's.
    """
    return identifier.scheme, normalise(identifier.scheme, identifier.value)
