"""How many lots one supplier may win, and by which rule they go to whom: published beforehand."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from market.errors import Fault


class LimitRule(StrEnum):
    """Which of the two rules the notice published (see `evaluation.rules.lot_limits`)."""

    BEST_RANKS = "best_ranks"
    IN_ORDER_OF_LOTS = "in_order_of_lots"


class LotLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most lots that one supplier may win, and who has which when it comes first in more.

    By `best_ranks` as many lots are awarded as can be, with the least sum of ranks; by
    `in_order_of_lots` lot by lot, passing over whoever has won its number.
    """

    lots: Annotated[int, Meta(ge=1, le=20)]
    rule: LimitRule


def limit_faults(limit: LotLimit | None, lots: int) -> Iterator[Fault]:
    """Report a limit that limits nothing."""
    if limit is not None and limit.lots >= lots:
        reason = f"There are {lots} lots; a limit of {limit.lots} for each supplier limits nothing."
        yield Fault(field="lot_limit.lots", reason=reason)
