"""Who takes part in a bid beside its lead, identified before the bid is stored."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from market.database import fetch
from market.errors import Fault
from market.money import decimal_of, plain_text
from market.organisations.rules import Scheme
from tenders.errors import ParticipantsFaulty
from tenders.rules.participants import Participant, normalised, participant_faults
from tenders.schemas.bids import ParticipantView

_ORGANISATIONS = "SELECT id, name FROM organisation WHERE id = ANY ($1::uuid[]) AND NOT proposed"

_IDENTIFIERS = "SELECT scheme, identifier FROM organisation_identifier WHERE organisation = $1"


class _Named(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class _Identifier(msgspec.Struct, frozen=True):
    scheme: Scheme
    identifier: str


async def identified(given: Sequence[Participant], lead: UUID) -> list[ParticipantView]:
    """Identify everybody who takes part beside the lead.

    Raises:
        ParticipantsFaulty: with every fault.
    """
    if not given:
        return []
    wanted = [one.organisation for one in given if one.organisation is not None]
    known = {row.id: row.name for row in await fetch(_Named, _ORGANISATIONS, wanted)}
    own = await fetch(_Identifier, _IDENTIFIERS, lead)
    found = participant_faults(
        given,
        lead,
        [(one.scheme, one.identifier) for one in own],
    )
    for index, one in enumerate(given):
        if one.organisation is not None and one.organisation not in known:
            reason = "There is no such organisation in the market; give its name and identifier."
            found.append(Fault(field=f"participants[{index}].organisation", reason=reason))
    if found:
        raise ParticipantsFaulty(found[0].reason, faults=found)
    return [_identified(one, known) for one in given]


def _identified(one: Participant, known: dict[UUID, str]) -> ParticipantView:
    scheme, identifier = (None, None) if one.identifier is None else normalised(one.identifier)
    name = known[one.organisation] if one.organisation is not None else one.name
    return ParticipantView(
        role=one.role,
        organisation=one.organisation,
        name=name or "",
        scheme=scheme,
        identifier=identifier,
        share=None if one.share is None else plain_text(decimal_of(one.share)),
        exclusion_grounds=one.declaration.exclusion_grounds,
        details=one.declaration.details,
    )
