"""HTTP about the opening: bidders' names, declarations, confirmations, envelopes, minutes."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import NotFound
from market.people.errors import FreshSignInNeeded
from market.problems import problems
from market.requests import KEYED
from market.vault import Vault
from tenders.commands import opening as commands
from tenders.commands import reading
from tenders.errors import (
    DUTY_REFUSALS,
    AlreadyConfirmed,
    BiddersNotKnown,
    ConflictOfInterest,
    DeclarationMissing,
    DeclarationsFaulty,
    EnvelopeAltered,
    ExtensionUndecided,
    KeysAwaited,
    KeysUnavailable,
    NotOpened,
    OpeningNotDue,
    OpeningRefused,
)
from tenders.queries import opening as queries
from tenders.schemas.minutes import MinutesView
from tenders.schemas.opening import (
    BidderView,
    ConfirmationGiven,
    DeclarationsView,
    DeclareAll,
    OpeningResumed,
)


class OpeningController(Controller):
    """From the names of the bidders to the opened quality envelopes."""

    path = "/tenders/{tender_id:uuid}"
    tags = ("opening",)

    @get(
        "/bidders",
        operation_id="listBidders",
        responses=problems(NotFound, *DUTY_REFUSALS, BiddersNotKnown),
    )
    async def list_bidders(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[BidderView]:
        """List who bids, by name alone, for those who must declare against them.

        After the deadline for openers and the conflicts guardian; for the panel once opened. That
        they were read is recorded.
        """
        return await reading.read_bidders(actor, tender_id)

    @post(
        "/declarations",
        operation_id="declareInterests",
        dependencies=KEYED,
        responses=problems(NotFound, *DUTY_REFUSALS, BiddersNotKnown, DeclarationsFaulty),
    )
    async def declare(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[DeclareAll],
        actor: NamedDependency[Actor],
    ) -> DeclarationsView:
        """Declare, for each bidder, whether one has an interest; "none" is an answer too.

        An interest takes one out of the tender until the conflicts guardian has decided, and a
        later "none" does not lift it.
        """
        return await commands.declare(actor, tender_id, data)

    @get(
        "/declarations",
        operation_id="listMyDeclarations",
        responses=problems(NotFound, *DUTY_REFUSALS, BiddersNotKnown),
    )
    async def list_declarations(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> DeclarationsView:
        """Show what one has declared in a tender, and against whom one still must."""
        return await queries.my_declarations(actor, tender_id)

    @post(
        "/opening-confirmations",
        operation_id="confirmOpening",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            OpeningNotDue,
            AlreadyConfirmed,
            OpeningRefused,
            ExtensionUndecided,
            EnvelopeAltered,
            KeysUnavailable,
            FreshSignInNeeded,
        ),
    )
    async def confirm(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> ConfirmationGiven:
        """Confirm the opening as an opener; the second one opens the quality envelopes."""
        return await commands.confirm_opening(actor, vault, tender_id)

    @post(
        "/opening",
        operation_id="resumeOpening",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            NotOpened,
            KeysAwaited,
            EnvelopeAltered,
            KeysUnavailable,
            FreshSignInNeeded,
        ),
    )
    async def resume(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> OpeningResumed:
        """Open the quality envelopes that an interrupted opening left sealed."""
        return await commands.resume_opening(actor, vault, tender_id)

    @get(
        "/opening",
        operation_id="getOpening",
        responses=problems(
            NotFound, *DUTY_REFUSALS, BiddersNotKnown, DeclarationMissing, ConflictOfInterest
        ),
    )
    async def get_minutes(
        self,
        tender_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> MinutesView:
        """Give the minutes: who confirmed, which bids stood, and what each envelope proved.

        With them, once the bids are open: when what stood was fixed, and whatever is stored
        otherwise since; bids that were withdrawn or lapsed, late attempts, interruptions; and the
        market's signed statement of all that names nobody. Suppliers' names are left out for those
        who score blind, until quality is locked. That the minutes were read is recorded.
        """
        return await reading.read_minutes(actor, vault, tender_id)


CONTROLLERS = (OpeningController,)
