"""Reading what is private in the registers: every such read is an event of its own."""

from uuid import UUID

from market.actor import Actor, Role
from market.command import command
from market.errors import NotFound
from market.events.commands import record
from market.interests.permissions import acts_as, ensure_may_read_private
from market.interests.queries import breaches, gifts, interests, registers
from market.interests.queries.facts import ensure_register
from market.interests.schemas.breaches import BreachView
from market.interests.schemas.gifts import GiftView
from market.interests.schemas.interests import InterestHistory, InterestView
from market.interests.schemas.registers import RecordPastKeeping
from market.pages import Page


async def _ensure_reader(actor: Actor, organisation: UUID, *, also: Role | None = None) -> None:
    await ensure_register(organisation)
    if also is None or not acts_as(actor, organisation, also):
        ensure_may_read_private(actor, organisation)


@command
async def read_interest(actor: Actor, interest_id: UUID) -> InterestHistory:
    """Give an interest with all its versions that the actor may read.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    versions = await interests.versions_of(interest_id)
    if not versions:
        raise NotFound
    await record(actor, "interest.read", "interest", interest_id)
    return InterestHistory(versions=versions)


@command
async def read_gift(actor: Actor, gift_id: UUID) -> GiftView:
    """Give an offer to its recipient, the private part's readers and those who review it.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    view = await gifts.gift_view(gift_id)
    await record(actor, "gift.read", "gift", gift_id)
    return view


@command
async def read_private_register(
    actor: Actor, organisation_id: UUID, *, undecided: bool, cursor: str | None, limit: int
) -> Page[InterestView]:
    """Give the whole register of interests, what is withheld or long ended included.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Forbidden: the actor is neither its guardian nor its auditor.
        Malformed: a cursor that is none of the market's.
    """
    await _ensure_reader(actor, organisation_id)
    page = await interests.interests_of(
        organisation_id, undecided=undecided, cursor=cursor, limit=limit
    )
    await record(actor, "register.read", "organisation", organisation_id, entries=len(page.items))
    return page


@command
async def read_private_gifts(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[GiftView]:
    """Give the whole register of gifts to guardian and auditors, and to those who review them.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Forbidden: the actor is none of these.
        Malformed: a cursor that is none of the market's.
    """
    await _ensure_reader(actor, organisation_id, also=Role.LAY_MEMBER)
    page = await gifts.gifts_of(organisation_id, cursor, limit)
    await record(actor, "gifts.read", "organisation", organisation_id, entries=len(page.items))
    return page


@command
async def read_breaches(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[BreachView]:
    """Give every breach with who was involved, to guardian and auditors.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Forbidden: the actor is neither its guardian nor its auditor.
        Malformed: a cursor that is none of the market's.
    """
    await _ensure_reader(actor, organisation_id)
    page = await breaches.breaches_of(organisation_id, cursor, limit)
    await record(actor, "breaches.read", "organisation", organisation_id, entries=len(page.items))
    return page


@command
async def read_past_keeping(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[RecordPastKeeping]:
    """Say which records' six years are over, to guardian and auditors.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Forbidden: the actor is neither its guardian nor its auditor.
        Malformed: a cursor that is none of the market's.
    """
    await _ensure_reader(actor, organisation_id)
    page = await registers.records_past_keeping(organisation_id, cursor, limit)
    await record(
        actor, "register.reviewed", "organisation", organisation_id, entries=len(page.items)
    )
    return page
