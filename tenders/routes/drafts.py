"""HTTP about drafts of bids, and about how one's own bid stands."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from market.actor import Actor, Scope
from market.errors import Forbidden, NotFound
from market.problems import problems
from market.requests import KEYED, tagged, version_in
from market.vault import Vault
from tenders.commands import drafts as commands
from tenders.errors import (
    AmendedMeanwhile,
    BidChanged,
    BiddingClosed,
    BidIncomplete,
    DraftChanged,
    DraftUnreadable,
    HelperMayNotBid,
    NotAdmitted,
    VariantRefused,
)
from tenders.queries import drafts as queries
from tenders.rules.drafts import DraftPlace
from tenders.rules.requirement import MAXIMUM_VARIANTS
from tenders.schemas.bids import BidGiven
from tenders.schemas.drafts import (
    DraftDiscarded,
    DraftFaults,
    DraftSaved,
    DraftView,
    MyBid,
    SaveDraft,
)


async def provide_known_version(
    if_match: Annotated[
        str | None,
        HeaderParameter(
            name="If-Match",
            required=False,
            description="The ETag of the draft you read; leave it out for the first one.",
        ),
    ] = None,
) -> int | None:
    """The version of the draft that the caller knows of; None where they know of none.

    Raises:
        Malformed: it is not an ETag the market gives.
    """
    return None if if_match is None else version_in(if_match)


async def provide_place(
    tender_id: FromPath[UUID],
    lot_number: FromPath[int],
    variant: Annotated[
        int,
        QueryParameter(
            ge=0, le=MAXIMUM_VARIANTS, description="0 for the main bid, else the variant's number."
        ),
    ] = 0,
) -> DraftPlace:
    """Which bid the request is about."""
    return DraftPlace(tender=tender_id, lot_number=lot_number, variant=variant)


class DraftController(Controller):
    """Drafts of bids."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("bids",)
    dependencies = {"place": Provide(provide_place)}  # noqa: RUF012  # read by Litestar, not changed

    @put(
        "/bid-draft",
        operation_id="saveDraft",
        dependencies={"known": Provide(provide_known_version)},
        responses=problems(
            Forbidden,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            VariantRefused,
            DraftChanged,
            DraftUnreadable,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def save(
        self,
        place: NamedDependency[DraftPlace],
        data: JSONBody[SaveDraft],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
        known: NamedDependency[int | None],
    ) -> Response[DraftSaved]:
        """Save a draft of a bid, as often as wanted; only your organisation's bid managers see it.

        The first takes no If-Match; each later one the ETag of the one before.
        """
        saved = await commands.save_draft(actor, vault, place, known, data)
        return tagged(saved)

    @get(
        "/bid-draft",
        operation_id="getDraft",
        responses=problems(Forbidden, NotFound, DraftUnreadable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def show(
        self,
        place: NamedDependency[DraftPlace],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[DraftView]:
        """Show the draft of your organisation's bid for a lot."""
        return tagged(await queries.draft(actor, vault, place))

    @delete(
        "/bid-draft",
        operation_id="discardDraft",
        status_code=200,
        responses=problems(Forbidden, NotFound, DraftChanged),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def discard(
        self,
        place: NamedDependency[DraftPlace],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> DraftDiscarded:
        """Discard a draft: nothing of what was in it is left."""
        return await commands.discard_draft(actor, place, version)

    @get(
        "/bid-draft/faults",
        operation_id="listDraftFaults",
        responses=problems(Forbidden, NotFound, DraftUnreadable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def faults(
        self,
        place: NamedDependency[DraftPlace],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[DraftFaults]:
        """List everything that the draft lacks at once, and whether a bid could be given now."""
        return tagged(await queries.missing(actor, vault, place))

    @post(
        "/bid-draft/submission",
        operation_id="submitDraft",
        dependencies=KEYED,
        responses=problems(
            BidIncomplete,
            Forbidden,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            VariantRefused,
            AmendedMeanwhile,
            DraftChanged,
            BidChanged,
            DraftUnreadable,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def submit(
        self,
        place: NamedDependency[DraftPlace],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Submit the draft: in one act it becomes your bid, or takes the place of the one you gave.

        It is sealed and acknowledged as any bid, and the draft is gone.
        """
        given = await commands.submit_draft(actor, vault, place.tender, place, version)
        return tagged(given, 201)

    @get(
        "/my-bid",
        operation_id="getMyBidForLot",
        responses=problems(Forbidden, NotFound),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def my_bid(
        self,
        place: NamedDependency[DraftPlace],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> MyBid:
        """Say whether your bid is complete and stored, at any time, as the database has it now."""
        return await queries.my_bid_for(actor, vault, place)


CONTROLLERS = (DraftController,)
