"""HTTP about challenges of an award: making, deciding and withdrawing them."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.challenge_errors import (
    ChallengedAlready,
    ChallengeDecided,
    ChallengeEnded,
    ChallengeTimeFaulty,
    NoNoticeToChallenge,
)
from evaluation.commands import challenges as commands
from evaluation.errors import LotNotThere, ReasonTooShort
from evaluation.queries import challenges as queries
from evaluation.schemas.challenges import (
    ChallengeLot,
    ChallengeMoved,
    ChallengesView,
    DecideChallenge,
    WithdrawChallenge,
)
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class ChallengeController(Controller):
    """Challenges of the award of a lot."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/challenges"
    tags = ("award",)

    @post(
        operation_id="challengeAward",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            ChallengedAlready,
            ChallengeDecided,
            NoNoticeToChallenge,
            ChallengeTimeFaulty,
            ReasonTooShort,
        ),
    )
    async def challenge(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[ChallengeLot],
        actor: NamedDependency[Actor],
    ) -> ChallengeMoved:
        """Challenge the award of a lot for which one bid; no contract is made until it is decided.

        The tender manager records one that came from outside.
        """
        return await commands.challenge_lot(actor, tender_id, lot_number, data)

    @get(operation_id="listChallenges", responses=problems(NotFound))
    async def list_challenges(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> ChallengesView:
        """List the challenges of a lot: all for its panel and auditors, its own for a bidder."""
        return await queries.challenges(actor, tender_id, lot_number)

    @post(
        "/{number:int}/decision",
        operation_id="decideChallenge",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            ChallengeEnded,
            ReasonTooShort,
        ),
    )
    async def decide(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        data: JSONBody[DecideChallenge],
        actor: NamedDependency[Actor],
    ) -> ChallengeMoved:
        """Decide a challenge as the conflicts guardian, with reasons that the challenger reads."""
        return await commands.decide_challenge(actor, tender_id, lot_number, number, data)

    @post(
        "/{number:int}/withdrawal",
        operation_id="withdrawChallenge",
        dependencies=KEYED,
        responses=problems(NotFound, ChallengeEnded, ReasonTooShort),
    )
    async def withdraw(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        data: JSONBody[WithdrawChallenge],
        actor: NamedDependency[Actor],
    ) -> ChallengeMoved:
        """Withdraw one's own challenge: its hold on the lot ends."""
        return await commands.withdraw_challenge(actor, tender_id, lot_number, number, data)
