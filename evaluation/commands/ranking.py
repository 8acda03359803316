"""Ranking the bids of a lot, and ranking those that are left when one drops out."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec

from evaluation.award_errors import MethodUndefined, NothingToRank, NotInRanking
from evaluation.challenge_errors import LotOnHold
from evaluation.commands.moves import move
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold, published_requirement
from evaluation.queries.offers import Ranked, offers_of
from evaluation.queries.ranking import DecidedRow, decided_bids, ranking_row
from evaluation.rules.methods import OutsideDomain, Parameters, method_of
from evaluation.rules.ranking import Ranking, ScoredOffer
from evaluation.rules.stages import LotStage
from evaluation.schemas.progress import LotMoved
from evaluation.schemas.ranking import DropOut, DroppedOut
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.sealing import CannotUnwrap
from market.vault import Vault
from tenders.errors import KeysUnavailable
from tenders.rules.award_methods import TRAITS, DropOutRule
from tenders.rules.bids import total_price
from tenders.rules.draw import draw_purpose
from tenders.rules.duties import Duty
from tenders.rules.requirement import price_weight

_RANKING = """
INSERT INTO ranking (id, lot, method, method_version, ranked_by, draw_seed)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING number
"""

_RANKED = """
INSERT INTO ranked_bid
    (id, ranking, bid, place, tied, price, quality_numerator, quality_denominator,
     price_numerator, price_denominator, total_numerator, total_denominator)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

_DROP_OUT = """
INSERT INTO drop_out (id, lot, bid, reason, recorded_by) VALUES ($1, $2, $3, $4, $5)
"""


@command
async def rank(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, version: int
) -> LotMoved:
    """Rank the bids of a lot by the method its requirement published, in exact fractions.

    Where equal bids are drawn for, the seed that was committed to at publication is revealed.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not a price evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the prices of the lot are not open, or it is ranked.
        NothingToRank: none of the opened envelopes held prices.
        MethodUndefined: the method is not defined for what was bid; the detail says why.
        KeysUnavailable: the custodian cannot use the key of the seed.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.PRICE_EVALUATOR,
        to="rank its bids",
        version=version,
    )
    ensure_stage(facts, LotStage.PRICE_OPENED, to="be ranked")
    requirement, lot = await published_requirement(facts)
    priced = [
        Ranked(
            pseudonym=bid.pseudonym,
            bid=bid.bid,
            quality_points=bid.quality_points,
            price=total_price(envelope, lot),
        )
        for bid in await decided_bids(facts)
        if bid.passed and bid.dropped_out is None and (envelope := bid.envelope) is not None
    ]
    if not priced:
        raise NothingToRank
    seed = await _seed(vault, facts)
    offers = await offers_of(facts, requirement, priced, seed)
    chosen = requirement.award_method
    try:
        result = method_of(chosen.name, chosen.version).rank(
            offers, Parameters.published(chosen, price_weight(lot))
        )
    except OutsideDomain as error:
        raise MethodUndefined(str(error)) from error
    await _write(actor, facts, result, {one.pseudonym: one.bid for one in priced}, seed)
    return await move(facts, LotStage.RANKED)


@command
async def drop_out(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: DropOut
) -> DroppedOut:
    """Record that a ranked bid dropped out, and rank those that are left by the published rule.

    Frozen figures stay, and the next moves up; otherwise all figures are computed again. The
    ranking before stays readable. What followed from it falls: recommendation, approvals, award
    and standstill are given anew.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the lot is not ranked yet, or its contract is made.
        LotOnHold: its award is challenged.
        NotInRanking: the bid is not ranked, or dropped out before.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.TENDER_MANAGER,
        to="record that a bid dropped out",
        version=version,
    )
    ensure_stage(
        facts,
        LotStage.RANKED,
        LotStage.RECOMMENDED,
        LotStage.AWARDED,
        LotStage.NOTIFIED,
        to="lose a bid",
    )
    return await take_out(actor, facts, given)


async def take_out(actor: Actor, facts: LotFacts, given: DropOut) -> DroppedOut:
    """Take a bid out of the ranking of a held lot, inside a command whose actor may.

    Raises:
        NotFound: no such bid.
        LotOnHold: the award is challenged.
        NotInRanking: the bid is not ranked, or dropped out before.
    """
    if facts.on_hold:
        raise LotOnHold
    rows = await decided_bids(facts)
    chosen = next((row for row in rows if row.pseudonym == given.pseudonym), None)
    earlier = await ranking_row(facts)
    if chosen is None or earlier is None:
        raise NotFound
    if chosen.place is None:
        raise NotInRanking
    out = uuid4()
    await execute(_DROP_OUT, out, facts.lot, chosen.bid, given.reason, actor.person)
    await record(
        actor,
        "bid.dropped_out",
        "drop_out",
        out,
        tender=facts.tender,
        after=msgspec.json.encode(given),
        lot=facts.number,
    )
    left = {row.pseudonym: row for row in rows if row.place is not None and row.bid != chosen.bid}
    result = await _ranked_again(facts, left, earlier.draw_seed)
    bids = {pseudonym: row.bid for pseudonym, row in left.items()}
    number = await _write(actor, facts, result, bids, earlier.draw_seed)
    moved = await move(facts, LotStage.RANKED)
    return DroppedOut(lot=moved.lot, stage=moved.stage, version=moved.version, ranking=number)


async def _ranked_again(
    facts: LotFacts, left: Mapping[str, DecidedRow], seed: bytes | None
) -> Ranking:
    requirement, lot = await published_requirement(facts)
    chosen = requirement.award_method
    offers = await offers_of(facts, requirement, [Ranked.of(row) for row in left.values()], seed)
    method = method_of(chosen.name, chosen.version)
    parameters = Parameters.published(chosen, price_weight(lot))
    if chosen.when_a_bid_drops_out is DropOutRule.RESCORE:
        return method.rank(offers, parameters)
    standing = [
        ScoredOffer(
            offer=offer,
            price_points=left[offer.key].price_points or Fraction(0),
            total=left[offer.key].total or Fraction(0),
        )
        for offer in offers
    ]
    return method.place(standing, parameters)


async def _seed(vault: Vault, facts: LotFacts) -> bytes | None:
    kept = await fetch_value("SELECT draw_seed_due($1)", facts.lot)
    try:
        return None if kept is None else vault.custodian.recall(kept, draw_purpose(facts.tender))
    except CannotUnwrap as error:
        raise KeysUnavailable from error


async def _write(
    actor: Actor,
    facts: LotFacts,
    result: Ranking,
    bids: Mapping[str, UUID],
    seed: bytes | None,
) -> int:
    """Write a ranking down, row by row, and give its number."""
    ranking = uuid4()
    number: int = await fetch_value(
        _RANKING, ranking, facts.lot, result.method.value, result.version, actor.person, seed
    )
    index = TRAITS[result.method].index
    for row in result.rows:
        await execute(
            _RANKED,
            uuid4(),
            ranking,
            bids[row.key],
            row.rank,
            row.tied,
            row.price,
            *_whole(row.quality_points),
            *((None, None) if index else _whole(row.price_points)),
            *_whole(row.total),
        )
    await record(
        actor,
        "lot.ranked",
        "ranking",
        ranking,
        tender=facts.tender,
        lot=facts.number,
        number=number,
        method=result.method.value,
        method_version=result.version,
        bids=len(result.rows),
    )
    return number


def _whole(value: Fraction) -> tuple[Decimal, Decimal]:
    return Decimal(value.numerator), Decimal(value.denominator)
