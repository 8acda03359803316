"""Publishing a tender, under the law of the day and with keys to seal bids to; giving it up."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value
from market.errors import Stale
from market.events.commands import record
from market.sealing import EnvelopeKind, KeyFor, key_context, new_key_pair, seal
from market.vault import Vault
from tenders.commands.custody import (
    CANARY_BYTES,
    make_rehearsal,
    officers_to_keep,
    share_key,
)
from tenders.errors import (
    ContractMade,
    DeadlineTooSoon,
    OpenersNeeded,
    TimetableMissing,
)
from tenders.permissions.opening import ensure_unconflicted
from tenders.permissions.tenders import TenderFacts, ensure_may, ensure_stage
from tenders.queries.facts import hold
from tenders.queries.opening import standing_of
from tenders.queries.tenders import view_of
from tenders.rules.custody import Custody, canary_address
from tenders.rules.draw import SEED_BYTES, draw_purpose, seed_digest
from tenders.rules.duties import Duty
from tenders.rules.rule_sets import LONDON, RuleSet, minimum_deadline, rule_set_on
from tenders.rules.stages import TenderStage
from tenders.schemas.tenders import Abandon, TenderView

_OPENERS_NEEDED = 2


class _Lot(msgspec.Struct, frozen=True):
    id: UUID


class _Published(msgspec.Struct, frozen=True):
    published_at: datetime


class _Approved(msgspec.Struct, frozen=True):
    number: int
    digest: str


@command
async def publish(
    actor: Actor, tender_id: UUID, version: int, vault: Vault, custody: Custody = Custody.SERVER
) -> TenderView:
    """Publish the approved requirement, for good, with a key for each envelope of each lot.

    With it goes the digest of a seed for any draw between equal bids, which nobody knows yet. Who
    keeps the private keys is settled as well: the server, or the openers.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        TransitionRefused: the requirement is not approved, or published already.
        TimetableMissing: there is no timetable, or its deadline has passed.
        DeadlineTooSoon: the law asks for more time; the detail says how much.
        OpenersNeeded: there are not two people to open the bids.
        OfficersNeeded: officers are to keep the keys, and fewer than three openers have one.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="publish it", version=version
    )
    ensure_stage(facts, {TenderStage.APPROVED}, to="be published")
    rule_set = rule_set_on(facts.rule_set_date or facts.now.astimezone(LONDON).date())
    _ensure_enough_time(facts, rule_set, facts.now)
    if await _openers(tender_id) < _OPENERS_NEEDED:
        raise OpenersNeeded
    approved = await fetch_one(
        _Approved,
        "SELECT number, encode(digest, 'hex') AS digest FROM requirement_version"
        " WHERE tender = $1 ORDER BY number DESC LIMIT 1",
        tender_id,
    )
    published = await fetch_one(
        _Published,
        "UPDATE tender SET stage = 'published', rule_set = $3, published_requirement = $4,"
        " version = version + 1 WHERE id = $1 AND version = $2 RETURNING published_at",
        tender_id,
        version,
        rule_set.name.value,
        None if approved is None else approved.number,
    )
    if published is None or approved is None:
        raise Stale
    # the day counts on which the database published, be it the one after the first look
    _ensure_enough_time(facts, rule_set, published.published_at)
    await _make_keys(tender_id, vault, custody)
    await _commit_to_draw(tender_id, vault)
    view = await view_of(tender_id, facts.duties)
    await record(
        actor,
        "tender.published",
        "tender",
        tender_id,
        tender=tender_id,
        reference=view.reference,
        requirement=approved.number,
        digest=approved.digest,
        rule_set=rule_set.name.value,
        custody=custody.value,
        draw=view.draw_commitment,
        deadline=None if view.timetable.deadline is None else view.timetable.deadline.isoformat(),
    )
    return view


def _ensure_enough_time(facts: TenderFacts, rule_set: RuleSet, published: datetime) -> None:
    """Hold the deadline against the least time for bids that the rule set allows."""
    if facts.deadline is None or facts.contract_starts is None or facts.deadline <= published:
        raise TimetableMissing
    earliest = minimum_deadline(rule_set, published)
    if facts.deadline < earliest:
        message = (
            f"Under the {rule_set.title} the earliest lawful deadline for a tender published now"
            f" is {earliest.isoformat()}, midnight in London at the beginning of"
            f" {earliest.astimezone(LONDON):%d %B %Y}."
        )
        raise DeadlineTooSoon(message)


async def _openers(tender_id: UUID) -> int:
    counted: int = await fetch_value(
        "SELECT count(*) FROM duty WHERE tender = $1 AND duty = 'opener' AND released_at IS NULL",
        tender_id,
    )
    return counted


async def _make_keys(tender_id: UUID, vault: Vault, custody: Custody) -> None:
    """Make a key pair for each envelope of each lot, and give the private halves to who keeps them.

    The server keeps them wrapped; officers get shares, and then the market keeps nothing of them.
    """
    officers = [] if custody is Custody.SERVER else await officers_to_keep(tender_id)
    if officers:
        await make_rehearsal(tender_id, officers)
    for lot in await fetch(_Lot, "SELECT id FROM lot WHERE tender = $1 ORDER BY number", tender_id):
        for envelope in EnvelopeKind:
            if custody is Custody.SERVER:
                key = vault.custodian.new_wrapped_key(key_context(tender_id, lot.id, envelope))
                await _keep_key(tender_id, lot.id, envelope, key.public, key.wrapped)
            else:
                pair = new_key_pair()
                tender_key = await _keep_key(tender_id, lot.id, envelope, pair.public, None)
                of = KeyFor(tender=tender_id, lot=lot.id, envelope=envelope)
                await share_key(of, tender_key, pair.private, officers)


async def _commit_to_draw(tender_id: UUID, vault: Vault) -> None:
    """Make the seed of any draw, publish its digest, and keep it wrapped until a ranking."""
    seed = secrets.token_bytes(SEED_BYTES)
    await execute(
        "INSERT INTO tender_draw (id, tender, commitment, kept) VALUES ($1, $2, $3, $4)",
        uuid4(),
        tender_id,
        bytes.fromhex(seed_digest(seed)),
        vault.custodian.keep(seed, draw_purpose(tender_id)),
    )


async def _keep_key(
    tender_id: UUID, lot: UUID, envelope: EnvelopeKind, public: bytes, wrapped: bytes | None
) -> UUID:
    """Write down a key with a canary, which opens as a bid does; give the row's id."""
    canary, tender_key = secrets.token_bytes(CANARY_BYTES), uuid4()
    await execute(
        "INSERT INTO tender_key"
        " (id, lot, envelope, custodian, public_key, wrapped_key, canary, canary_digest)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        tender_key,
        lot,
        envelope.value,
        (Custody.OFFICERS if wrapped is None else Custody.SERVER).value,
        public,
        wrapped,
        seal(public, canary_address(tender_id, lot, envelope), canary),
        hashlib.sha256(canary).digest(),
    )
    return tender_key


@command
async def abandon(actor: Actor, tender_id: UUID, given: Abandon, version: int) -> TenderView:
    """Give the tender up, with all its lots, for a reason; bids that were not opened stay sealed.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        ContractMade: there is a contract for one of its lots.
        TransitionRefused: it is abandoned already.
        DeclarationMissing, ConflictOfInterest: the bids are open, and the manager may not act.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="abandon it", version=version
    )
    ensure_stage(facts, set(TenderStage) - {TenderStage.ABANDONED}, to="be abandoned")
    if facts.stage is TenderStage.OPENED:
        ensure_unconflicted(await standing_of(actor, tender_id))
    if await fetch_value(
        "SELECT EXISTS (SELECT 1 FROM lot WHERE tender = $1 AND stage = 'contracted')", tender_id
    ):
        raise ContractMade
    written = await execute(
        "UPDATE tender SET stage = 'abandoned', abandoned_because = $3, version = version + 1"
        " WHERE id = $1 AND version = $2",
        tender_id,
        version,
        given.reason,
    )
    if not written:
        raise Stale
    await record(
        actor,
        "tender.abandoned",
        "tender",
        tender_id,
        tender=tender_id,
        private={"reason": given.reason[:500]},
    )
    return await view_of(tender_id, facts.duties)
