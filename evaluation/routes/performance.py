"""HTTP about what follows an award: indicators, changes, milestones, reviews, track records."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.commands import changes, outcome
from evaluation.commands import performance as commands
from evaluation.errors import LotNotThere, ReasonTooShort
from evaluation.outcome_errors import (
    AccessMisfigured,
    AssessedAlready,
    AssessmentsLacking,
    BaselineFaulty,
    BaselineRecorded,
    ChangedEndFaulty,
    ChangeTooGreat,
    ContractBuyerNeeded,
    ContractDayFaulty,
    ContractMadeAlready,
    FiguresFaulty,
    MilestoneInFuture,
    MilestoneMetAlready,
    NoSuchGround,
    NothingChanged,
    OutcomeReviewedAlready,
    PeriodNotOver,
    ReviewNotDue,
)
from evaluation.queries import performance as queries
from evaluation.queries.track_record import track_record
from evaluation.schemas.performance import (
    AssessKpi,
    BaselineView,
    ChangeContract,
    ChangeView,
    KpiAssessed,
    KpiSet,
    KpisPublished,
    KpisView,
    MeetMilestone,
    MilestoneView,
    OutcomeReviewView,
    PerformanceView,
    PublishKpis,
    RecordBaseline,
    RecordOutcomeReview,
    SetKpi,
    SetMilestone,
    TrackedLot,
)
from market.actor import Actor, Scope
from market.errors import NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing

_REFUSALS = (NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest, LotNotThere)


class PerformanceController(Controller):
    """From the indicators set before a contract to the review of its outcome."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("outcome",)

    @post(
        "/kpis",
        operation_id="setKpi",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, ContractMadeAlready, FiguresFaulty),
    )
    async def set_kpi(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[SetKpi],
        actor: NamedDependency[Actor],
    ) -> KpiSet:
        """Set a key performance indicator, as the contract manager, before the first contract.

        A lot estimated above £5 million over its term needs three before it is contracted, under
        the Procurement Act 2023 (section 52).
        """
        return await commands.set_kpi(actor, tender_id, lot_number, data)

    @get(
        "/kpis",
        operation_id="listKpis",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_kpis(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> KpisView:
        """Show the indicators and all that was measured, published or not."""
        return await queries.lot_kpis(actor, tender_id, lot_number)

    @post(
        "/kpis/{number:int}/assessments",
        operation_id="assessKpi",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, PeriodNotOver, AssessedAlready),
    )
    async def assess_kpi(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        data: JSONBody[AssessKpi],
        actor: NamedDependency[Actor],
    ) -> KpiAssessed:
        """Record what was measured in a period that is over; whether it is enough is computed."""
        return await commands.assess_kpi(actor, tender_id, lot_number, number, data)

    @post(
        "/kpi-publications",
        operation_id="publishKpis",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, PeriodNotOver, AssessmentsLacking),
    )
    async def publish_kpis(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[PublishKpis],
        actor: NamedDependency[Actor],
    ) -> KpisPublished:
        """Publish everything measured up to a day: once in twelve months at least (section 71)."""
        return await commands.publish_kpis(actor, tender_id, lot_number, data)

    @post(
        "/contract-changes",
        operation_id="changeContract",
        dependencies=KEYED,
        responses=problems(
            *_REFUSALS,
            ContractBuyerNeeded,
            NoSuchGround,
            NothingChanged,
            ChangeTooGreat,
            ChangedEndFaulty,
            ContractDayFaulty,
            ReasonTooShort,
        ),
    )
    async def change_contract(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[ChangeContract],
        actor: NamedDependency[Actor],
    ) -> ChangeView:
        """Record a change of value, end or scope, within the limit of its ground.

        The limits of regulation 72 and section 74 are computed from what was awarded.
        """
        return await changes.change_contract(actor, tender_id, lot_number, data)

    @post(
        "/milestones",
        operation_id="setMilestone",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, ContractBuyerNeeded, ContractDayFaulty),
    )
    async def set_milestone(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[SetMilestone],
        actor: NamedDependency[Actor],
    ) -> MilestoneView:
        """Set what is to be done under a contract by a day."""
        return await changes.set_milestone(actor, tender_id, lot_number, data)

    @post(
        "/milestones/{number:int}/completion",
        operation_id="meetMilestone",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, ContractBuyerNeeded, MilestoneMetAlready, MilestoneInFuture),
    )
    async def meet_milestone(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        data: JSONBody[MeetMilestone],
        actor: NamedDependency[Actor],
    ) -> MilestoneView:
        """Record on which day a milestone was met, and what shows it."""
        return await changes.meet_milestone(actor, tender_id, lot_number, number, data)

    @post(
        "/baseline",
        operation_id="recordBaseline",
        dependencies=KEYED,
        responses=problems(
            *_REFUSALS, ContractMadeAlready, BaselineRecorded, BaselineFaulty, FiguresFaulty
        ),
    )
    async def record_baseline(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[RecordBaseline],
        actor: NamedDependency[Actor],
    ) -> BaselineView:
        """Record yearly cost and access before the contract: what reviews are held against."""
        return await outcome.record_baseline(actor, tender_id, lot_number, data)

    @post(
        "/outcome-reviews",
        operation_id="reviewOutcome",
        dependencies=KEYED,
        responses=problems(
            *_REFUSALS, ReviewNotDue, OutcomeReviewedAlready, AccessMisfigured, ReasonTooShort
        ),
    )
    async def review_outcome(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[RecordOutcomeReview],
        actor: NamedDependency[Actor],
    ) -> OutcomeReviewView:
        """Review whether cost fell and access improved, as somebody apart from the award.

        Both are computed from the figures and the baseline; the review is published at once.
        """
        return await outcome.review_outcome(actor, tender_id, lot_number, data)

    @get(
        "/performance",
        operation_id="getPerformance",
        responses=problems(NotFound),
        opt={"public": True},
    )
    async def get_performance(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> PerformanceView:
        """Show everybody the contracts of a lot, their changes, indicators and outcome."""
        return await queries.performance(actor, tender_id, lot_number)


class TrackRecordController(Controller):
    """What suppliers did with the contracts they won."""

    path = "/suppliers/{organisation_id:uuid}/track-record"
    tags = ("outcome",)

    @get(
        operation_id="getTrackRecord",
        responses=problems(NotFound),
        opt={"public": True, "scope": Scope.REGISTER_READ},
    )
    async def get_track_record(
        self,
        organisation_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        request: AnyRequest,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[TrackedLot]]:
        """List the contracts a supplier won, with indicators, changes and reviews, and sources.

        Nothing of bids that lost is told, and no indicator that is not published.
        """
        page = await track_record(actor, organisation_id, limit=limit, cursor=cursor)
        return linked(page, request)
