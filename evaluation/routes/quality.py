"""HTTP about the evaluation of a lot: how far it is, bids, scores, and locking its quality."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from evaluation.challenge_errors import NotFresh
from evaluation.commands import moves, quality, reading, scoring
from evaluation.errors import (
    BidNotOpened,
    ChangedMeanwhile,
    EvidenceNotInBid,
    LockedAlready,
    LotNotThere,
    MeanIsComputed,
    ModerationIncomplete,
    ModerationTooEarly,
    NoSuchCriterion,
    NotAssigned,
    OpeningIncomplete,
    PanelChanged,
    ReasonTooShort,
    ScoreOffScale,
    ScoresIncomplete,
    ScoresLocked,
    SpreadNotDiscussed,
)
from evaluation.queries import progress
from evaluation.schemas.progress import AbandonLot, EvaluationView, LotMoved
from evaluation.schemas.scores import (
    AgreeScore,
    BidUnderEvaluation,
    GiveScore,
    QualityLocked,
    ScoreGiven,
    ScoresLockedView,
    ScoreView,
)
from market.actor import Actor
from market.errors import NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from tenders.errors import (
    DUTY_REFUSALS,
    ConflictOfInterest,
    DeclarationMissing,
    DutyNotTakenUp,
    DutySuspended,
)

ByPseudonym = Annotated[
    str | None,
    QueryParameter(required=False, max_length=20, description="Only the scores of this bid."),
]


class EvaluationController(Controller):
    """From the opened bids of a lot to the moment its quality is decided."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("evaluation",)

    @get(
        "/evaluation",
        operation_id="getEvaluation",
        responses=problems(NotFound, DutyNotTakenUp, DutySuspended),
    )
    async def get_evaluation(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[EvaluationView]:
        """Show how far a lot is, what is missing and from whom, to people with a duty.

        The ETag is the version that acts on the lot need. No score is shown.
        """
        return tagged(await progress.evaluation(actor, tender_id, lot_number))

    @get(
        "/evaluation/bids",
        operation_id="listBidsUnderEvaluation",
        responses=problems(
            NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest, LotNotThere
        ),
    )
    async def list_bids(  # noqa: PLR0913, PLR0917  # each parameter of the request by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        request: AnyRequest,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[BidUnderEvaluation]]:
        """List the opened bids under their pseudonyms, with answers and without prices.

        Whose they are is shown once the quality of the lot is locked. That they were read is
        recorded.
        """
        page = await reading.read_bids(actor, tender_id, lot_number, limit=limit, cursor=cursor)
        return linked(page, request)

    @post(
        "/evaluation/bids/{pseudonym:str}/scores",
        operation_id="giveScore",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotFresh,
            ScoresLocked,
            BidNotOpened,
            NoSuchCriterion,
            ScoreOffScale,
            EvidenceNotInBid,
            NotAssigned,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def give_score(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        data: JSONBody[GiveScore],
        actor: NamedDependency[Actor],
    ) -> ScoreGiven:
        """Score one criterion of one bid alone, with the reason; a repetition corrects."""
        return await scoring.give_score(actor, tender_id, lot_number, pseudonym, data)

    @get(
        "/evaluation/scores",
        operation_id="listScores",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_scores(  # noqa: PLR0913, PLR0917  # each parameter of the request by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        request: AnyRequest,
        pseudonym: ByPseudonym = None,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[ScoreView]]:
        """List scores with their reasons: one's own, and all once every evaluator has locked.

        Until the quality of the lot is locked, they are the quality panel's and the guardian's.
        That others' scores were read is recorded.
        """
        page = await reading.read_scores(
            actor, tender_id, lot_number, pseudonym=pseudonym, limit=limit, cursor=cursor
        )
        return linked(page, request)

    @post(
        "/evaluation/locks",
        operation_id="lockScores",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotFresh,
            LockedAlready,
            NotAssigned,
            ScoresIncomplete,
        ),
    )
    async def lock_scores(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> ScoresLockedView:
        """Finish one's own scoring of a lot, for good."""
        return await scoring.lock_scores(actor, tender_id, lot_number)

    @post(
        "/evaluation/bids/{pseudonym:str}/agreed-scores",
        operation_id="agreeScore",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotFresh,
            ModerationTooEarly,
            BidNotOpened,
            NoSuchCriterion,
            ScoreOffScale,
            MeanIsComputed,
            SpreadNotDiscussed,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def agree_score(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        data: JSONBody[AgreeScore],
        actor: NamedDependency[Actor],
    ) -> ScoreGiven:
        """Record what the panel agreed on one criterion of one bid, as its moderator."""
        return await quality.agree_score(actor, tender_id, lot_number, pseudonym, data)

    @post(
        "/evaluation/quality-lock",
        operation_id="lockQuality",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotFresh,
            ModerationTooEarly,
            ModerationIncomplete,
            PanelChanged,
            OpeningIncomplete,
        ),
    )
    async def lock_quality(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[QualityLocked]:
        """Decide the quality of every bid of a lot, exactly and for good."""
        decided = await quality.lock_quality(actor, tender_id, lot_number, version)
        return tagged(decided, status_code=201)

    @post(
        "/abandonment",
        operation_id="abandonLot",
        responses=problems(
            NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest, LotNotThere
        ),
    )
    async def abandon(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[AbandonLot],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[LotMoved]:
        """Give the lot up for a reason, as the tender manager."""
        moved = await moves.abandon_lot(actor, tender_id, lot_number, version, data)
        return tagged(moved, status_code=201)
