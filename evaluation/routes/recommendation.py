"""HTTP for the report on a recommendation: as data, as a page and as a PDF."""

from uuid import UUID

from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.award_errors import LettersBusy, LetterTooLong
from evaluation.commands.reading import read_recommendation
from evaluation.routes.letter_forms import content_security_policy, letter_page, letter_pdf
from evaluation.rules.recommendation import RecommendationReport
from evaluation.rules.recommendation_letter import letter_of
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing

_REFUSALS = (NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest)


class RecommendationReportController(Controller):
    """What approvers decide on."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/recommendation-report"
    tags = ("award",)

    @get(
        operation_id="getRecommendationReport",
        responses=problems(*_REFUSALS),
        opt={"costly": True},
    )
    async def get_report(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> RecommendationReport:
        """Report on the latest recommendation, to moderators, award approvers and the guardian.

        Ranking, agreed scores with their reasons, margin and the single marks that would change the
        first place, bids that failed or dropped out, prices that appear abnormally low, conflicts
        and dissent. Recorded.
        """
        return await read_recommendation(actor, tender_id, lot_number)

    @get(
        "/page",
        operation_id="getRecommendationReportPage",
        responses=problems(*_REFUSALS),
        media_type=MediaType.HTML,
        opt={"costly": True},
    )
    async def get_page(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[str]:
        """Show the same report as a page to be read and printed: recorded."""
        report = await read_recommendation(actor, tender_id, lot_number)
        return Response(
            letter_page(letter_of(report)),
            media_type=MediaType.HTML,
            headers={"Content-Security-Policy": content_security_policy()},
        )

    @get(
        "/document",
        operation_id="getRecommendationReportDocument",
        responses=problems(*_REFUSALS, LetterTooLong, LettersBusy),
        media_type="application/pdf",
        opt={"costly": True},
    )
    async def get_document(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[bytes]:
        """Give the same report as a tagged PDF (PDF/UA-1): recorded."""
        report = await read_recommendation(actor, tender_id, lot_number)
        name = f"recommendation-{report.recommendation.number}-lot-{lot_number}.pdf"
        return Response(
            await letter_pdf(letter_of(report)),
            media_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
