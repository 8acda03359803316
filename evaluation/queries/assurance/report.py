"""The assurance report: what the database gives this reader, put together and summed up."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import rfc8785

from evaluation.permissions import ReportReader, ensure_reads_assurance
from evaluation.queries.assurance.people import people_in
from evaluation.rules.assurance import (
    PAIRS,
    Act,
    Finding,
    FindingKind,
    Hidden,
    LookedAt,
    act_sentence,
    finding_sentence,
    statement,
    withheld_sentence,
)
from evaluation.schemas.assurance import (
    ActView,
    AssuranceReport,
    Audience,
    FindingView,
    Helper,
    LookedAtView,
    LotInReport,
    RefusalView,
    StatementView,
)
from market.actor import Actor
from market.database import fetch, fetch_one, reading
from tenders.permissions.tenders import TenderFacts
from tenders.queries.facts import facts_of
from tenders.rules.duties import Duty
from tenders.rules.stages import status_of

MOST_REFUSALS = 500
"""How many different refusals a report lists; the others are counted."""

_READER = "SELECT * FROM assurance_reader($1)"

_TENDER = """
SELECT t.reference, market_now() AS computed_at, ARRAY(
    SELECT o.name FROM tender_buyer b JOIN organisation o ON o.id = b.organisation
    WHERE b.tender = t.id ORDER BY o.name, o.id) AS buyers
FROM tender t WHERE t.id = $1
"""

# The award of a lot is given once its bidders have been told (`published_award`).
_LOTS = """
SELECT l.number, l.title, l.stage, a.supplier, a.supplier_name
FROM lot l LEFT JOIN LATERAL published_award(l.id) a ON true WHERE l.tender = $1 ORDER BY l.number
"""

_ACTS = "SELECT * FROM assurance_acts($1)"
_COUNTS = "SELECT * FROM assurance_counts($1)"
_REFUSALS = "SELECT * FROM assurance_refusals($1) ORDER BY first_at, operation, refusal, reason"
_HELPERS = """
SELECT o.id AS organisation, o.name, bool_or(h.buys) AS buys,
       count(DISTINCT h.person)::integer AS people
FROM (SELECT b.organisation, true AS buys, NULL::uuid AS person FROM tender_buyer b
      WHERE b.tender = $1
      UNION ALL SELECT d.organisation, false, d.person FROM duty d WHERE d.tender = $1) h
JOIN organisation o ON o.id = h.organisation GROUP BY o.id, o.name ORDER BY o.name, o.id
"""
_FINDINGS = """
SELECT f.*, o.name AS bidder_name FROM assurance_findings($1) f
LEFT JOIN organisation o ON o.id = f.bidder
ORDER BY f.kind, f.name, f.duties, f.act, o.name, f.participant, f.helper_name
"""


class _Tender(msgspec.Struct, frozen=True):
    reference: str
    computed_at: datetime
    buyers: list[str]


class _Act(msgspec.Struct, frozen=True):
    person: UUID
    name: str
    act: Act
    lot: int | None
    numbers: list[int]
    times: int
    first_at: datetime
    last_at: datetime


class _Finding(msgspec.Struct, frozen=True):
    kind: FindingKind
    person: UUID | None
    name: str | None
    duties: list[Duty]
    act: Act | None
    bidder: UUID | None
    bidder_name: str | None
    participant: str | None
    helper_name: str | None
    times: int
    first_at: datetime | None

    def stated(self) -> Finding:
        """The same as the rules take it."""
        return Finding(
            kind=self.kind,
            name=self.name,
            duties=tuple(self.duties),
            act=self.act,
            bidder=self.bidder_name,
            participant=self.participant,
            helper=self.helper_name,
            times=self.times,
            first_at=self.first_at,
        )


async def public_report(actor: Actor, tender_id: UUID) -> AssuranceReport:
    """Answer for a tender to somebody who is not signed in; see `assurance_report`.

    Raises:
        NotFound: there is no such tender, or none that is public.
        Forbidden: the bidders have not been told yet.
    """
    async with reading(actor):
        return await assurance_report(actor, tender_id)


async def assurance_report(actor: Actor, tender_id: UUID) -> AssuranceReport:
    """Answer for a tender: who did what, with which interests, and what should not have been.

    Everything is computed by queries when asked for; the database gives each reader their part.
    Inside a transaction that sees one snapshot.

    Raises:
        NotFound: there is no such tender, or a draft that the actor may not know of.
        DutyNotTakenUp: the actor has been given a duty that reads it, and has not declared.
        Forbidden: the bidders have not been told yet, and the actor does not read the record.
    """
    facts = await facts_of(actor, tender_id)
    reader = await fetch_one(ReportReader, _READER, tender_id)
    seen, reader = ensure_reads_assurance(actor, facts, reader)
    return _signed_off(await _report(seen, reader))


async def _report(facts: TenderFacts, reader: ReportReader) -> AssuranceReport:
    tender = await fetch_one(_Tender, _TENDER, facts.id)
    looked = await fetch_one(LookedAt, _COUNTS, facts.id)
    if tender is None or looked is None:
        message = f"Tender {facts.id} is gone."
        raise LookupError(message)
    hidden = _hidden(reader)
    findings = await fetch(_Finding, _FINDINGS, facts.id)
    refusals = await fetch(RefusalView, _REFUSALS, facts.id)
    return AssuranceReport(
        tender=facts.id,
        reference=tender.reference,
        title=facts.title,
        status=status_of(facts.stage, facts.deadline, facts.now),
        buyers=tender.buyers,
        lots=await fetch(LotInReport, _LOTS, facts.id),
        audience=Audience.INSIDE if reader.inside else Audience.PUBLIC,
        as_of=tender.computed_at,
        computed_at=tender.computed_at,
        statement=_statement(findings, looked, hidden),
        withheld=_withheld(reader, hidden),
        acts=[_act(row) for row in _in_order(await fetch(_Act, _ACTS, facts.id))],
        people=await people_in(facts.id),
        refusals=refusals[:MOST_REFUSALS],
        refusals_left_out=sum(row.times for row in refusals[MOST_REFUSALS:]),
        helpers=await fetch(Helper, _HELPERS, facts.id),
        digest="",
    )


def _hidden(reader: ReportReader) -> Hidden | None:
    if reader.names_bidders or reader.told:
        return None
    return Hidden.FROM_READER if reader.opened else Hidden.UNTIL_OPENING


def _withheld(reader: ReportReader, hidden: Hidden | None) -> list[str]:
    """Say what this reader does not get; an empty list says that nothing is left out."""
    found = [] if hidden is None else [withheld_sentence(hidden)]
    if not reader.names_bidders and reader.told:
        found.append(
            "Bidders that were not chosen are not named. The words in which people described their"
            " interests, and the guardian's reasons, are withheld; kinds of interest, outcomes and"
            " mitigations are shown."
        )
    if not reader.reads_registers:
        found.append(
            "Of the registers of interests, what their holders did not consent to publish is"
            " withheld."
        )
    return found


def _statement(rows: Sequence[_Finding], looked: LookedAt, hidden: Hidden | None) -> StatementView:
    findings = [row.stated() for row in rows]
    pairs = sum(finding.kind in PAIRS for finding in findings)
    return StatementView(
        forbidden_pairs=pairs,
        acts_not_entitled=len(findings) - pairs,
        sentences=list(statement(findings, looked, hidden)),
        looked_at=msgspec.convert(looked, LookedAtView, from_attributes=True),
        findings=[
            FindingView(
                kind=row.kind,
                person=row.person,
                name=row.name,
                duties=row.duties,
                act=row.act,
                bidder=row.bidder,
                bidder_name=row.bidder_name,
                participant=row.participant,
                helper_name=row.helper_name,
                times=row.times,
                first_at=row.first_at,
                sentence=finding_sentence(finding),
            )
            for row, finding in zip(rows, findings, strict=True)
        ],
    )


def _in_order(rows: list[_Act]) -> list[_Act]:
    steps = list(Act)
    return sorted(
        rows, key=lambda row: (steps.index(row.act), row.lot or 0, row.first_at, row.person)
    )


def _act(row: _Act) -> ActView:
    return ActView(
        person=row.person,
        name=row.name,
        act=row.act,
        lot=row.lot,
        versions=row.numbers,
        times=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
        sentence=act_sentence(
            row.name,
            row.act,
            lot=row.lot,
            versions=row.numbers,
            times=row.times,
            first_at=row.first_at,
            last_at=row.last_at,
        ),
    )


def _signed_off(report: AssuranceReport) -> AssuranceReport:
    """Say as of when the report is, and give it the digest by which a printed page is matched."""
    moments = [moment for moment in _moments(report) if moment <= report.computed_at]
    dated = msgspec.structs.replace(report, as_of=max(moments, default=report.computed_at))
    content = msgspec.to_builtins(dated)
    del content["digest"], content["computed_at"]
    return msgspec.structs.replace(dated, digest=hashlib.sha256(rfc8785.dumps(content)).hexdigest())


def _moments(report: AssuranceReport) -> Iterator[datetime]:
    """Every time in what the report tells."""
    waiting: list[object] = [
        msgspec.to_builtins(part, builtin_types=(datetime,))
        for part in (report.acts, report.people, report.refusals)
    ]
    while waiting:
        match waiting.pop():
            case datetime() as moment:
                yield moment
            case dict() as members:
                waiting += members.values()
            case list() as items:
                waiting += items
            case _:
                pass
