"""HTTP about tenders: drafting, review, publication, and reading them."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from market.actor import Actor, Scope
from market.errors import Forbidden, Malformed, NotFound, Stale
from market.money import DECIMAL_PATTERN
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged, tagged_as
from market.vault import Vault
from tenders.commands import drafting, publication, reviews
from tenders.errors import (
    DUTY_REFUSALS,
    BuyersSettled,
    BuysAlready,
    CannotBuy,
    ConflictOfInterest,
    ContractMade,
    DeadlineTooSoon,
    DeclarationMissing,
    DutyClash,
    DutyNotTakenUp,
    NotInReview,
    OfficersNeeded,
    OpenersNeeded,
    RequirementFaulty,
    RequirementMissing,
    RequirementSettled,
    RuleSetDateRefused,
    SuppliersMayNotHoldDuties,
    TimetableFaulty,
    TimetableMissing,
    TransitionRefused,
)
from tenders.queries import record, requirements, tenders
from tenders.rules.requirement import Requirement
from tenders.rules.searches import MOST_LINES, Filters
from tenders.rules.stages import TenderStatus
from tenders.schemas.custody import PublishTender
from tenders.schemas.tenders import (
    Abandon,
    AddBuyer,
    CreateTender,
    EventView,
    GiveReview,
    RequirementVersionView,
    RequirementView,
    TenderSummary,
    TenderView,
    Timetable,
)

_NO_NUL = r"^[^\x00]*$"
ServiceLineFilter = Annotated[
    list[Annotated[str, Meta(max_length=60, pattern=_NO_NUL)]] | None,
    QueryParameter(
        required=False,
        max_items=MOST_LINES,
        description="Asked for in one of its lots; given several times, one of them is enough.",
    ),
]
StatusFilter = Annotated[
    TenderStatus | None, QueryParameter(required=False, description="Where the tender stands now.")
]
TextFilter = Annotated[
    str | None,
    QueryParameter(
        required=False,
        min_length=1,
        max_length=100,
        pattern=_NO_NUL,
        description="Text that the title contains, capitals or not.",
    ),
]
BuyerFilter = Annotated[
    UUID | None, QueryParameter(required=False, description="An organisation that buys in it.")
]
ValueFilter = Annotated[
    str | None,
    QueryParameter(
        required=False,
        max_length=22,
        pattern=DECIMAL_PATTERN,
        description=(
            "Pounds a year, as estimated for one of its lots. A bound includes itself, and both"
            " hold for the same lot."
        ),
    ),
]


class TenderController(Controller):
    """Tenders, published ones for everybody."""

    path = "/tenders"
    tags = ("tenders",)

    @post(
        operation_id="createTender",
        dependencies=KEYED,
        responses=problems(Forbidden, RuleSetDateRefused, Malformed),
    )
    async def create(
        self, data: JSONBody[CreateTender], actor: NamedDependency[Actor]
    ) -> Response[TenderView]:
        """Begin a tender for the organisation one acts for, and become its manager."""
        return tagged(await drafting.create_tender(actor, data), 201)

    @get(
        operation_id="listTenders",
        responses=problems(Malformed),
        opt={"public": True, "scope": Scope.OPPORTUNITIES_READ},
    )
    async def list_published(  # noqa: PLR0913, PLR0917  # the filters of one list, each by its name
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        service_line: ServiceLineFilter = None,
        status: StatusFilter = None,
        q: TextFilter = None,
        buyer: BuyerFilter = None,
        minimum_value: ValueFilter = None,
        maximum_value: ValueFilter = None,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[TenderSummary]]:
        """List published tenders, the latest first."""
        filters = Filters(
            text=q,
            service_lines=tuple(service_line or ()),
            buyer=buyer,
            minimum_value=minimum_value,
            maximum_value=maximum_value,
        )
        page = await tenders.published(actor, filters, status=status, limit=limit, cursor=cursor)
        return linked(page, request)

    @get(
        "/mine",
        operation_id="listMyTenders",
        responses=problems(Malformed),
        opt={"scope": Scope.TENDERS_READ},
    )
    async def list_mine(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[TenderSummary]]:
        """List tenders in which one has a duty or whose buyer one works for, drafts included."""
        return linked(await tenders.mine(actor, limit=limit, cursor=cursor), request)

    @get(
        "/{tender_id:uuid}",
        operation_id="getTender",
        responses=problems(NotFound),
        opt={"public": True, "scope": Scope.OPPORTUNITIES_READ},
    )
    async def show(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[TenderView]:
        """Show a tender: published ones to everybody, drafts to those who work on them."""
        return tagged(await tenders.tender(actor, tender_id))

    @put(
        "/{tender_id:uuid}/timetable",
        operation_id="setTimetable",
        responses=problems(TimetableFaulty, NotFound, *DUTY_REFUSALS, TransitionRefused, Stale),
    )
    async def set_timetable(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[Timetable],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Set when questions end, when bids must be in and when the contract starts."""
        return tagged(await drafting.set_timetable(actor, tender_id, data, version))

    @post(
        "/{tender_id:uuid}/buyers",
        operation_id="addBuyer",
        status_code=200,
        responses=problems(NotFound, *DUTY_REFUSALS, BuyersSettled, CannotBuy, BuysAlready, Stale),
    )
    async def add_buyer(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[AddBuyer],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Let another organisation buy in the tender; costs are shared by population."""
        return tagged(await drafting.add_buyer(actor, tender_id, data, version))

    @post(
        "/{tender_id:uuid}/review-requests",
        operation_id="requestReview",
        status_code=200,
        responses=problems(NotFound, *DUTY_REFUSALS, TransitionRefused, RequirementMissing, Stale),
    )
    async def request_review(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Hand the requirement to its independent reviewers."""
        return tagged(await reviews.request_review(actor, tender_id, version))

    @post(
        "/{tender_id:uuid}/reviews",
        operation_id="giveReview",
        status_code=200,
        responses=problems(NotFound, *DUTY_REFUSALS, NotInReview, Stale),
    )
    async def give_review(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[GiveReview],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Approve the requirement, or return it to draft, with comments."""
        return tagged(await reviews.give_review(actor, tender_id, data, version))

    @post(
        "/{tender_id:uuid}/revisions",
        operation_id="reviseTender",
        status_code=200,
        responses=problems(NotFound, *DUTY_REFUSALS, TransitionRefused, Stale),
    )
    async def revise(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Take an approved requirement back to draft. It then needs another review."""
        return tagged(await reviews.revise(actor, tender_id, version))

    @post(
        "/{tender_id:uuid}/publication",
        operation_id="publishTender",
        status_code=200,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            TransitionRefused,
            TimetableMissing,
            DeadlineTooSoon,
            OpenersNeeded,
            OfficersNeeded,
            Stale,
        ),
    )
    async def publish(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
        data: JSONBody[PublishTender],
    ) -> Response[TenderView]:
        """Publish the approved requirement. From then on it changes by amendments alone.

        The server keeps the keys that bids are sealed to, unless `custody` says that officers do.
        """
        return tagged(await publication.publish(actor, tender_id, version, vault, data.custody))

    @post(
        "/{tender_id:uuid}/abandonment",
        operation_id="abandonTender",
        status_code=200,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            TransitionRefused,
            ContractMade,
            Stale,
        ),
    )
    async def abandon(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[Abandon],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[TenderView]:
        """Give the tender up with all its lots, for a reason."""
        return tagged(await publication.abandon(actor, tender_id, data, version))

    @get(
        "/{tender_id:uuid}/record",
        operation_id="listTenderRecord",
        responses=problems(NotFound, Forbidden, Malformed),
        opt={"scope": Scope.EVENTS_READ},
    )
    async def list_record(
        self,
        request: AnyRequest,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[EventView]]:
        """List the tender's events, for its manager, its guardian and its buyers' auditors.

        Until the bids are opened, what suppliers do is left out: it would tell who bids. From then
        until the quality of every lot is locked, the guardian sees it, and a manager who has
        declared against the bidders and has an interest in none.
        """
        page = await record.record_of(actor, tender_id, limit=limit, cursor=cursor)
        return linked(page, request)


class RequirementController(Controller):
    """What is needed, and how bids will be judged."""

    path = "/tenders/{tender_id:uuid}/requirement"
    tags = ("tenders",)

    @put(
        operation_id="replaceRequirement",
        responses=problems(
            RequirementFaulty,
            NotFound,
            *DUTY_REFUSALS,
            DutyClash,
            SuppliersMayNotHoldDuties,
            RequirementSettled,
            Stale,
        ),
    )
    async def replace(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[Requirement],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[RequirementView]:
        """Write a new version of the requirement. Whoever writes is an author for good.

        Of a published tender, until its deadline, that is a draft of what an amendment is to
        publish; until then everybody reads what was published.
        """
        return tagged(await drafting.replace_requirement(actor, tender_id, data, version))

    @get(
        operation_id="getRequirement",
        responses=problems(NotFound, DutyNotTakenUp),
        opt={"public": True, "scope": Scope.OPPORTUNITIES_READ},
    )
    async def show(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[RequirementView]:
        """Show the published requirement, or to those who work on it the latest draft."""
        return tagged_as(RequirementView, await requirements.requirement(actor, tender_id))

    @get(
        "/versions",
        operation_id="listRequirementVersions",
        responses=problems(NotFound, Forbidden, DutyNotTakenUp),
        opt={"scope": Scope.TENDERS_READ},
    )
    async def list_versions(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[RequirementVersionView]:
        """List who wrote which version when, and what the reviewers said."""
        return await requirements.requirement_versions(actor, tender_id)

    @get(
        "/versions/{number:int}",
        operation_id="getRequirementVersion",
        responses=problems(NotFound, Forbidden, DutyNotTakenUp),
        opt={"scope": Scope.TENDERS_READ},
    )
    async def show_version(
        self, tender_id: FromPath[UUID], number: FromPath[int], actor: NamedDependency[Actor]
    ) -> Response[RequirementView]:
        """Show one version, superseded ones included."""
        stored = await requirements.requirement_version(actor, tender_id, number)
        return tagged_as(RequirementView, stored)
