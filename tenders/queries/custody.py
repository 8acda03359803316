"""What officers read about the keys they keep, and what the market reads to make and use them."""

from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.sealing import Address, EnvelopeKind
from tenders.errors import NotWithOfficers
from tenders.permissions.opening import Standing
from tenders.permissions.tenders import ensure_holds
from tenders.queries.opening import standing_of
from tenders.rules.duties import Duty
from tenders.schemas.custody import (
    MOST_AT_ONCE,
    HeadDue,
    KeyOf,
    OfficerKeyView,
    SharePassedOn,
    SharesView,
    ShareToPass,
)

_OFFICERS = "SELECT person, officer_key, public_key FROM officers_of($1)"

_MY_KEYS = """
SELECT id, encode(sha256(public_key), 'hex') AS fingerprint, registered_at FROM officer_key
WHERE person = $1 ORDER BY registered_at DESC, id
"""

_CANARY = "SELECT public_key, canary FROM officer_canary WHERE tender = $1"

_KEY_OF = """
    k.lot, l.number AS lot_number, k.envelope, k.public_key,
    encode(s.outer_digest, 'hex') AS outer, encode(s.inner_digest, 'hex') AS inner, p.name, s.share,
    s.sealed
"""

_TO_PASS = f"""
SELECT {_KEY_OF}, s.passed FROM my_shares($1) s
LEFT JOIN tender_key k ON k.id = s.tender_key LEFT JOIN lot l ON l.id = k.lot
JOIN person p ON p.id = s.inner_person
ORDER BY l.number NULLS FIRST, k.envelope DESC, p.name, s.share LIMIT $2
"""  # noqa: S608  # of our own constants

_PASSED_ON = f"""
SELECT {_KEY_OF} FROM shares_passed_to_me($1) s
LEFT JOIN tender_key k ON k.id = s.tender_key LEFT JOIN lot l ON l.id = k.lot
JOIN person p ON p.id = s.passed_by
ORDER BY l.number NULLS FIRST, k.envelope DESC, p.name, s.share LIMIT $2
"""  # noqa: S608  # of our own constants

_DUE = """
SELECT envelope, lot, lot_number, kind, supplier, variant, version, head FROM heads_due($1, $2)
"""


class Officer(msgspec.Struct, frozen=True):
    """An opener with the key that counts."""

    person: UUID
    officer_key: UUID
    public_key: bytes


class _Canary(msgspec.Struct, frozen=True):
    public_key: bytes
    canary: bytes


class _Share(msgspec.Struct, frozen=True):
    lot: UUID | None
    lot_number: int | None
    envelope: EnvelopeKind | None
    public_key: bytes | None
    outer: str
    inner: str
    name: str
    share: UUID
    sealed: bytes
    passed: bool = False

    def of(self, rehearsal: bytes) -> KeyOf:
        """What the share is of; the rehearsal's key where it is none of the tender's."""
        return KeyOf(
            lot=self.lot,
            lot_number=self.lot_number,
            envelope=self.envelope,
            public_key=rehearsal if self.public_key is None else self.public_key,
        )


async def officers_of(tender_id: UUID) -> list[Officer]:
    """The openers of a tender who took up the duty and registered a key. In a transaction."""
    return await fetch(Officer, _OFFICERS, tender_id)


async def my_officer_keys(actor: Actor) -> list[OfficerKeyView]:
    """The keys that the actor registered, the one that counts first."""
    async with reading(actor):
        return await fetch(OfficerKeyView, _MY_KEYS, actor.person)


async def ensure_officer(actor: Actor, tender_id: UUID) -> Standing:
    """Let an opener on whose tender's keys officers keep. In a transaction.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
    """
    standing = await standing_of(actor, tender_id)
    ensure_holds(standing, Duty.OPENER, to="use its keys")
    if not await fetch_value("SELECT officers_keep($1)", tender_id):
        raise NotWithOfficers
    return standing


async def my_shares(actor: Actor, tender_id: UUID) -> SharesView:
    """Give the shares of the actor that are of use now: of the rehearsal, and of keys that are due.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of it.
        NotWithOfficers: officers do not keep its keys.
    """
    async with reading(actor):
        await ensure_officer(actor, tender_id)
        canary = await fetch_one(_Canary, _CANARY, tender_id)
        if canary is None:
            raise NotWithOfficers
        to_pass = await fetch(_Share, _TO_PASS, tender_id, MOST_AT_ONCE)
        passed_on = await fetch(_Share, _PASSED_ON, tender_id, MOST_AT_ONCE)
    return SharesView(
        tender=tender_id,
        canary=canary.canary,
        to_pass=[
            ShareToPass(
                share=row.share,
                of=row.of(canary.public_key),
                outer=row.outer,
                inner=row.inner,
                inner_officer=row.name,
                passed=row.passed,
                sealed=row.sealed,
            )
            for row in to_pass
        ],
        passed_on=[
            SharePassedOn(
                share=row.share,
                of=row.of(canary.public_key),
                outer=row.outer,
                inner=row.inner,
                outer_officer=row.name,
                sealed=row.sealed,
            )
            for row in passed_on
        ],
    )


async def heads_due(tender_id: UUID) -> list[HeadDue]:
    """The heads of the envelopes that are due, for the acting officer. In a transaction."""
    return await fetch(HeadDue, _DUE, tender_id, MOST_AT_ONCE)


def address_of(tender_id: UUID, head: HeadDue) -> Address:
    """Where an envelope that is due belongs."""
    return Address(
        tender=tender_id,
        lot=head.lot,
        supplier=head.supplier,
        envelope=head.kind,
        version=head.version,
        variant=head.variant,
    )
