"""The ranking of a lot, to the last digit."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.rules.exact import Exact
from market.money import DecimalText, Money
from tenders.rules.bids import PriceLine


class RankedBidView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid's place. One that did not pass, or held no prices, has quality points alone.

    `price_lines` are shown to those who may read price envelopes.
    """

    pseudonym: str
    variant: int
    supplier: str
    organisation: UUID
    passed: bool
    quality_points: Exact
    price: Money | None
    price_points: Exact | None
    total: Exact | None
    place: int | None
    tied: bool | None
    failure: str | None
    price_lines: list[PriceLine] | None


class RankingView(msgspec.Struct, frozen=True, kw_only=True):
    """The ranking with everything that is needed to compute it again."""

    tender: UUID
    lot: int
    version: int
    stage: str
    method: str
    method_version: int
    tie_rule: str
    quality_weight: DecimalText
    price_weight: DecimalText
    minimum_quality: DecimalText
    ranked_at: datetime
    bids: list[RankedBidView]
