"""Keys that officers keep: made at publication, passed on by one and released by another."""

import hashlib
import secrets
from collections.abc import Iterator
from itertools import permutations
from typing import Final
from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command, confidential_reading
from market.database import execute, fetch_one, fetch_value
from market.errors import Fault
from market.events.commands import record
from market.people.permissions import ensure_fresh
from market.sealing import (
    PUBLIC_KEY_BYTES,
    KeyFor,
    is_content_key,
    new_key_pair,
    seal,
    shared,
)
from market.vault import Vault
from tenders.errors import ContentKeysFaulty, OfficerKeyRefused, OfficersNeeded, ShareUnknown
from tenders.permissions.opening import ensure_unconflicted
from tenders.queries.custody import Officer, address_of, ensure_officer, heads_due, officers_of
from tenders.rules.custody import (
    FEWEST_OFFICERS,
    MOST_OFFICERS,
    rehearsal_address,
    released_purpose,
)
from tenders.schemas.custody import (
    GiveCanary,
    HeadDue,
    KeyRehearsed,
    KeysReleased,
    OfficerKeyView,
    PassShares,
    RegisterOfficerKey,
    ReleaseKeys,
    ReleasesDue,
    SharesPassed,
)

CANARY_BYTES: Final = 32

_SHARES = """
INSERT INTO officer_share (id, tender, tender_key, outer_key, inner_key, sealed)
SELECT gen_random_uuid(), $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::bytea[])
"""

# 1,232 bytes: a private key with one layer left
_MINE = """
SELECT EXISTS (SELECT 1 FROM my_shares($1) WHERE share = $2) AND octet_length($3::bytea) = 1232
"""

_PASSED = "INSERT INTO passed_share (id, share, sealed, passed_by) VALUES ($1, $2, $3, $4)"

_RELEASED = """
INSERT INTO released_key (id, envelope, wrapped_key, released_by) VALUES ($1, $2, $3, $4)
"""

_REHEARSED = """
INSERT INTO key_rehearsal (id, tender, opened_by, canary) VALUES ($1, $2, $3, $4)
RETURNING passed_by, opened_by, rehearsed_at
"""


@command
async def register_officer_key(actor: Actor, given: RegisterOfficerKey) -> OfficerKeyView:
    """Register the public half of an officer's key, for tenders published from now on.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        OfficerKeyRefused: it is malformed, registered already, or one too many.
    """
    ensure_fresh(actor)
    if not _is_public_key(given.public_key):
        reason = "An officer's public key is 1,216 bytes in base64, as `market officer` writes it."
        raise OfficerKeyRefused(reason, faults=[Fault(field="public_key", reason=reason)]) from None
    registered = await fetch_one(
        OfficerKeyView,
        "INSERT INTO officer_key (id, person, public_key) VALUES ($1, $2, $3)"
        " RETURNING id, encode(sha256(public_key), 'hex') AS fingerprint, registered_at",
        uuid4(),
        actor.person,
        given.public_key,
    )
    if registered is None:
        raise OfficerKeyRefused
    await record(
        actor,
        "officer_key.registered",
        "officer_key",
        registered.id,
        fingerprint=registered.fingerprint,
    )
    return registered


def _is_public_key(given: bytes) -> bool:
    """Whether something can be sealed to it."""
    try:
        seal(given, rehearsal_address(uuid4()), b"")
    except ValueError:
        return False
    return len(given) == PUBLIC_KEY_BYTES


# ------------------------------------------------------------------------------- at publication


async def officers_to_keep(tender_id: UUID) -> list[Officer]:
    """The officers who will keep the keys of a tender. In the transaction that publishes it.

    Raises:
        OfficersNeeded: there are fewer than three, or more than seven.
    """
    officers = await officers_of(tender_id)
    if len(officers) < FEWEST_OFFICERS:
        raise OfficersNeeded
    if len(officers) > MOST_OFFICERS:
        message = (
            f"At most {MOST_OFFICERS} openers keep keys: any two of them can open what is due."
        )
        raise OfficersNeeded(message)
    return officers


async def make_rehearsal(tender_id: UUID, officers: list[Officer]) -> None:
    """Make a key of no bid that the officers share as they share the others, and its canary."""
    pair, canary = new_key_pair(), secrets.token_bytes(CANARY_BYTES)
    await execute(
        "INSERT INTO officer_canary (id, tender, public_key, canary, canary_digest)"
        " VALUES ($1, $2, $3, $4, $5)",
        uuid4(),
        tender_id,
        pair.public,
        seal(pair.public, rehearsal_address(tender_id), canary),
        hashlib.sha256(canary).digest(),
    )
    await share_key(KeyFor(tender=tender_id), None, pair.private, officers)


async def share_key(
    of: KeyFor, tender_key: UUID | None, private: bytes, officers: list[Officer]
) -> None:
    """Share a private key among every two officers, in either order; the market keeps nothing."""
    pairs = list(permutations(officers, 2))
    await execute(
        _SHARES,
        of.tender,
        tender_key,
        [outer.officer_key for outer, _ in pairs],
        [inner.officer_key for _, inner in pairs],
        [shared(private, of, outer.public_key, inner.public_key) for outer, inner in pairs],
    )


# ---------------------------------------------------------------------------------- at the opening


@command
async def pass_shares(actor: Actor, tender_id: UUID, given: PassShares) -> SharesPassed:
    """Pass on shares whose outer layer the actor took off, each to one other officer.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
        ShareUnknown: no share of the actor's, or none that is due; or not its inner layer.
        SharePassed: one was passed on before.
        DeclarationMissing, ConflictOfInterest: the actor may not act on the bids.
    """
    ensure_fresh(actor)
    await ensure_officer(actor, tender_id)
    faults = []
    for index, share in enumerate(given.shares):
        if not await fetch_value(_MINE, tender_id, share.share, share.sealed):
            reason = "This is no share of yours that is due, or not what is within its outer layer."
            faults.append(Fault(field=f"shares[{index}]", reason=reason))
    if faults:
        raise ShareUnknown(faults[0].reason, faults=faults)
    for share in given.shares:
        await execute(_PASSED, uuid4(), share.share, share.sealed, actor.person)
    await record(
        actor,
        "key.share_passed",
        "tender",
        tender_id,
        tender=tender_id,
        shares=len(given.shares),
    )
    return SharesPassed(passed=len(given.shares))


@confidential_reading
async def read_releases(actor: Actor, tender_id: UUID) -> ReleasesDue:
    """Give the heads of the envelopes that are due, and what they are bound to; that is an event.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
        DeclarationMissing, ConflictOfInterest: the actor may not act on the bids.
    """
    ensure_unconflicted(await ensure_officer(actor, tender_id))
    due = await heads_due(tender_id)
    if due:
        await record(
            actor,
            "key_releases.read",
            "tender",
            tender_id,
            tender=tender_id,
            envelopes=len(due),
        )
    return ReleasesDue(tender=tender_id, due=due)


@command
async def release_keys(
    actor: Actor, vault: Vault, tender_id: UUID, given: ReleaseKeys
) -> KeysReleased:
    """Release content keys of envelopes that are due; each is tried on its envelope first.

    They are kept wrapped until the ordinary act of opening uses them.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
        DeclarationMissing, ConflictOfInterest: the actor may not act on the bids.
        ContentKeysFaulty: an envelope that is not due, a repetition, or a key that is not its.
        AnotherOfficerNeeded: nobody who may act passed the actor a share of the lot's key.
        KeysNotDue, KeyReleased: the state changed meanwhile.
    """
    ensure_fresh(actor)
    ensure_unconflicted(await ensure_officer(actor, tender_id))
    due = {head.envelope: head for head in await heads_due(tender_id)}
    faults = list(_faults(tender_id, given, due))
    if faults:
        raise ContentKeysFaulty(faults[0].reason, faults=faults)
    unopenable = 0
    for item in given.keys:
        unopenable += item.content_key is None
        kept = None
        if item.content_key is not None:
            kept = vault.custodian.keep(item.content_key, released_purpose(item.envelope))
        await execute(_RELEASED, uuid4(), item.envelope, kept, actor.person)
    released = len(given.keys) - unopenable
    await record(
        actor,
        "key.released",
        "tender",
        tender_id,
        tender=tender_id,
        released=released,
        unopenable=unopenable,
    )
    return KeysReleased(released=released, unopenable=unopenable)


def _faults(tender_id: UUID, given: ReleaseKeys, due: dict[UUID, HeadDue]) -> Iterator[Fault]:
    seen = set()
    for index, item in enumerate(given.keys):
        head = due.get(item.envelope)
        if head is None:
            reason = "This envelope is not due, or its key was released."
            yield Fault(field=f"keys[{index}].envelope", reason=reason)
        elif item.envelope in seen:
            reason = "There is another key for that envelope; give one."
            yield Fault(field=f"keys[{index}].envelope", reason=reason)
        elif item.content_key is not None and not is_content_key(
            item.content_key, address_of(tender_id, head), head.head
        ):
            reason = "This is not the content key of that envelope."
            yield Fault(field=f"keys[{index}].content_key", reason=reason)
        seen.add(item.envelope)


@command
async def rehearse_keys(actor: Actor, tender_id: UUID, given: GiveCanary) -> KeyRehearsed:
    """Show that two officers can read what only two together can: the canary of their tender.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
        AnotherOfficerNeeded: nobody passed the actor a share of the rehearsal's key.
        CanaryWrong: the canary says something else.
    """
    await ensure_officer(actor, tender_id)
    rehearsed = await fetch_one(
        KeyRehearsed, _REHEARSED, uuid4(), tender_id, actor.person, given.canary
    )
    if rehearsed is None:
        raise ShareUnknown
    await record(
        actor,
        "key.rehearsed",
        "tender",
        tender_id,
        tender=tender_id,
        with_officer=str(rehearsed.passed_by),
    )
    return rehearsed
