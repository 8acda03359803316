"""HTTP about drafts of bids, and about how one's own bid stands."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, HeaderParameter, JSONBody

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
)
from tenders.queries import drafts as queries
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


class DraftController(Controller):
    """Drafts of bids."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("bids",)

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
            DraftChanged,
            DraftUnreadable,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def save(  # noqa: PLR0913, PLR0917  # each part of the request by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[SaveDraft],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
        known: NamedDependency[int | None],
    ) -> Response[DraftSaved]:
        """Save a draft of a bid, as often as wanted; only your organisation's bid managers see it.

        The first takes no If-Match; each later one the ETag of the one before.
        """
        place = commands.DraftPlace(tender_id, lot_number)
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
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[DraftView]:
        """Show the draft of your organisation's bid for a lot."""
        return tagged(await queries.draft(actor, vault, tender_id, lot_number))

    @delete(
        "/bid-draft",
        operation_id="discardDraft",
        status_code=200,
        responses=problems(Forbidden, NotFound, DraftChanged),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def discard(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> DraftDiscarded:
        """Discard a draft: nothing of what was in it is left."""
        place = commands.DraftPlace(tender_id, lot_number)
        return await commands.discard_draft(actor, place, version)

    @get(
        "/bid-draft/faults",
        operation_id="listDraftFaults",
        responses=problems(Forbidden, NotFound, DraftUnreadable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def faults(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[DraftFaults]:
        """List everything that the draft lacks at once, and whether a bid could be given now."""
        return tagged(await queries.missing(actor, vault, tender_id, lot_number))

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
            AmendedMeanwhile,
            DraftChanged,
            BidChanged,
            DraftUnreadable,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def submit(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Submit the draft: in one act it becomes your bid, or takes the place of the one you gave.

        It is sealed and acknowledged as any bid, and the draft is gone.
        """
        given = await commands.submit_draft(actor, vault, tender_id, lot_number, version)
        return tagged(given, 201)

    @get(
        "/my-bid",
        operation_id="getMyBidForLot",
        responses=problems(Forbidden, NotFound),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def my_bid(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> MyBid:
        """Say whether your bid is complete and stored, at any time, as the database has it now."""
        return await queries.my_bid_for(actor, vault, tender_id, lot_number)


CONTROLLERS = (DraftController,)
