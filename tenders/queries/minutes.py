"""The minutes of an opening: what stood, what each envelope proved, what else happened."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one
from market.errors import NotFound
from market.sealing import EnvelopeKind
from tenders.permissions.opening import ensure_knows_bidders, ensure_may_read
from tenders.queries.opening import standing_of
from tenders.rules.envelopes import proves_commitment
from tenders.schemas.minutes import (
    BidMinutes,
    ConfirmationView,
    EnvelopeMinutes,
    InterruptionMinutes,
    LateAttempt,
    LotMinutes,
    ManifestFault,
    ManifestMinutes,
    MinutesView,
)
from tenders.schemas.opening import BidderView

_CONFIRMATIONS = """
SELECT c.person, p.name, c.confirmed_at FROM opening_confirmation c JOIN person p ON p.id = c.person
WHERE c.tender = $1 ORDER BY c.confirmed_at, c.person
"""

_TENDER = "SELECT t.deadline, t.opened_at FROM tender t WHERE t.id = $1"

_MANIFEST = """
SELECT fixed_at, encode(salt, 'hex') AS salt, encode(digest, 'hex') AS digest
FROM minutes_manifest($1)
"""

_FAULTS = "SELECT lot_number, pseudonym, fault FROM manifest_faults($1)"

_RECORD = """
SELECT r.lot_number, r.lot_title, r.lot, r.pseudonym, r.variant, r.kind,
    encode(r.sealed_digest, 'hex') AS sealed_digest, r.as_fixed,
    encode(r.committed, 'hex') AS commitment,
    ARRAY(SELECT o.name FROM person o WHERE o.id = ANY(r.released_by)
          ORDER BY o.name, o.id) AS released_by,
    r.opened_at, p.name AS opened_by, r.failure, r.supplier, o.name AS supplier_name, r.received_at
FROM opening_record($1) r LEFT JOIN organisation o ON o.id = r.supplier
LEFT JOIN person p ON p.id = r.opened_by
ORDER BY r.lot_number, length(r.pseudonym), r.pseudonym, r.kind DESC
"""

_LATE = """
SELECT l.organisation, o.name, l.attempted, l.attempted_at
FROM late_attempts($1) l JOIN organisation o ON o.id = l.organisation
ORDER BY l.attempted_at, o.name
"""

_NOT_STANDING = "SELECT withdrawn, lapsed FROM bids_that_did_not_stand($1)"

_INTERRUPTIONS = """
SELECT i.began_at, i.ended_at, d.outcome, d.decided_at
FROM extension_proposal p JOIN interruption i ON i.id = p.interruption
LEFT JOIN extension_decision d ON d.proposal = p.id
WHERE p.tender = $1 ORDER BY i.began_at, p.id
"""


class _Tender(msgspec.Struct, frozen=True):
    deadline: datetime
    opened_at: datetime | None


class _Manifest(msgspec.Struct, frozen=True):
    fixed_at: datetime
    salt: str
    digest: str


class _NotStanding(msgspec.Struct, frozen=True):
    withdrawn: int
    lapsed: int


class _Envelope(msgspec.Struct, frozen=True):
    lot_number: int
    lot_title: str
    lot: UUID
    pseudonym: str
    variant: int
    kind: EnvelopeKind
    sealed_digest: str
    as_fixed: bool
    commitment: str
    released_by: list[str]
    opened_at: datetime | None
    opened_by: str | None
    failure: str | None
    supplier: UUID | None
    supplier_name: str | None
    received_at: datetime | None


async def minutes(actor: Actor, tender_id: UUID) -> MinutesView:
    """The minutes of the opening: who confirmed, which bids stood, what each envelope proved.

    Inside a transaction, and without the signed statement, which needs the market's key.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the deadline has not passed, or the opening for those who learn later.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    standing = await standing_of(actor, tender_id)
    ensure_knows_bidders(standing)
    ensure_may_read(standing)
    tender = await fetch_one(_Tender, _TENDER, tender_id)
    if tender is None:
        raise NotFound
    others = None
    if tender.opened_at is not None:
        others = await fetch_one(_NotStanding, _NOT_STANDING, tender_id)
    return MinutesView(
        tender=tender_id,
        status=standing.status,
        deadline=tender.deadline,
        manifest=await _manifest(tender_id),
        confirmations=await fetch(ConfirmationView, _CONFIRMATIONS, tender_id),
        opened_at=tender.opened_at,
        late_attempts=await fetch(LateAttempt, _LATE, tender_id),
        interruptions=await fetch(InterruptionMinutes, _INTERRUPTIONS, tender_id),
        withdrawn=None if others is None else others.withdrawn,
        lapsed=None if others is None else others.lapsed,
        lots=_by_lot(await fetch(_Envelope, _RECORD, tender_id)),
        statement=None,
    )


async def _manifest(tender_id: UUID) -> ManifestMinutes | None:
    found = await fetch_one(_Manifest, _MANIFEST, tender_id)
    if found is None:
        return None
    return ManifestMinutes(
        fixed_at=found.fixed_at,
        salt=found.salt,
        digest=found.digest,
        faults=await fetch(ManifestFault, _FAULTS, tender_id),
    )


def _by_lot(rows: Sequence[_Envelope]) -> list[LotMinutes]:
    return [
        LotMinutes(number=number, title=title, lot=lot, bids=_by_bid(list(of_lot)))
        for (number, title, lot), of_lot in groupby(
            rows, lambda row: (row.lot_number, row.lot_title, row.lot)
        )
    ]


def _by_bid(rows: Sequence[_Envelope]) -> list[BidMinutes]:
    found = []
    for pseudonym, of_bid in groupby(rows, lambda row: row.pseudonym):
        envelopes = list(of_bid)
        first = envelopes[0]
        supplier = None
        if first.supplier is not None and first.supplier_name is not None:
            supplier = BidderView(organisation=first.supplier, name=first.supplier_name)
        found.append(
            BidMinutes(
                pseudonym=pseudonym,
                variant=first.variant,
                supplier=supplier,
                received_at=first.received_at,
                envelopes=[_envelope(envelope) for envelope in envelopes],
            )
        )
    return found


def _envelope(row: _Envelope) -> EnvelopeMinutes:
    return EnvelopeMinutes(
        kind=row.kind,
        sealed_digest=row.sealed_digest,
        as_fixed=row.as_fixed,
        commitment=row.commitment,
        released_by=row.released_by,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        commitment_matches=None if row.opened_at is None else proves_commitment(row.failure),
        failure=row.failure,
    )
