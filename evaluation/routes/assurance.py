"""HTTP about answering for a tender: the assurance report, the register of decisions."""

from typing import cast
from uuid import UUID

from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.commands.reading import read_report
from evaluation.queries.decisions import procurement_decisions
from evaluation.routes.assurance_page import content_security_policy, page
from evaluation.routes.decisions_table import COLUMNS, row
from evaluation.schemas.assurance import AssuranceReport
from evaluation.schemas.decisions import ProcurementDecision
from market.actor import Actor
from market.errors import Forbidden, NotFound
from market.interests.routes.forms import FormWanted, is_table
from market.interests.rules.spreadsheets import comma_separated
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from tenders.errors import DutyNotTakenUp


class AssuranceController(Controller):
    """Who did what in a tender, by which duty and with which interests."""

    path = "/tenders/{tender_id:uuid}/assurance-report"
    tags = ("assurance",)

    @get(
        operation_id="getAssuranceReport",
        responses=problems(NotFound, Forbidden, DutyNotTakenUp),
        opt={"public": True},
    )
    async def get_report(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> AssuranceReport:
        """Answer for a tender: who did what with which interests, and whether anything is amiss.

        Computed when asked for. Manager, guardian and the buyers' auditors read it at any time,
        without what is withheld from them then, and everybody once the bidders of every lot have
        been told: to the public, losing bidders are not named and words about interests not given.
        That manager, guardian or auditor read it is recorded.
        """
        return await read_report(actor, tender_id)

    @get(
        "/page",
        operation_id="getAssuranceReportPage",
        responses=problems(NotFound, Forbidden, DutyNotTakenUp),
        media_type=MediaType.HTML,
        opt={"public": True},
    )
    async def get_page(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[str]:
        """The same report as a page to be read and printed, with the digest that matches it."""
        return Response(
            page(await read_report(actor, tender_id)),
            media_type=MediaType.HTML,
            headers={"Content-Security-Policy": content_security_policy()},
        )


class DecisionController(Controller):
    """The register of procurement decisions that every buying body keeps."""

    path = "/organisations/{organisation_id:uuid}/procurement-decisions"
    tags = ("assurance",)

    @get(
        operation_id="listProcurementDecisions",
        responses=problems(NotFound),
        opt={"public": True, "csv": True},
    )
    async def list_decisions(  # noqa: PLR0913  # the parameters of one list
        self,
        *,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        form: FormWanted = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ProcurementDecision]]:
        """List the lots an organisation bought, alone or with others, the latest first.

        Each with its value to this organisation, who decided by which method, and the conflicts of
        interest noted, by kind, with how they were managed. As a table (`Accept: text/csv` or
        `form=csv`) the same page for a spreadsheet.
        """
        found = await procurement_decisions(actor, organisation_id, limit=limit, cursor=cursor)
        answer = linked(found, request)
        answer.headers["Vary"] = "Accept"
        if not is_table(request, form):
            return answer
        written = Response(
            comma_separated(COLUMNS, [row(item) for item in found.items]),
            media_type="text/csv",
            headers={
                **answer.headers,
                "Content-Disposition": 'attachment; filename="procurement-decisions.csv"',
            },
        )
        # the handler's type is its documented form; a table is said of it in the OpenAPI document
        return cast("Response[Page[ProcurementDecision]]", written)
