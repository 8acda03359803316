"""The record of a lot's evaluation, put together from what the database gives this reader."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

import msgspec
import rfc8785

from evaluation.permissions import LotFacts, RecordReader, ensure_reads_record
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.rules.panel import deltas
from evaluation.rules.stages import shown_stage
from evaluation.schemas.record import FORMAT, EvaluationRecord, RecordedRequirement
from market.actor import Actor
from market.database import fetch_one, fetch_value

READER: Final = 'SELECT audits, "out", by_duty, recorded FROM record_reader($1)'
"""How the acting person stands towards the record of a lot."""
_RECORD: Final = "SELECT evaluation_record_of($1)"


async def evaluation_record(
    actor: Actor, tender_id: UUID, lot_number: int
) -> tuple[LotFacts, EvaluationRecord]:
    """Give the record of a lot's evaluation, whole, once it was awarded or given up.

    Inside a transaction that sees one snapshot; the facts of the lot come first.

    Raises:
        NotFound: no such lot, or the actor has no part in its tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up, or its bids were never opened.
    """
    facts = await facts_of(actor, tender_id, lot_number)
    reader = None if facts is None else await fetch_one(RecordReader, READER, facts.lot)
    seen = ensure_reads_record(facts, reader)
    return seen, await record_of(seen)


async def record_of(facts: LotFacts) -> EvaluationRecord:
    """The record of a lot to somebody who was found to read it, inside a transaction."""
    found: dict[str, Any] = msgspec.json.decode(await fetch_value(_RECORD, facts.lot))
    _add_deltas(found)
    _digest_notices(found)
    requirement, lot = await published_requirement(facts)
    found["format"] = FORMAT
    found["stage"] = shown_stage(
        facts.stage, standstill_end=facts.standstill_ends_at, now=facts.now
    ).value
    found["requirement"] = RecordedRequirement(
        version=facts.requirement,
        scale=requirement.scale,
        award_method=requirement.award_method,
        lot_limit=requirement.lot_limit,
        approval_quorum=requirement.approval_quorum,
        evaluators_minimum=requirement.evaluators_minimum,
        spread_tolerance=requirement.spread_tolerance,
        consensus=requirement.consensus,
        lot=lot,
    )
    return msgspec.convert(found, EvaluationRecord)


def _add_deltas(found: dict[str, Any]) -> None:
    """Say of each agreed score how far it lies from every score that stands."""
    given: dict[tuple[int, str, str], dict[UUID, Decimal]] = defaultdict(dict)
    for score in found["scores"]:
        if not score["superseded"]:
            cell = score["round"], score["pseudonym"], score["criterion"]
            given[cell][UUID(score["evaluator"])] = Decimal(score["value"])
    for agreed in found["agreed_scores"]:
        cell = agreed["round"], agreed["pseudonym"], agreed["criterion"]
        above = deltas(fraction_in(agreed["value"]), given[cell])
        agreed["deltas"] = [
            {
                "evaluator": evaluator,
                "above": {
                    "numerator": str(value.numerator),
                    "denominator": str(value.denominator),
                },
            }
            for evaluator, value in sorted(above.items())
        ]


def fraction_in(figure: Mapping[str, str]) -> Fraction:
    """Read an exact figure of the record."""
    return Fraction(figure["numerator"]) / Fraction(figure["denominator"])


def _digest_notices(found: dict[str, Any]) -> None:
    for award in found["awards"]:
        for notice in award["notices"]:
            notice["digest"] = hashlib.sha256(rfc8785.dumps(notice.pop("content"))).hexdigest()
