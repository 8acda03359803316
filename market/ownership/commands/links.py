"""Stating and ending links that no imported statement tells of."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import current, execute, fetch_one, fetch_value
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.money import decimal_of
from market.organisations.rules import BadIdentifier, normalise
from market.ownership.errors import ImpossibleLink, OwnsItself, StaysAsStated
from market.ownership.permissions import ensure_may_state_links
from market.ownership.queries.links import link_view
from market.ownership.queries.parties import party_of_organisation, standing_party
from market.ownership.rules.links import COUNTABLE, Share, is_majority, share_fault
from market.ownership.schemas import EndLink, LinkView, PartyGiven, RegisteredParty, StateLink

_INSERT = """
INSERT INTO ownership_link (id, holder, subject, kind, share_minimum, share_maximum, majority,
    indirect, summary, starts_on, ends_on, source, stated_by, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, false, false, $8, $9, $10, $11, market_now())
"""
_MAKE_PARTY = """
INSERT INTO ownership_party (id, kind, name, recorded_at) VALUES ($1, $2, $3, market_now())
"""
_IDENTIFY = """
INSERT INTO ownership_identifier (id, party, scheme, identifier) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
_TAKE_IDENTIFIERS = """
INSERT INTO ownership_identifier (id, party, scheme, identifier)
SELECT gen_random_uuid(), organisation, scheme, identifier FROM organisation_identifier
WHERE organisation = $1 ON CONFLICT DO NOTHING
"""


class _Named(msgspec.Struct, frozen=True):
    id: UUID
    name: str


@command
async def state_link(actor: Actor, stated: StateLink) -> LinkView:
    """State that a holder owns, controls or directs a subject, and where that is written.

    A holder who is a person of the market is matched with a party of theirs, made if there is
    none; an organisation or a number likewise.

    Raises:
        NotYoursToState: the actor is not the registrar.
        Malformed: an unknown organisation, person or party, or an impossible share or date.
        OwnsItself: holder and subject are one party.
        LinkStatedAlready: this link is stated and has not ended.
    """
    ensure_may_state_links(actor)
    share = _share(stated)
    await execute("SELECT hold_ownership()")
    link = uuid4()
    await record(actor, "ownership.link_stated", "ownership_link", link, kind=stated.kind.value)
    await current().flush()  # these tables want their event first
    holder = await _party(actor, "holder", stated.holder, stated.source)
    subject = await _party(actor, "subject", stated.subject, stated.source)
    if holder == subject:
        raise OwnsItself
    await _insert(actor, link, stated, share, (holder, subject))
    return await link_view(link)


def _share(stated: StateLink) -> Share | None:
    """Read the share, and look at what can be seen without the database.

    Raises:
        ImpossibleLink: with every fault.
    """
    faults: list[Fault] = []
    share = None
    if stated.subject.person is not None:
        reason = "Nobody owns or directs a person: the subject must be a body."
        faults.append(Fault(field="subject.person", reason=reason))
    if stated.share is not None:
        low, high = decimal_of(stated.share.minimum), decimal_of(stated.share.maximum)
        share = Share(minimum=low, maximum=high)
        if (wrong := share_fault(low, high)) is not None:
            faults.append(Fault(field="share", reason=wrong))
        elif stated.kind not in COUNTABLE:
            reason = f"A {stated.kind.replace('_', ' ')} has no share."
            faults.append(Fault(field="share", reason=reason))
    if stated.starts_on and stated.ends_on and stated.ends_on < stated.starts_on:
        reason = "The link ends before it starts."
        faults.append(Fault(field="ends_on", reason=reason))
    if faults:
        raise ImpossibleLink(faults[0].reason, faults=faults)
    return share


async def _insert(
    actor: Actor, link: UUID, stated: StateLink, share: Share | None, ends: tuple[UUID, UUID]
) -> None:
    await execute(
        _INSERT,
        link,
        *ends,
        stated.kind.value,
        None if share is None else share.minimum,
        None if share is None else share.maximum,
        is_majority(stated.kind, share),
        stated.starts_on,
        stated.ends_on,
        stated.source,
        actor.person,
    )


def _unknown(field: str, reason: str) -> Malformed:
    return Malformed(reason, faults=[Fault(field=field, reason=reason)])


async def _party(actor: Actor, end: str, given: PartyGiven, source: str) -> UUID:
    """The party that one end of a link names, made where it is not known yet.

    Raises:
        Malformed: it names nobody.
    """
    if given.party is not None:
        party = await standing_party(given.party)
        if party is None:
            raise _unknown(f"{end}.party", "There is no such party.")
        return party
    if given.organisation is not None:
        return await _of_organisation(f"{end}.organisation", given.organisation)
    if given.person is not None:
        return await _of_person(actor, f"{end}.person", given.person, source)
    if given.registered is None:  # its own form does not allow this
        raise _unknown(end, "Say who it is.")
    return await _of_identifier(f"{end}.registered.identifier", given.registered)


async def _of_organisation(field: str, organisation: UUID) -> UUID:
    found = await fetch_one(
        _Named, "SELECT id, name FROM organisation WHERE id = $1 AND NOT proposed", organisation
    )
    if found is None:
        raise _unknown(field, "There is no such organisation.")
    party = await party_of_organisation(organisation)
    if party is None:
        await execute(_MAKE_PARTY, organisation, "entity", found.name)
        await execute(_TAKE_IDENTIFIERS, organisation)
    return party or organisation


async def _of_person(actor: Actor, field: str, person: UUID, source: str) -> UUID:
    found = await fetch_one(_Named, "SELECT id, name FROM person WHERE id = $1", person)
    if found is None:
        raise _unknown(field, "There is no such person in the market.")
    party: UUID | None = await fetch_value(
        "SELECT party FROM ownership_person WHERE person = $1 AND ended_at IS NULL"
        " ORDER BY stated_at, party LIMIT 1",
        person,
    )
    if party is None:
        party = uuid4()
        await execute(_MAKE_PARTY, party, "person", found.name)
        await execute(
            "INSERT INTO ownership_person (id, person, party, reason, stated_by, stated_at)"
            " VALUES ($1, $2, $3, $4, $5, market_now())",
            uuid4(),
            person,
            party,
            f"Named as the holder of a link: {source}",
            actor.person,
        )
    return party


async def _of_identifier(field: str, given: RegisteredParty) -> UUID:
    scheme = given.scheme.value
    try:
        identifier = normalise(given.scheme, given.identifier)
    except BadIdentifier as error:
        raise _unknown(field, str(error)) from None
    party: UUID | None = await fetch_value(
        "SELECT parties_of_identifier($1, $2)", scheme, identifier
    )
    if party is not None:
        return party
    organisation: UUID | None = await fetch_value(
        "SELECT o.id FROM organisation_identifier i JOIN organisation o ON o.id = i.organisation"
        " WHERE i.scheme = $1 AND i.identifier = $2 AND NOT o.proposed",
        scheme,
        identifier,
    )
    if organisation is not None:
        return await _of_organisation(field, organisation)
    party = uuid4()
    await execute(_MAKE_PARTY, party, "entity", given.name)
    await execute(_IDENTIFY, uuid4(), party, scheme, identifier)
    return party


@command
async def end_link(actor: Actor, link_id: UUID, ended: EndLink) -> LinkView:
    """State that a link has ended, and where that is written. Imported links end by statements.

    Raises:
        NotFound: no such link.
        NotYoursToState: the actor is not the registrar.
        StaysAsStated: it has ended, or was imported.
        ImpossibleLink: it would end before it starts.
    """
    ensure_may_state_links(actor)
    if await fetch_value("SELECT true FROM ownership_link WHERE id = $1", link_id) is None:
        raise NotFound
    await record(
        actor,
        "ownership.link_ended",
        "ownership_link",
        link_id,
        ends_on=ended.ends_on.isoformat(),
        private={"source": ended.source},
    )
    await current().flush()
    changed = await execute(
        "UPDATE ownership_link SET ends_on = $2"
        " WHERE id = $1 AND ends_on IS NULL AND statement IS NULL",
        link_id,
        ended.ends_on,
    )
    if not changed:
        raise StaysAsStated
    return await link_view(link_id)
