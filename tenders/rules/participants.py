"""Who takes part in a bid beside its lead: members of a consortium, subcontractors."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from market.errors import Fault
from market.organisations.rules import BadIdentifier, Identifier, Scheme, normalise

MOST_PARTICIPANTS: Final = 50
Name = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"^(?![\s\S]*[\x00-\x1f\x7f])[\s\S]*\S")
]


class ParticipantRole(StrEnum):
    """What a participant is to the bid: it bids jointly, or does a part of the work."""

    CONSORTIUM_MEMBER = "consortium_member"
    SUBCONTRACTOR = "subcontractor"


class Participant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who takes part: registered in the market, or known by name and public register.

    An identifier is what finds conflicts of interest; a name alone finds none, so give one where
    there is one.
    """

    role: ParticipantRole
    organisation: UUID | None = None
    name: Name | None = None
    identifier: Identifier | None = None


Own = Collection[tuple[Scheme, str]]


def participant_faults(
    participants: Sequence[Participant], lead: UUID, own: Own = ()
) -> list[Fault]:
    """Find everything wrong with the participants of a bid at once.

    `own` are the lead's identifiers, as their registers write them.
    """
    return list(_faults(participants, lead, own))


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


def normalised(identifier: Identifier) -> tuple[Scheme, str]:
    """An identifier as its register writes it.

    Raises:
        BadIdentifier: it cannot be one of that register's.
    """
    return identifier.scheme, normalise(identifier.scheme, identifier.value)
