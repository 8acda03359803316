"""HTTP about prices: opening those of bids that passed, and the ranking."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from evaluation.award_errors import (
    MethodUndefined,
    NoBidPassed,
    NothingToRank,
    NotInRanking,
)
from evaluation.challenge_errors import LotOnHold
from evaluation.commands import prices, ranking, reading
from evaluation.errors import LotNotThere
from evaluation.schemas.progress import LotMoved
from evaluation.schemas.ranking import DropOut, DroppedOut, RankingView
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
            MethodUndefined,
            KeysUnavailable,
        ),
    )
    async def rank(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
        vault: NamedDependency[Vault],
    ) -> Response[LotMoved]:
        """Rank the bids by the published method, in exact fractions, once."""
        moved = await ranking.rank(actor, vault, tender_id, lot_number, version)
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
        number: Annotated[int | None, QueryParameter(ge=1, le=1_000)] = None,
    ) -> Response[RankingView]:
        """Show a ranking with every figure exact, and the bids that were not ranked. Recorded.

        By default the latest, which counts; an earlier one by its number.
        """
        return tagged(await reading.read_ranking(actor, tender_id, lot_number, number))


class DropOutController(Controller):
    """Bids that drop out between the ranking and the contract."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/drop-outs"
    tags = ("evaluation",)

    @post(
        operation_id="dropBidOut",
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            LotOnHold,
            NotInRanking,
        ),
    )
    async def drop_out(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[DropOut],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[DroppedOut]:
        """Record that a ranked bid dropped out; the rest is ranked by the published rule.

        Figures are frozen or computed again, as the requirement says. Recommendation, approvals,
        award, notices and standstill are given anew.
        """
        gone = await ranking.drop_out(actor, tender_id, lot_number, version, data)
        return tagged(gone, status_code=201)
