"""The buyers of a joint purchase: whose contract is recorded, and for whom there is none."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from evaluation.outcome_errors import (
    AllBuyersRefused,
    BuyerContracted,
    BuyerRefused,
    BuyerUndecided,
    ContractBuyerNeeded,
)


class BuyerPart(StrEnum):
    """What a buyer decided about an award."""

    TAKES_PART = "takes_part"
    REFUSED = "refused"


class Buyer(Struct, frozen=True, kw_only=True):
    """A buyer of a lot; `part` is None while it has reserved its decision and not made it."""

    id: UUID
    name: str
    part: BuyerPart | None
    contracted: bool


def all_refused(buyers: Sequence[Buyer]) -> bool:
    """Say whether nobody is left who takes part."""
    return bool(buyers) and all(buyer.part is BuyerPart.REFUSED for buyer in buyers)


def chosen_buyer(buyers: Sequence[Buyer], named: UUID | None) -> UUID:
    """Return whose contract can be recorded: the one named, or the sole buyer.

    Raises:
        AllBuyersRefused: nobody takes part.
        ContractBuyerNeeded: it is not said whose of several, or it is none of them.
        BuyerContracted: the buyer has its contract.
        BuyerUndecided: the buyer has not decided.
        BuyerRefused: the buyer decided not to take part.
    """
    if all_refused(buyers):
        raise AllBuyersRefused
    if named is None and len(buyers) == 1:
        named = buyers[0].id
    buyer = next((buyer for buyer in buyers if buyer.id == named), None)
    if buyer is None:
        names = ", ".join(buyer.name for buyer in buyers)
        message = f"Say whose contract this is, as `buyer`: the tender's buyers are {names}."
        raise ContractBuyerNeeded(message)
    if buyer.contracted:
        raise BuyerContracted
    if buyer.part is None:
        message = (
            f"{buyer.name} has reserved the decision to itself: an award approver of its own"
            " decides first whether it takes part."
        )
        raise BuyerUndecided(message)
    if buyer.part is BuyerPart.REFUSED:
        message = f"{buyer.name} decided not to take part, so there is no contract for it."
        raise BuyerRefused(message)
    return buyer.id
