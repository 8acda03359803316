"""The ranking of a lot, to the last digit."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec

from evaluation.rules.exact import Exact
from evaluation.schemas.figures import Reason, ensure_says_something
from evaluation.schemas.low_prices import LowPriceFlag
from evaluation.schemas.robustness import FlippingMark
from market.money import DecimalText, Money
from tenders.rules.award_methods import AwardMethod, MethodName
from tenders.rules.bids import PriceLine


class RankedBidView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid's place. One that did not pass, or held no prices, has quality points alone.

    `total` is quality plus price points or, under an index, the figure that ranks the bids; then
    there are no price points. `dropped_out` is the reason, whichever ranking is shown.
    `price_lines` are shown to those who may read price envelopes. `abnormally_low` holds the
    published indicators by which the price is to be explained before it can win.
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
    dropped_out: str | None
    failure: str | None
    price_lines: list[PriceLine] | None
    abnormally_low: list[LowPriceFlag]


class RankingView(msgspec.Struct, frozen=True, kw_only=True):
    """A ranking with everything that is needed to compute it again.

    Rankings of a lot are numbered; the latest counts, and one after the first says `because` of
    what. `draw_seed` is revealed where the tie rule is a draw: the bids drawn are ordered by
    SHA-256 of "commissioning-support-market/draw/v1", a zero byte, the seed, and the lot's number,
    a stroke and the pseudonym; without the last, the digest is `draw_commitment`.
    `marks_that_flip` are the single marks, a step of the scale for one criterion of one bid, that
    would put another bid first: null for an earlier ranking, and for one with frozen figures.
    """

    tender: UUID
    lot: int
    version: int
    stage: str
    number: int
    latest: int
    because: str | None
    method: MethodName
    method_version: int
    award_method: AwardMethod
    index: bool
    lowest_wins: bool
    tie_rule: str
    draw_commitment: str | None
    draw_seed: str | None
    quality_weight: DecimalText
    price_weight: DecimalText
    minimum_quality: DecimalText
    ranked_at: datetime
    bids: list[RankedBidView]
    marks_that_flip: list[FlippingMark] | None = None


class DropOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a ranked bid is out of the competition, and why."""

    pseudonym: Annotated[str, msgspec.Meta(max_length=20)]
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "pseudonym": "Bid B",
        "reason": "The supplier withdrew by its letter of 3 March.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason of blanks."""
        ensure_says_something(self.reason)


class DroppedOut(msgspec.Struct, frozen=True, kw_only=True):
    """That the bid is out, and the number of the ranking of those that are left."""

    lot: int
    stage: str
    version: int
    ranking: int
