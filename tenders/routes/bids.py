"""HTTP about sealed bids: giving, replacing, withdrawing, and the keys they rest on."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor, Scope
from market.errors import Forbidden, NotFound
from market.keys.queries import published_keys
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from market.signing import PublicKeySet
from market.vault import Vault
from tenders.commands import bids as commands
from tenders.commands import sealed_bids
from tenders.errors import (
    AlreadyBid,
    AmendedMeanwhile,
    BidChanged,
    BiddingClosed,
    BidIncomplete,
    HelperMayNotBid,
    NotAdmitted,
    NothingToWithdraw,
    NotSealed,
    ParticipantsFaulty,
    SealedForAnotherVersion,
    VariantRefused,
)
from tenders.queries import bids as queries
from tenders.schemas.bids import (
    BidGiven,
    BidSummary,
    BidView,
    BidWithdrawn,
    GiveBid,
    GiveSealedBid,
    SealingKeyView,
)


class TenderBidController(Controller):
    """Bidding in a tender."""

    path = "/tenders/{tender_id:uuid}"
    tags = ("bids",)

    @post(
        "/lots/{lot_number:int}/bids",
        operation_id="submitBid",
        dependencies=KEYED,
        responses=problems(
            BidIncomplete,
            Forbidden,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            AmendedMeanwhile,
            VariantRefused,
            AlreadyBid,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def submit_bid(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[GiveBid],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Give a sealed bid for a lot, whole, before the deadline.

        It is checked for completeness, sealed to the keys of the lot, and acknowledged by a signed
        receipt with the time of receipt by the market's clock. Repeat the request with the same
        Idempotency-Key whenever the answer was lost: also after the deadline it gets the receipt.
        """
        given = await commands.submit_bid(actor, vault, tender_id, lot_number, data)
        return tagged(given, 201)

    @post(
        "/lots/{lot_number:int}/sealed-bids",
        operation_id="submitSealedBid",
        dependencies=KEYED,
        responses=problems(
            NotSealed,
            ParticipantsFaulty,
            Forbidden,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            AmendedMeanwhile,
            VariantRefused,
            AlreadyBid,
            SealedForAnotherVersion,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def submit_sealed_bid(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[GiveSealedBid],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Give a bid for a lot that was sealed before sending, for version 1.

        The market cannot look inside, so it does not check that the bid is complete; the receipt
        says that. At the opening, an envelope that does not open, is not what it commits to or
        does not fit the lot is recorded as that, and its bid is excluded.
        """
        given = await sealed_bids.submit_sealed_bid(actor, vault, tender_id, lot_number, data)
        return tagged(given, 201)

    @get(
        "/keys",
        operation_id="listSealingKeys",
        responses=problems(NotFound),
        opt={"public": True, "scope": Scope.OPPORTUNITIES_READ},
    )
    async def list_keys(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[SealingKeyView]:
        """List the public keys that bids for each lot of a published tender are sealed to.

        They are all it takes to seal a bid before sending it, with what each says of the layout.
        """
        return await queries.sealing_keys(actor, tender_id)


class BidController(Controller):
    """The bids of one's own organisation."""

    path = "/bids"
    tags = ("bids",)

    @get(
        operation_id="listMyBids",
        responses=problems(Forbidden),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def list_bids(
        self,
        actor: NamedDependency[Actor],
        request: AnyRequest,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[BidSummary]]:
        """List the bids of the organisation one manages bids for, the latest first."""
        return linked(await queries.my_bids(actor, limit, cursor), request)

    @get(
        "/{bid_id:uuid}",
        operation_id="getMyBid",
        responses=problems(NotFound),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def get_bid(
        self, bid_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[BidView]:
        """Show one of the organisation's bids with every version and its receipt.

        The content is sealed: nobody is shown it before the opening, its bidder neither.
        """
        return tagged(await queries.my_bid(actor, bid_id))

    @put(
        "/{bid_id:uuid}",
        operation_id="replaceBid",
        dependencies=KEYED,
        responses=problems(
            BidIncomplete,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            AmendedMeanwhile,
            VariantRefused,
            BidChanged,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def replace_bid(
        self,
        bid_id: FromPath[UUID],
        data: JSONBody[GiveBid],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Replace a bid whole, or give a withdrawn one again, before the deadline."""
        return tagged(await commands.replace_bid(actor, vault, bid_id, version, data))

    @put(
        "/{bid_id:uuid}/sealed-bid",
        operation_id="replaceBySealedBid",
        dependencies=KEYED,
        responses=problems(
            NotSealed,
            ParticipantsFaulty,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            AmendedMeanwhile,
            SealedForAnotherVersion,
            VariantRefused,
            BidChanged,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def replace_by_sealed_bid(
        self,
        bid_id: FromPath[UUID],
        data: JSONBody[GiveSealedBid],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidGiven]:
        """Replace a bid by one that was sealed before sending, for the version after it."""
        given = await sealed_bids.replace_by_sealed_bid(actor, vault, bid_id, version, data)
        return tagged(given)

    @delete(
        "/{bid_id:uuid}",
        operation_id="withdrawBid",
        status_code=200,
        dependencies=KEYED,
        responses=problems(
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            NothingToWithdraw,
            BidChanged,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def withdraw_bid(
        self,
        bid_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[BidWithdrawn]:
        """Withdraw a bid before the deadline, and get a signed receipt for that."""
        return tagged(await commands.withdraw_bid(actor, vault, bid_id, version))


class SigningKeyController(Controller):
    """The market's public keys."""

    path = "/signing-keys"
    tags = ("bids",)

    @get(operation_id="listSigningKeys", opt={"public": True, "scope": Scope.BIDS_READ})
    async def list_signing_keys(
        self, actor: NamedDependency[Actor], vault: NamedDependency[Vault]
    ) -> PublicKeySet:
        """Give the public keys that receipts and notices verify with, as a JSON Web Key Set.

        The current key first, then retired ones with their times.
        """
        return await published_keys(actor, vault)


CONTROLLERS = (TenderBidController, BidController, SigningKeyController)
