"""Who the participants of a bid are: looked up in the market, with everything wrong with them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from market.database import fetch
from market.errors import Fault
from market.money import decimal_of, plain_text
from market.organisations.rules import Scheme
from tenders.rules.participants import (
    Participant,
    ParticipantDeclaration,
    normalised,
    participant_faults,
)
from tenders.schemas.bids import ParticipantView

_ORGANISATIONS = "SELECT id, name FROM organisation WHERE id = ANY ($1::uuid[]) AND NOT proposed"

_IDENTIFIERS = "SELECT scheme, identifier FROM organisation_identifier WHERE organisation = $1"


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who takes part beside the lead; nobody where there are faults."""

    views: list[ParticipantView]
    faults: list[Fault]


class _Named(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class _Identifier(msgspec.Struct, frozen=True):
    scheme: Scheme
    identifier: str


async def identified(given: Sequence[Participant], lead: UUID) -> Identified:
    """Identify everybody who takes part beside the lead, inside a transaction."""
    if not given:
        return Identified(views=[], faults=[])
    wanted = [one.organisation for one in given if one.organisation is not None]
    known = {row.id: row.name for row in await fetch(_Named, _ORGANISATIONS, wanted)}
    own = await fetch(_Identifier, _IDENTIFIERS, lead)
    faults = participant_faults(given, lead, [(one.scheme, one.identifier) for one in own])
    for index, one in enumerate(given):
        if one.organisation is not None and one.organisation not in known:
            reason = "There is no such organisation in the market; give its name and identifier."
            faults.append(Fault(field=f"participants[{index}].organisation", reason=reason))
    declared = [(one, one.declaration) for one in given if one.declaration is not None]
    views = [] if faults else [_identified(one, of_it, known) for one, of_it in declared]
    return Identified(views=views, faults=faults)


def _identified(
    one: Participant, declared: ParticipantDeclaration, known: dict[UUID, str]
) -> ParticipantView:
    scheme, identifier = (None, None) if one.identifier is None else normalised(one.identifier)
    name = known[one.organisation] if one.organisation is not None else one.name
    return ParticipantView(
        role=one.role,
        organisation=one.organisation,
        name=name or "",
        scheme=scheme,
        identifier=identifier,
        share=None if one.share is None else plain_text(decimal_of(one.share)),
        exclusion_grounds=declared.exclusion_grounds,
        details=declared.details,
    )
