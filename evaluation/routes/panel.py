"""HTTP about the panel of a lot: who scores what, and what it agreed."""

from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.commands import moderation
from evaluation.commands import panel as commands
from evaluation.errors import (
    BidNotOpened,
    ChangedMeanwhile,
    DissentedAlready,
    LotNotThere,
    ModerationTooEarly,
    NoSuchCriterion,
    NothingToDissentFrom,
    PanelFaulty,
    ReasonTooShort,
    ReplacementWithoutReason,
    ScoredSeatsStay,
)
from evaluation.queries import panel as queries
from evaluation.routes.quality import ByPseudonym
from evaluation.schemas.moderation import ModerationMinutes
from evaluation.schemas.panel import PanelView, SetPanel
from evaluation.schemas.scores import Dissent, DissentRecorded
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED, tagged
from tenders.errors import (
    DUTY_REFUSALS,
    ConflictOfInterest,
    DeclarationMissing,
    DutyNotTakenUp,
    DutySuspended,
)


class PanelController(Controller):
    """Who scores what in a lot."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/panel"
    tags = ("evaluation",)

    @get(operation_id="getPanel", responses=problems(NotFound, DutyNotTakenUp, DutySuspended))
    async def get_panel(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[PanelView]:
        """Show who scores what in a lot, and how far they are, to people with a duty.

        The ETag is the version that setting the panel needs. No score is shown.
        """
        return tagged(await queries.panel(actor, tender_id, lot_number))

    @put(
        operation_id="setPanel",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            PanelFaulty,
            ReplacementWithoutReason,
            ScoredSeatsStay,
            ChangedMeanwhile,
        ),
    )
    async def set_panel(  # each parameter of the request by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[SetPanel],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[PanelView]:
        """Assign evaluators to the criteria of a lot, as its tender manager; replaces the panel."""
        return tagged(await commands.set_panel(actor, tender_id, lot_number, version, data))


class ModerationController(Controller):
    """What the panel agreed, and who does not share it."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("evaluation",)

    @get(
        "/moderation-minutes",
        operation_id="getModerationMinutes",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            ModerationTooEarly,
        ),
    )
    async def get_minutes(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        pseudonym: ByPseudonym = None,
    ) -> ModerationMinutes:
        """Show who was there and, per criterion and bid, scores, discussion, consensus, dissent.

        From the moment all have locked; `flagged` says where the scores lie further apart than was
        published. That it was read is recorded.
        """
        return await moderation.read_moderation(actor, tender_id, lot_number, pseudonym=pseudonym)

    @post(
        "/evaluation/bids/{pseudonym:str}/dissents",
        operation_id="recordDissent",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            BidNotOpened,
            NoSuchCriterion,
            NothingToDissentFrom,
            DissentedAlready,
            ReasonTooShort,
        ),
    )
    async def record_dissent(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        data: JSONBody[Dissent],
        actor: NamedDependency[Actor],
    ) -> DissentRecorded:
        """Record that one does not share an agreed score, and why, as one of its evaluators."""
        return await moderation.dissent(actor, tender_id, lot_number, pseudonym, data)
