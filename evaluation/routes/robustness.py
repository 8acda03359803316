"""HTTP about how firmly a ranking stands: the report, and its charts."""

import asyncio
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from evaluation.commands.reading import read_for_robustness
from evaluation.rules.robustness.charts import CHARTS, chart
from evaluation.rules.robustness.draws import Variation
from evaluation.rules.robustness.report import robustness
from evaluation.schemas.robustness import RobustnessView, view_of
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing

_SUFFIX = ".svg"
_REFUSALS = problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest)
Seed = Annotated[
    int,
    QueryParameter(ge=0, le=2**53 - 1, description="The seed of the draws; each gives its own."),
]


class RobustnessController(Controller):
    """How firmly a ranking stands."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/robustness"
    tags = ("evaluation",)

    @get(operation_id="getRobustness", responses=_REFUSALS, opt={"costly": True})
    async def get_report(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        seed: Seed = 0,
    ) -> RobustnessView:
        """Say how firmly the ranking stands: it alters nothing. Recorded.

        Who would be first without each bid; the exact weights of price at which the winner changes;
        how often each wins when weights and scores vary; dominated bids; the single marks that
        would change the winner; how well evaluators agreed, and who marked harshly or leniently.
        """
        found = await read_for_robustness(actor, tender_id, lot_number)
        # exact fractions and 100,000 draws take a while: beside the other requests
        report = await asyncio.to_thread(robustness, found.ranked, Variation(seed=seed))
        base = f"/api/v1/tenders/{tender_id}/lots/{lot_number}/robustness/charts"
        charts = [f"{base}/{name}{_SUFFIX}" for name in CHARTS]
        return view_of(tender_id, lot_number, found.number, report, charts)

    @get(
        "/charts/{chart_file:str}",
        operation_id="getRobustnessChart",
        media_type="image/svg+xml",
        responses=_REFUSALS,
        opt={"costly": True},
    )
    async def get_chart(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        chart_file: FromPath[str],
        actor: NamedDependency[Actor],
        seed: Seed = 0,
    ) -> Response[str]:
        """Draw a chart of the report as SVG: totals, win-frequencies, price-weights or leniency.

        The name ends in .svg. Recorded as the report is.
        """
        name = chart_file.removesuffix(_SUFFIX)
        found = await read_for_robustness(actor, tender_id, lot_number)
        if not chart_file.endswith(_SUFFIX) or name not in CHARTS:
            raise NotFound
        report = await asyncio.to_thread(robustness, found.ranked, Variation(seed=seed))
        return Response(
            chart(name, report),
            media_type="image/svg+xml",
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )
