"""What commands and queries ask before they decide; inside the current transaction."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from market.database import fetch_one, fetch_value
from market.errors import NotFound
from market.interests.errors import NoRegister
from market.interests.permissions import Entry
from market.interests.rules.dates import london_date
from market.interests.rules.registers import REGISTER_KINDS
from market.organisations.rules import OrganisationKind, Scheme


class MarketOrganisation(msgspec.Struct, frozen=True):
    """An organisation of the market, as an entry names it."""

    id: UUID
    name: str


async def now() -> datetime:
    """The market's time."""
    moment: datetime = await fetch_value("SELECT market_now()")
    return moment


async def today() -> date:
    """The civil date in London by the market's clock."""
    return london_date(await now())


async def ensure_register(organisation: UUID) -> None:
    """Go on only where an organisation keeps registers.

    Raises:
        NoRegister: there is no such organisation, or it does not buy or help to.
    """
    kind = await fetch_value(
        "SELECT kind FROM organisation WHERE id = $1 AND NOT proposed", organisation
    )
    if kind is None or OrganisationKind(kind) not in REGISTER_KINDS:
        raise NoRegister


async def is_member(person: UUID | None, organisation: UUID, *, ever: bool = False) -> bool:
    """Say whether a person holds a role in an organisation now, or ever held one."""
    return bool(
        await fetch_value(
            "SELECT EXISTS (SELECT 1 FROM membership WHERE person = $1 AND organisation = $2"
            " AND ($3 OR ended_at IS NULL))",
            person,
            organisation,
            ever,
        )
    )


async def organisation_by_id(organisation: UUID) -> MarketOrganisation | None:
    """A confirmed organisation of the market."""
    return await fetch_one(
        MarketOrganisation,
        "SELECT id, name FROM organisation WHERE id = $1 AND NOT proposed",
        organisation,
    )


async def organisation_by_identifier(scheme: Scheme, identifier: str) -> MarketOrganisation | None:
    """The confirmed organisation of the market that has an identifier, in its normal form."""
    return await fetch_one(
        MarketOrganisation,
        "SELECT o.id, o.name FROM organisation o JOIN organisation_identifier i"
        " ON i.organisation = o.id WHERE i.scheme = $1 AND i.identifier = $2 AND NOT o.proposed",
        scheme.value,
        identifier,
    )


async def interest_entry(interest: UUID) -> Entry:
    """What decides who may do what with an interest; the person's row is held until the end.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    return await _held(
        await fetch_one(
            Entry,
            "SELECT id, person, for_organisation, entered_by, line_manager FROM interest"
            " WHERE id = $1",
            interest,
        )
    )


async def gift_entry(gift: UUID) -> Entry:
    """What decides who may do what with an offer; the person's row is held until the end.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    return await _held(
        await fetch_one(
            Entry,
            "SELECT id, person, for_organisation, entered_by, true AS is_gift FROM gift"
            " WHERE id = $1",
            gift,
        )
    )


async def _held(entry: Entry | None) -> Entry:
    if entry is None:
        raise NotFound
    await hold_person(entry.person)
    return entry


async def hold_person(person: UUID | None) -> None:
    """Decide what concerns one person's memberships, interests and duties one after another."""
    await fetch_value("SELECT id FROM person WHERE id = $1 FOR NO KEY UPDATE", person)
