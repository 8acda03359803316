"""HTTP about the buyers of a joint purchase and their decisions."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.challenge_errors import LotOnHold
from evaluation.commands import joint as commands
from evaluation.errors import LotNotThere, ReasonTooShort
from evaluation.outcome_errors import BuyerContracted, BuyerDecidedAlready, NotOwnBuyer
from evaluation.queries import joint as queries
from evaluation.schemas.joint import BuyerDecided, BuyerStanding, DecideForBuyer
from market.actor import Actor
from market.errors import NotFound
from market.people.errors import FreshSignInNeeded
from market.problems import problems
from market.requests import KEYED
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class BuyerDecisionController(Controller):
    """Whether each buyer takes part in the award of a lot."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/buyer-decisions"
    tags = ("award",)

    @post(
        operation_id="decideForBuyer",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            LotOnHold,
            NotOwnBuyer,
            BuyerDecidedAlready,
            BuyerContracted,
            ReasonTooShort,
            FreshSignInNeeded,
        ),
    )
    async def decide(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[DecideForBuyer],
        actor: NamedDependency[Actor],
    ) -> BuyerDecided:
        """Decide whether one's own organisation takes part in the award, as its award approver.

        Each buyer but the lead reserves this decision to itself, unless it delegated its award
        duties and the delegate's people approved. The lead's decision is the approval of the
        award. Either may still decide otherwise until its contract is made. A buyer that refuses
        takes its share with it; the others go on with theirs.
        """
        return await commands.decide_for_buyer(actor, tender_id, lot_number, data)

    @get(
        operation_id="listBuyerDecisions",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_decisions(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> list[BuyerStanding]:
        """List the buyers of a lot with their shares of the awarded price and their decisions."""
        return await queries.buyer_decisions(actor, tender_id, lot_number)
