"""HTTP about the award: recommendation, approvals, notices, contract, and what is published."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.award_errors import (
    AwardNotApproved,
    ContractDatesFaulty,
    DecidedAlready,
    FirstPlaceTied,
    LotsAwaited,
    LowPriceUndecided,
    NotAllocated,
    NotRankedFirst,
    StandstillRefused,
    StandstillRunning,
    WinnerUnverified,
)
from evaluation.challenge_errors import LotOnHold
from evaluation.commands import award as award_commands
from evaluation.commands import contract, notices, reading
from evaluation.errors import LotNotThere, ReasonTooShort
from evaluation.outcome_errors import (
    AllBuyersRefused,
    BuyerContracted,
    BuyerRefused,
    BuyerUndecided,
    ContractBuyerNeeded,
    ContractDayFaulty,
    KpisLacking,
)
from evaluation.queries import award as queries
from evaluation.schemas.award import (
    ApprovalGiven,
    Approve,
    AwardView,
    ContractMadeView,
    MakeContract,
    NoticesSent,
    NoticeView,
    Recommend,
    RecommendationGiven,
)
from market.actor import Actor
from market.errors import NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people.errors import FreshSignInNeeded
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class AwardController(Controller):
    """From the ranking of a lot to its contract."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("award",)

    @post(
        "/recommendations",
        operation_id="recommendAward",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotRankedFirst,
            FirstPlaceTied,
            LowPriceUndecided,
            LotsAwaited,
            NotAllocated,
            ReasonTooShort,
        ),
    )
    async def recommend(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[Recommend],
        actor: NamedDependency[Actor],
    ) -> RecommendationGiven:
        """Recommend the bid that alone ranks first, as the moderator."""
        return await award_commands.recommend(actor, tender_id, lot_number, data)

    @post(
        "/approvals",
        operation_id="approveAward",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            DecidedAlready,
            AwardNotApproved,
            FreshSignInNeeded,
        ),
    )
    async def approve(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[Approve],
        actor: NamedDependency[Actor],
    ) -> ApprovalGiven:
        """Approve the recommendation, or return it; a complete quorum makes the award."""
        return await award_commands.approve(actor, tender_id, lot_number, data)

    @post(
        "/award-notices",
        operation_id="sendAwardNotices",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            StandstillRefused,
        ),
    )
    async def send_notices(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[NoticesSent]:
        """Send every bidder of the lot its notice, which begins the standstill."""
        sent = await notices.send_notices(actor, tender_id, lot_number, version)
        return tagged(sent, status_code=201)

    @get(
        "/award-notices",
        operation_id="listAwardNotices",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_notices(  # noqa: PLR0913, PLR0917  # each parameter of the request by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        request: AnyRequest,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[NoticeView]]:
        """List the notices of a lot: a bidder's own, or all for people with a duty: recorded."""
        page = await reading.read_notices(actor, tender_id, lot_number, limit=limit, cursor=cursor)
        return linked(page, request)

    @post(
        "/contract",
        operation_id="makeContract",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            LotOnHold,
            WinnerUnverified,
            StandstillRunning,
            ContractDatesFaulty,
            ContractDayFaulty,
            ContractBuyerNeeded,
            BuyerUndecided,
            BuyerRefused,
            AllBuyersRefused,
            BuyerContracted,
            KpisLacking,
        ),
    )
    async def make_contract(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[MakeContract],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[ContractMadeView]:
        """Record the contract of one buyer, no earlier than the end of the standstill.

        Its value is the buyer's share of the awarded price. The lot is contracted when every buyer
        that takes part has its contract.
        """
        made = await contract.make_contract(actor, tender_id, lot_number, version, data)
        return tagged(made, status_code=201)

    @get(
        "/award",
        operation_id="getAward",
        responses=problems(NotFound),
        opt={"public": True},
    )
    async def get_award(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> AwardView:
        """Show the award of a lot to everybody, once its bidders have been told."""
        return await queries.award(actor, tender_id, lot_number)
