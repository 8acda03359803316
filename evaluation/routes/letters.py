"""HTTP for letters about an award: a page to be read and printed, and a PDF."""

from uuid import UUID

from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.award_errors import LettersBusy, LetterTooLong
from evaluation.commands.reading import read_notice
from evaluation.queries.award_notice import award_notice
from evaluation.routes.letter_forms import content_security_policy, letter_page, letter_pdf
from evaluation.rules.award_notice import ContractAwardNotice
from evaluation.rules.letters import letter_about
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing

_REFUSALS = (NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest)


class PublicNoticeController(Controller):
    """What everybody is told of an award."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/contract-award-notice"
    tags = ("award",)

    @get(
        operation_id="getContractAwardNotice",
        responses=problems(NotFound),
        opt={"public": True},
    )
    async def get_notice(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> ContractAwardNotice:
        """Show the contract award notice, once every bidder has been told.

        Under the Procurement Act 2023 it is that of section 50, under the Public Contracts
        Regulations 2015 that of regulation 50.
        """
        return await award_notice(actor, tender_id, lot_number)


class LetterController(Controller):
    """The notice of one bidder, as its tender's rule set wants it."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/award-notices/{notice_id:uuid}"
    tags = ("award",)

    @get(
        "/page",
        operation_id="getAwardNoticePage",
        responses=problems(*_REFUSALS),
        media_type=MediaType.HTML,
    )
    async def get_page(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        notice_id: FromPath[UUID],
        actor: NamedDependency[Actor],
    ) -> Response[str]:
        """Show a notice as a page to be read and printed: a bidder's own, or by duty: recorded.

        Under the Public Contracts Regulations 2015 it is the notice of regulation 86, under the
        Procurement Act 2023 the assessment summary; both are made of the same record.
        """
        view = await read_notice(actor, tender_id, lot_number, notice_id)
        return Response(
            letter_page(letter_about(view.content, view.sent_at)),
            media_type=MediaType.HTML,
            headers={"Content-Security-Policy": content_security_policy()},
        )

    @get(
        "/document",
        operation_id="getAwardNoticeDocument",
        responses=problems(*_REFUSALS, LetterTooLong, LettersBusy),
        media_type="application/pdf",
        opt={"costly": True},
    )
    async def get_document(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        notice_id: FromPath[UUID],
        actor: NamedDependency[Actor],
    ) -> Response[bytes]:
        """Give the same notice as a tagged PDF (PDF/UA-1), the same bytes every time: recorded."""
        view = await read_notice(actor, tender_id, lot_number, notice_id)
        return Response(
            await letter_pdf(letter_about(view.content, view.sent_at)),
            media_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="award-notice-{notice_id}.pdf"'},
        )
