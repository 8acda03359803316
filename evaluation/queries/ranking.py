"""The ranking of a lot, and the decided bids of which it is made."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.rules.exact import Exact, pounds
from evaluation.rules.low_prices import low_prices
from evaluation.rules.methods import method_of
from evaluation.rules.stages import shown_stage
from evaluation.schemas.low_prices import LowPriceFlag
from evaluation.schemas.ranking import RankedBidView, RankingView
from market.actor import Actor
from market.database import fetch, fetch_one
from market.errors import NotFound
from market.money import plain_text
from tenders.rules.award_methods import TRAITS, MethodName
from tenders.rules.bids import PriceEnvelope, PriceLine
from tenders.rules.requirement import Requirement

# Row-level security gives price envelopes to those who may read them, and NULL to the others.
_DECIDED = """
SELECT m.pseudonym, m.variant, m.bid, b.organisation, g.name AS supplier, q.passed,
       q.failed_because,
       q.points_numerator, q.points_denominator, r.place, r.tied, r.price, r.price_numerator,
       r.price_denominator, r.total_numerator, r.total_denominator, d.reason AS dropped_out,
       (SELECT f.failure FROM envelope_failures($1) f WHERE f.bid = q.bid LIMIT 1) AS failure,
       o.content AS price_content
FROM quality_decision q JOIN manifest_entry m ON m.bid = q.bid JOIN bid b ON b.id = q.bid
JOIN organisation g ON g.id = b.organisation
LEFT JOIN ranked_bid r ON r.bid = q.bid AND r.ranking = coalesce($2, latest_ranking($1))
LEFT JOIN drop_out d ON d.bid = q.bid
LEFT JOIN opened_envelope o ON o.bid = q.bid AND o.kind = 'price'
WHERE q.lot = $1
    AND q.round = coalesce((SELECT k.round FROM ranking k WHERE k.id = $2), round_of($1))
ORDER BY r.place NULLS LAST, length(m.pseudonym), m.pseudonym
"""

_RANKING = """
SELECT k.id, k.number, k.because, k.method, k.method_version, k.ranked_at, k.draw_seed,
       coalesce((SELECT max(x.number) FROM current_ranking x WHERE x.lot = $1), 0) AS latest,
       (SELECT d.commitment FROM lot l JOIN tender_draw d ON d.tender = l.tender WHERE l.id = $1)
       AS draw_commitment
FROM ranking k WHERE k.lot = $1 AND CASE WHEN $2::integer IS NULL THEN k.round = round_of($1)
    ELSE k.number = $2 END
ORDER BY k.number DESC LIMIT 1
"""


class DecidedRow(msgspec.Struct, frozen=True):
    """A bid whose quality is decided, and its place where it is ranked."""

    pseudonym: str
    variant: int
    bid: UUID
    organisation: UUID
    supplier: str
    passed: bool
    failed_because: list[str]
    points_numerator: Decimal
    points_denominator: Decimal
    place: int | None
    tied: bool | None
    price: Decimal | None
    price_numerator: Decimal | None
    price_denominator: Decimal | None
    total_numerator: Decimal | None
    total_denominator: Decimal | None
    dropped_out: str | None
    failure: str | None
    price_content: str | None

    @property
    def quality_points(self) -> Fraction:
        """The exact quality points."""
        return Fraction(self.points_numerator) / Fraction(self.points_denominator)

    @property
    def price_points(self) -> Fraction | None:
        """The exact price points of a ranked bid."""
        return _fraction(self.price_numerator, self.price_denominator)

    @property
    def total(self) -> Fraction | None:
        """The exact total of a ranked bid."""
        return _fraction(self.total_numerator, self.total_denominator)

    @property
    def envelope(self) -> PriceEnvelope | None:
        """The opened prices, for those who may read them."""
        if self.price_content is None:
            return None
        return msgspec.json.decode(self.price_content, type=PriceEnvelope)


class RankingRow(msgspec.Struct, frozen=True):
    """By which method a lot was ranked, when, and why again; `latest` is the number that counts."""

    id: UUID
    number: int
    latest: int
    because: str | None
    method: MethodName
    method_version: int
    ranked_at: datetime
    draw_seed: bytes | None
    draw_commitment: bytes | None


def _fraction(numerator: Decimal | None, denominator: Decimal | None) -> Fraction | None:
    if numerator is None or denominator is None:
        return None
    return Fraction(numerator) / Fraction(denominator)


async def decided_bids(facts: LotFacts, ranking: UUID | None = None) -> list[DecidedRow]:
    """The bids of a lot whose quality is decided, best place first, inside a transaction.

    Places are those of a ranking, by default the latest.
    """
    return await fetch(DecidedRow, _DECIDED, facts.lot, ranking)


async def ranking_row(facts: LotFacts, number: int | None = None) -> RankingRow | None:
    """How a lot was ranked, by default last, inside a transaction."""
    return await fetch_one(RankingRow, _RANKING, facts.lot, number)


def flags_of(requirement: Requirement, bids: Sequence[DecidedRow]) -> dict[str, list[LowPriceFlag]]:
    """Which ranked bids the published indicators flag, by pseudonym."""
    prices = {bid.pseudonym: Fraction(bid.price) for bid in bids if bid.price is not None}
    return {
        pseudonym: [
            LowPriceFlag(
                indicator=one.indicator,
                compared_with=Exact.of(one.compared_with),
                per_cent_below=Exact.of(one.per_cent_below),
                published=one.published,
            )
            for one in found
        ]
        for pseudonym, found in low_prices(prices, requirement.abnormally_low).items()
    }


async def ranking(
    actor: Actor, tender_id: UUID, lot_number: int, number: int | None = None
) -> tuple[UUID, RankingView]:
    """Show a ranking of a lot with every figure exact, and the bids that were not ranked.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, no duty in its tender, or the lot has no such ranking.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number), *READS_EVALUATION, what="its ranking"
    )
    row = None if facts.kept_fresh else await ranking_row(facts, number)
    if row is None:
        message = "The lot has not been ranked, or not so often."
        raise NotFound(message)
    requirement, _ = await published_requirement(facts)
    bids = await decided_bids(facts, row.id)
    flags = flags_of(requirement, bids)
    return facts.lot, RankingView(
        tender=facts.tender,
        lot=facts.number,
        version=facts.version,
        stage=shown_stage(
            facts.stage,
            standstill_end=facts.standstill_ends_at,
            now=facts.now,
            on_hold=facts.on_hold,
        ).value,
        number=row.number,
        latest=row.latest,
        because=row.because,
        method=row.method,
        method_version=row.method_version,
        award_method=requirement.award_method,
        index=TRAITS[row.method].index,
        lowest_wins=method_of(row.method, row.method_version).lowest_wins,
        tie_rule=requirement.award_method.tie_rule.value,
        draw_commitment=None if row.draw_commitment is None else row.draw_commitment.hex(),
        draw_seed=None if row.draw_seed is None else row.draw_seed.hex(),
        quality_weight=plain_text(facts.quality_weight),
        price_weight=plain_text(facts.price_weight),
        minimum_quality=plain_text(facts.minimum_quality),
        ranked_at=row.ranked_at,
        bids=[_view(bid, flags.get(bid.pseudonym, [])) for bid in bids],
    )


def _view(bid: DecidedRow, flags: list[LowPriceFlag]) -> RankedBidView:
    return RankedBidView(
        pseudonym=bid.pseudonym,
        variant=bid.variant,
        supplier=bid.supplier,
        organisation=bid.organisation,
        passed=bid.passed,
        quality_points=Exact.of(bid.quality_points),
        price=None if bid.price is None else pounds(bid.price),
        price_points=None if bid.price_points is None else Exact.of(bid.price_points),
        total=None if bid.total is None else Exact.of(bid.total),
        place=bid.place,
        tied=bid.tied,
        dropped_out=bid.dropped_out,
        failure=bid.failure,
        price_lines=_lines(bid),
        abnormally_low=flags,
    )


def _lines(bid: DecidedRow) -> list[PriceLine] | None:
    envelope = bid.envelope
    return None if envelope is None else list(envelope.prices)
