"""Whom an entry is about: an organisation of the market where it is one, or else a name."""

from uuid import UUID

import msgspec

from market.errors import Fault
from market.interests.queries.facts import organisation_by_id, organisation_by_identifier
from market.organisations.rules import BadIdentifier, Identifier, normalise


class Counterparty(msgspec.Struct, frozen=True, kw_only=True):
    """A counterparty as it is stored."""

    organisation: UUID | None = None
    name: str
    scheme: str | None = None
    identifier: str | None = None


async def counterparty_of(
    organisation: UUID | None, name: str | None, identifier: Identifier | None = None
) -> Counterparty | Fault:
    """Find the counterparty; somebody named with an identifier the market knows is that one.

    What a rule has refused already is passed over here, so that it is said once.
    """
    if organisation is not None:
        found = await organisation_by_id(organisation)
        if found is None:
            return Fault(field="organisation", reason="The market has no such organisation.")
        return Counterparty(organisation=found.id, name=found.name)
    if identifier is None:
        return Counterparty(name=name or "")
    try:
        normal = normalise(identifier.scheme, identifier.value)
    except BadIdentifier:
        return Counterparty(name=name or "")
    known = await organisation_by_identifier(identifier.scheme, normal)
    return Counterparty(
        organisation=None if known is None else known.id,
        name=name or "",
        scheme=identifier.scheme.value,
        identifier=normal,
    )
