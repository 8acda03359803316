"""One cell of the matrix: who asks when, and what follows from that by the documents alone.

Nothing here calls the product: its permissions are what is being tested.
"""

from typing import Final

import msgspec

from tests.access.kinds import Interest, Kind, Of, Standing
from tests.access.moments import Moment

READS_DRAFTS: Final = frozenset({"procurement_lead", "commissioner", "auditor"})
FIRST_TO_KNOW: Final = frozenset({"opener", "guardian"})
KNOWS_ONCE_OPENED: Final = FIRST_TO_KNOW | {
    "tender_manager",
    "quality_evaluator",
    "price_evaluator",
    "moderator",
    "award_approver",
    "contract_manager",
    "outcome_reviewer",
}


class Case(msgspec.Struct, frozen=True):
    """Somebody of a kind, at a moment."""

    kind: Kind
    moment: Moment

    def __str__(self) -> str:
        return f"{self.kind.name}, {self.moment.name}"

    # -- who --------------------------------------------------------------------------------------

    @property
    def signed_in(self) -> bool:
        """Whether there is a session."""
        return self.kind.of is not Of.NOBODY

    def acts_for(self, of: Of) -> bool:
        """Whether they act for that organisation."""
        return self.kind.of is of

    def holds(self, role: str) -> bool:
        """Whether they hold a role in the organisation they act for."""
        return role in self.kind.roles

    # -- with what part in the tender -------------------------------------------------------------

    def _duties(self, *standings: Standing) -> frozenset[str]:
        there = self.moment.tender != "none" and self.kind.standing in standings
        return frozenset(self.kind.duties) if there else frozenset()

    @property
    def _removed(self) -> bool:
        return self.kind.interest is Interest.REMOVED and self.moment.opened

    @property
    def in_force(self) -> frozenset[str]:
        """The duties that work now."""
        return frozenset() if self._removed else self._duties(Standing.IN_FORCE)

    @property
    def offered(self) -> frozenset[str]:
        """The duties given to them that they have not taken up."""
        return self._duties(Standing.OFFERED)

    @property
    def suspended(self) -> frozenset[str]:
        """The duties whose ground is gone: an exemption, a delegation, their place on the panel."""
        return self._duties(Standing.IN_FORCE if self._removed else Standing.SUSPENDED)

    # -- what they may know of --------------------------------------------------------------------

    @property
    def in_the_house(self) -> bool:
        """Whether they see drafts: by a duty, or by their role for a buyer."""
        by_role = self.acts_for(Of.BUYER) and bool(READS_DRAFTS & set(self.kind.roles))
        return self.moment.tender != "none" and (bool(self.in_force) or by_role)

    @property
    def sees_tender(self) -> bool:
        """Whether they may know of the tender: all of a published one, some of a draft."""
        return self.moment.published or self.in_the_house or bool(self.offered)

    @property
    def audits(self) -> bool:
        """Whether they are an auditor of the buyer of a tender that is there."""
        there = self.moment.tender != "none"
        return there and self.acts_for(Of.BUYER) and self.holds("auditor")

    @property
    def knows_bidders(self) -> bool:
        """Whether the bidders' names are known to them, be it only to declare against them."""
        if self.moment.opened:
            return bool(self.in_force & KNOWS_ONCE_OPENED)
        over = self.moment.closed and self.moment.tender == "published"
        return over and bool(self.in_force & FIRST_TO_KNOW)

    # -- what stands between them and the bids ----------------------------------------------------

    @property
    def conflict(self) -> str | None:
        """What keeps them from acting on the bids; nothing does before the names are known."""
        if not self.knows_bidders:
            return None
        interest = self.kind.interest
        if interest is Interest.MEMBER:
            return "403 conflict-of-interest"
        if interest is Interest.UNDECLARED or not self.moment.declared:
            return "403 declaration-missing"
        return None if interest is Interest.NONE else "403 conflict-of-interest"

    @property
    def conflict_in_reading(self) -> str | None:
        """The same for reading: whoever may discuss, reads."""
        return None if self.kind.interest is Interest.MAY_DISCUSS else self.conflict
