"""HTTP about the record of an evaluation: read whole, reported on, disclosed."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.challenge_errors import BundleTooLarge, DisclosedTooEarly, RecipientDidNotBid
from evaluation.commands import disclosure
from evaluation.commands.recording import read_evaluation_record, read_procurement_report
from evaluation.errors import ChangedMeanwhile, LotNotThere, ReasonTooShort
from evaluation.rules.markdown import report_in_markdown
from evaluation.schemas.disclosure import BundleView, Disclose
from evaluation.schemas.procurement_report import ProcurementReport
from evaluation.schemas.record import EvaluationRecord
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing

_REFUSALS = problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest, LotNotThere)


class RecordController(Controller):
    """The record of a lot's evaluation."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/evaluation-record"
    tags = ("record",)

    @get(operation_id="getEvaluationRecord", responses=_REFUSALS)
    async def get_record(
        self, tender_id: FromPath[UUID], lot_number: FromPath[int], actor: NamedDependency[Actor]
    ) -> EvaluationRecord:
        """Give everything that the evaluation of a lot left behind, exact and whole.

        For the tender's manager, guardian, award approvers, outcome reviewer and the buyers'
        auditors, once the lot is awarded or given up; that it is read is recorded. From it anybody
        entitled computes the ranking again: `tests/evaluation/recompute.py` does.
        """
        return await read_evaluation_record(actor, tender_id, lot_number)


class ReportController(Controller):
    """The written report on a procurement."""

    path = "/tenders/{tender_id:uuid}/procurement-report"
    tags = ("record",)

    @get(operation_id="getProcurementReport", responses=_REFUSALS)
    async def get_report(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> ProcurementReport:
        """Report on a procurement, item by item as its law asks, from the record alone.

        Regulation 84(1) of the Public Contracts Regulations 2015, or what section 98 of the
        Procurement Act 2023 asks to be kept. For those who read the record, as soon as a lot is
        awarded or given up; that it is read is recorded.
        """
        return await read_procurement_report(actor, tender_id)

    @get(
        "/text",
        operation_id="getProcurementReportText",
        media_type="text/markdown",
        responses=_REFUSALS,
    )
    async def get_text(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[str]:
        """The same report as a text to be read and filed, in Markdown."""
        report = await read_procurement_report(actor, tender_id)
        about = (f"Reference: {report.reference}", f"Law: {report.law}")
        text = report_in_markdown(report.title, about, report.items, report.pending)
        return Response(text, media_type="text/markdown")


class DisclosureController(Controller):
    """Bundles of disclosure, as a challenge asks for them."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/disclosure-bundles"
    tags = ("record",)

    @post(
        operation_id="discloseRecord",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            DisclosedTooEarly,
            RecipientDidNotBid,
            BundleTooLarge,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def disclose(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[Disclose],
        actor: NamedDependency[Actor],
    ) -> BundleView:
        """Disclose the record of a lot's evaluation in one act, as the tender manager.

        What the recipient is not given is withheld by rule and listed. The bundle is kept as it
        was handed over, and its SHA-256 goes into the log.
        """
        return await disclosure.disclose(actor, tender_id, lot_number, data)

    @get(operation_id="listDisclosureBundles", responses=_REFUSALS)
    async def list_bundles(
        self, tender_id: FromPath[UUID], lot_number: FromPath[int], actor: NamedDependency[Actor]
    ) -> list[BundleView]:
        """List what was disclosed of a lot, to whom and why; for those who read the record."""
        return await disclosure.read_bundles(actor, tender_id, lot_number)

    @get(
        "/{number:int}",
        operation_id="getDisclosureBundle",
        media_type="application/zip",
        responses=_REFUSALS,
    )
    async def get_bundle(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[bytes]:
        """Download a bundle, byte by byte as it was handed over; that it is read is recorded."""
        content = await disclosure.read_bundle(actor, tender_id, lot_number, number)
        name = f"disclosure-lot-{lot_number}-{number}.zip"
        return Response(
            content,
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
