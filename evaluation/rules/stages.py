"""The stages of a lot: what may follow what, and what time alone decides."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class LotStage(StrEnum):
    """The stored stages of a lot, from its publication to its end."""

    BIDDING = "bidding"
    QUALITY_SCORING = "quality_scoring"
    QUALITY_LOCKED = "quality_locked"
    PRICE_OPENED = "price_opened"
    RANKED = "ranked"
    RECOMMENDED = "recommended"
    AWARDED = "awarded"
    NOTIFIED = "notified"
    CONTRACTED = "contracted"
    ABANDONED = "abandoned"


class StandstillStage(StrEnum):
    """What a notified lot is shown as: derived from time and challenges, and never stored."""

    STANDSTILL = "standstill"
    STANDSTILL_OVER = "standstill_over"
    ON_HOLD = "on_hold"


LOT_TRANSITIONS: Final[Mapping[LotStage, frozenset[LotStage]]] = MappingProxyType(
    {
        # A lot is scored from the moment its tender is opened: that move is the opening's.
        LotStage.BIDDING: frozenset({LotStage.QUALITY_SCORING, LotStage.ABANDONED}),
        LotStage.QUALITY_SCORING: frozenset({LotStage.QUALITY_LOCKED, LotStage.ABANDONED}),
        # Abandoned also when no bid reached the minimum quality: then no price is ever opened.
        LotStage.QUALITY_LOCKED: frozenset({LotStage.PRICE_OPENED, LotStage.ABANDONED}),
        LotStage.PRICE_OPENED: frozenset({LotStage.RANKED, LotStage.ABANDONED}),
        # Ranked again when a bid drops out, here and at every stage up to the contract.
        LotStage.RANKED: frozenset({LotStage.RECOMMENDED, LotStage.RANKED, LotStage.ABANDONED}),
        # Back to ranked also when an approver returns the recommendation.
        LotStage.RECOMMENDED: frozenset({LotStage.AWARDED, LotStage.RANKED, LotStage.ABANDONED}),
        LotStage.AWARDED: frozenset({LotStage.NOTIFIED, LotStage.RANKED, LotStage.ABANDONED}),
        # Scored again in a new round when a challenge of the award is upheld.
        LotStage.NOTIFIED: frozenset(
            {
                LotStage.CONTRACTED,
                LotStage.RANKED,
                LotStage.QUALITY_SCORING,
                LotStage.ABANDONED,
            }
        ),
        LotStage.CONTRACTED: frozenset(),
        LotStage.ABANDONED: frozenset(),
    }
)


def may_move(current: LotStage, following: LotStage) -> bool:
    """Say whether a lot may go from one stage to the other; a ranked lot may be ranked again."""
    return following in LOT_TRANSITIONS[current]


def shown_stage(
    stage: LotStage, *, standstill_end: datetime | None, now: datetime, on_hold: bool = False
) -> LotStage | StandstillStage:
    """Return the stage to show: a notified lot is in its standstill, past it, or on hold.

    It is on hold while its award is challenged, whether the standstill runs or not: Public
    Contracts Regulations 2015, regulation 95; Procurement Act 2023, section 101. At
    `standstill_end` itself the standstill is over. Raises `ValueError` for a notified lot
    without the end that was stored when its notices went out.
    """
    if stage is not LotStage.NOTIFIED:
        return stage
    if standstill_end is None:
        raise ValueError("A notified lot must have the end of its standstill stored.")
    if on_hold:
        return StandstillStage.ON_HOLD
    return StandstillStage.STANDSTILL if now < standstill_end else StandstillStage.STANDSTILL_OVER
