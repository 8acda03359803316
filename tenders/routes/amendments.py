"""HTTP about amendments of published tenders, and about confirming bids after them."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor, Scope
from market.errors import Malformed, NotFound, Stale
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from market.vault import Vault
from tenders.commands.amendments import publish_amendment
from tenders.commands.confirmations import confirm_bid
from tenders.errors import (
    DUTY_REFUSALS,
    AmendedMeanwhile,
    AmendmentFaulty,
    AmendmentTooLate,
    BidChanged,
    BiddingClosed,
    HelperMayNotBid,
    MustBeReplaced,
    NotAdmitted,
    NothingToConfirm,
    NotReviewed,
    TransitionRefused,
)
from tenders.queries import amendments as queries
from tenders.schemas.amendments import (
    AmendmentPublished,
    AmendmentView,
    BidConfirmed,
    ConfirmBid,
    PublishAmendment,
)


class AmendmentController(Controller):
    """How a published tender changes."""

    path = "/tenders/{tender_id:uuid}/amendments"
    tags = ("tenders",)

    @post(
        operation_id="publishAmendment",
        responses=problems(
            AmendmentFaulty,
            NotFound,
            *DUTY_REFUSALS,
            TransitionRefused,
            AmendmentTooLate,
            NotReviewed,
            Stale,
        ),
    )
    async def publish(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[PublishAmendment],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[AmendmentPublished]:
        """Amend a published tender before its deadline; a deadline is only ever put off.

        A changed requirement is written, reviewed and approved as the first was, while the tender
        stays published, and this takes it. What is material is computed: a change of more than
        wording is, and needs a deadline at least six whole days later. Bids given before a material
        amendment are confirmed or replaced, or they lapse at the deadline.
        """
        return tagged(await publish_amendment(actor, tender_id, data, version), 201)

    @get(
        operation_id="listAmendments",
        responses=problems(NotFound, Malformed),
        opt={"public": True, "scope": Scope.OPPORTUNITIES_READ},
    )
    async def list_amendments(
        self,
        request: AnyRequest,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[AmendmentView]]:
        """List the amendments of a tender with what each changed, the latest first."""
        page = await queries.amendments(actor, tender_id, limit=limit, cursor=cursor)
        return linked(page, request)


class BidConfirmationController(Controller):
    """Bids after a material amendment."""

    path = "/bids/{bid_id:uuid}/confirmations"
    tags = ("bids",)

    @post(
        operation_id="confirmBid",
        dependencies=KEYED,
        responses=problems(
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            NothingToConfirm,
            AmendedMeanwhile,
            MustBeReplaced,
            BidChanged,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def confirm(
        self,
        bid_id: FromPath[UUID],
        data: JSONBody[ConfirmBid],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidConfirmed]:
        """Confirm a bid as it is after a material amendment, and get a signed receipt for that.

        Where what a bid for the lot has to answer or to price has changed, it is replaced instead.
        """
        return tagged(await confirm_bid(actor, vault, bid_id, version, data), 201)


CONTROLLERS = (AmendmentController, BidConfirmationController)
