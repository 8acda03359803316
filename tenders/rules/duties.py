"""The duties of a tender, and which of them one person may never hold together."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Duty(StrEnum):
    """What a person does in one tender."""

    TENDER_MANAGER = "tender_manager"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    OPENER = "opener"
    QUALITY_EVALUATOR = "quality_evaluator"
    PRICE_EVALUATOR = "price_evaluator"
    MODERATOR = "moderator"
    AWARD_APPROVER = "award_approver"
    GUARDIAN = "guardian"
    CONTRACT_MANAGER = "contract_manager"
    OUTCOME_REVIEWER = "outcome_reviewer"

    def spoken(self) -> str:
        """Say the duty in a sentence."""
        return self.value.replace("_", " ")


Pair = frozenset[Duty]


def _pairs(one: Duty, *others: Duty) -> set[Pair]:
    return {frozenset({one, other}) for other in others}


FLOOR: Final[frozenset[Pair]] = frozenset(
    # whoever wrote what is asked for takes no part in deciding who is chosen
    _pairs(
        Duty.AUTHOR,
        Duty.REVIEWER,
        Duty.OPENER,
        Duty.PRICE_EVALUATOR,
        Duty.MODERATOR,
        Duty.AWARD_APPROVER,
        Duty.OUTCOME_REVIEWER,
    )
    # nobody approves what they scored
    | _pairs(Duty.AWARD_APPROVER, Duty.QUALITY_EVALUATOR, Duty.PRICE_EVALUATOR, Duty.MODERATOR)
    # nobody scores quality knowing prices
    | _pairs(Duty.QUALITY_EVALUATOR, Duty.PRICE_EVALUATOR)
    # whoever runs the tender does not decide it
    | _pairs(
        Duty.TENDER_MANAGER,
        Duty.QUALITY_EVALUATOR,
        Duty.PRICE_EVALUATOR,
        Duty.MODERATOR,
        Duty.AWARD_APPROVER,
    )
    | _pairs(Duty.OUTCOME_REVIEWER, Duty.AWARD_APPROVER, Duty.CONTRACT_MANAGER)
    # the guardian stands apart from everything they guard
    | _pairs(Duty.GUARDIAN, *(duty for duty in Duty if duty is not Duty.GUARDIAN))
)
"""Pairs that no one person may ever hold in one tender; nobody can exempt from them.

The database holds the same pairs (`duty_floor`); a test compares the two.
"""

DEFAULT: Final[frozenset[Pair]] = frozenset(
    _pairs(Duty.AUTHOR, Duty.QUALITY_EVALUATOR)
    | _pairs(Duty.REVIEWER, Duty.QUALITY_EVALUATOR, Duty.PRICE_EVALUATOR, Duty.MODERATOR)
    | _pairs(Duty.OPENER, Duty.AWARD_APPROVER)
)
"""Pairs that one person may hold only with a conflicts guardian's exemption."""

BLIND: Final = frozenset(
    {Duty.QUALITY_EVALUATOR, Duty.PRICE_EVALUATOR, Duty.MODERATOR, Duty.AWARD_APPROVER}
)
"""Duties whose holders do not learn which bid is whose before quality is locked."""


AWARD_DUTIES: Final = frozenset(
    {Duty.QUALITY_EVALUATOR, Duty.PRICE_EVALUATOR, Duty.MODERATOR, Duty.AWARD_APPROVER}
)
"""Duties held for a buyer, or for an organisation to which a buyer has delegated them.

The database holds the same (`is_award_duty`).
"""


class Clash(Struct, frozen=True):
    """A duty that a person holds or held, and one it keeps them from."""

    held: Duty
    wanted: Duty
    exemptible: bool

    @property
    def sentence(self) -> str:
        """Say what clashes, naming both duties."""
        said = (
            f"Whoever is or was {self.held.spoken()} of a tender cannot be its"
            f" {self.wanted.spoken()}"
        )
        if self.exemptible:
            return f"{said} without a published exemption by the conflicts guardian."
        return f"{said}."


def clashes(
    held: Collection[Duty], wanted: Duty, exempted: Collection[Pair] = ()
) -> tuple[Clash, ...]:
    """Find what keeps a person from a duty; `held` are the duties they hold or ever held there.

    Clashes that nobody can exempt from come first, and no exemption lifts them. Having held a duty
    is what counts: releasing it does not make another one possible.
    """
    return tuple(
        Clash(duty, wanted, exemptible)
        for pairs, exemptible in ((FLOOR, False), (DEFAULT - frozenset(exempted), True))
        for duty in Duty
        if duty in held and frozenset({duty, wanted}) in pairs
    )
