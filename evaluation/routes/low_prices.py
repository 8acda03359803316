"""HTTP about prices that appear abnormally low: explanations and decisions."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.award_errors import ExplanationAwaited, LowPriceDecidedAlready, NotInRanking
from evaluation.commands import low_prices, reading
from evaluation.errors import (
    ChangedMeanwhile,
    LotNotThere,
    QuestionDeadlineFaulty,
    ReasonTooShort,
)
from evaluation.schemas.clarifications import BidderAsked
from evaluation.schemas.low_prices import (
    AskForExplanation,
    DecideLowPrice,
    LowPriceDecided,
    PriceExplanations,
)
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED, tagged
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class LowPriceController(Controller):
    """Ranked prices that appear abnormally low."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/price-explanations"
    tags = ("evaluation",)

    @get(
        operation_id="listPriceExplanations",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_explanations(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[PriceExplanations]:
        """Show the prices that appear abnormally low, how each was explained and decided. Recorded.

        Flags follow from the indicators that the requirement published, in exact fractions.
        """
        return tagged(await reading.read_explanations(actor, tender_id, lot_number))

    @post(
        operation_id="askForPriceExplanation",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotInRanking,
            LowPriceDecidedAlready,
            QuestionDeadlineFaulty,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def ask(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[AskForExplanation],
        actor: NamedDependency[Actor],
    ) -> BidderAsked:
        """Ask a bidder to explain its price; it answers under `/bids/{id}/questions`.

        The bid is not recommended until it is decided whether the price is accepted.
        """
        return await low_prices.ask_for_explanation(actor, tender_id, lot_number, data)

    @post(
        "/decisions",
        operation_id="decideLowPrice",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NotInRanking,
            ExplanationAwaited,
            LowPriceDecidedAlready,
            ReasonTooShort,
        ),
    )
    async def decide(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[DecideLowPrice],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[LowPriceDecided]:
        """Accept a price as explained, or reject it; then the bid drops out of the ranking."""
        decided = await low_prices.decide_low_price(actor, tender_id, lot_number, version, data)
        return tagged(decided, status_code=201)
