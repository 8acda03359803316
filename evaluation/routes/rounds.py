"""HTTP about the rounds of a lot's evaluation."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.commands.rounds import read_round
from evaluation.queries import rounds as queries
from evaluation.schemas.rounds import RoundsView, RoundView
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class RoundController(Controller):
    """The rounds of a lot: a challenge that is upheld begins the next."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/rounds"
    tags = ("evaluation",)

    @get(
        operation_id="listRounds",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_rounds(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> RoundsView:
        """List the rounds of a lot, with the rankings of each; the last one counts.

        Hidden from the fresh panel of a later round until it has locked the quality of the lot.
        """
        return await queries.rounds(actor, tender_id, lot_number)

    @get(
        "/{number:int}",
        operation_id="getRound",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def get_round(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> RoundView:
        """Show a superseded round as it was: its decisions, and every score with its reason."""
        return await read_round(actor, tender_id, lot_number, number)
