"""HTTP about prices: opening those of bids that passed, and the ranking."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.commands import prices, reading
from evaluation.errors import LotNotThere, NoBidPassed, NothingToRank
from evaluation.schemas.progress import LotMoved
from evaluation.schemas.ranking import RankingView
from market.actor import Actor
from market.errors import NotFound
from market.people.errors import FreshSignInNeeded
from market.problems import problems
from market.requests import tagged
from market.vault import Vault
from tenders.errors import (
    DUTY_REFUSALS,
    ConflictOfInterest,
    DeclarationMissing,
    KeysAwaited,
    KeysUnavailable,
)


class PriceController(Controller):
    """From the locked quality of a lot to its ranking."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/evaluation"
    tags = ("evaluation",)

    @post(
        "/price-opening",
        operation_id="openPrices",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NoBidPassed,
            KeysAwaited,
            KeysUnavailable,
            FreshSignInNeeded,
        ),
    )
    async def open_prices(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[LotMoved]:
        """Open the prices of the bids that passed; the others stay sealed for ever.

        An interrupted opening goes on when the request is repeated with the same version.
        """
        moved = await prices.open_prices(actor, vault, tender_id, lot_number, version)
        return tagged(moved, status_code=201)

    @post(
        "/ranking",
        operation_id="rankBids",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NothingToRank,
        ),
    )
    async def rank(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[LotMoved]:
        """Rank the bids by the published method, in exact fractions, once."""
        moved = await prices.rank(actor, tender_id, lot_number, version)
        return tagged(moved, status_code=201)

    @get(
        "/ranking",
        operation_id="getRanking",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def get_ranking(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[RankingView]:
        """Show the ranking with every figure exact, and the bids that were not ranked. Recorded."""
        return tagged(await reading.read_ranking(actor, tender_id, lot_number))
