"""HTTP about documents of bids: uploaded in parts, removed; read once their bid is opened."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Response, delete, get, head, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, HeaderParameter, JSONBody
from litestar.response import Stream

from market.actor import Actor, Scope
from market.document_settings import LARGEST_SENDING
from market.documents.handling import Documents
from market.documents.kinds import MediaType
from market.documents.scanning import ScannerUnavailable
from market.documents.store import StoreUnavailable
from market.errors import Forbidden, NotFound, TooLarge
from market.observation.errors import WrongContentType
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED
from tenders.commands import completing as completion
from tenders.commands import documents as commands
from tenders.commands import opened_documents as opened
from tenders.errors import (
    DUTY_REFUSALS,
    BiddersNotKnown,
    BiddingClosed,
    ConflictOfInterest,
    DeclarationMissing,
    HelperMayNotBid,
    KeysUnavailable,
    NotAdmitted,
)
from tenders.errors.documents import (
    DocumentComplete,
    DocumentDigestWrong,
    DocumentFaulty,
    DocumentIdTaken,
    DocumentInfected,
    DocumentKindWrong,
    DocumentListed,
    DocumentsFull,
    DocumentUnusable,
    UploadChanged,
    UploadOffsetWrong,
    UploadUnfinished,
)
from tenders.queries import documents as queries
from tenders.schemas.documents import (
    BeginDocument,
    DocumentBegun,
    DocumentCompleted,
    DocumentGone,
    DocumentProgress,
    DocumentView,
    OpenedDocumentView,
)

_OF_PARTS = ("application/offset+octet-stream", "application/octet-stream")
_OWN = (NotFound, BiddingClosed, KeysUnavailable)
_READ = (NotFound, *DUTY_REFUSALS, BiddersNotKnown, DeclarationMissing, ConflictOfInterest)

UploadOffset = Annotated[
    int,
    HeaderParameter(
        name="Upload-Offset", ge=0, le=2**31, description="Where in the document the body begins."
    ),
]


async def provide_documents(state: State) -> Documents:
    """The store of documents and their scanner, as opened at start."""
    documents = state["documents"]
    if not isinstance(documents, Documents):
        message = "The store of documents is not open."
        raise TypeError(message)
    return documents


HANDLED = {"documents": Provide(provide_documents)}


_SHOWN_NOWHERE = "default-src 'none'; sandbox; frame-ancestors 'none'"
_SAVED = ResponseSpec(
    data_container=bytes,
    generate_examples=False,
    media_type=MediaType.PDF,
    description="The document, under its own media type, as an attachment.",
)


@dataclass
class _Bytes(Operation):
    """A body that no Struct describes: the next bytes of a document."""

    def __post_init__(self) -> None:
        """Describe it."""
        anything = OpenAPIMediaType(
            schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        )
        self.request_body = RequestBody(
            required=True,
            description="The bytes that follow what has come, as many as one likes up to 8 MiB.",
            content=dict.fromkeys(_OF_PARTS, anything),
        )


@dataclass
class _Saved(Operation):
    """An answer under whichever media type a document may have."""

    def __post_init__(self) -> None:
        """Describe it."""
        given = (self.responses or {}).get("200")
        if isinstance(given, OpenAPIResponse) and given.content:
            given.content = dict.fromkeys(MediaType, given.content[MediaType.PDF])


async def _arriving(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body as it comes; a connection that breaks ends it, and what came counts.

    Raises:
        TooLarge: more came than one request may send, whatever is set.
    """
    try:
        async for chunk in request.stream():
            yield chunk
    except RequestEntityTooLarge as error:
        raise TooLarge from error
    except InternalServerException:  # what Litestar makes of a sender who went away
        return


class LotDocumentController(Controller):
    """Documents for an organisation's bid for a lot."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("documents",)
    dependencies = HANDLED  # read by Litestar, never changed

    @post(
        "/documents",
        operation_id="beginDocument",
        dependencies=KEYED,
        responses=problems(
            DocumentFaulty,
            Forbidden,
            NotAdmitted,
            HelperMayNotBid,
            NotFound,
            BiddingClosed,
            DocumentsFull,
            DocumentIdTaken,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def begin(  # what Litestar hands in, each by its name
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[BeginDocument],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> DocumentBegun:
        """Begin to upload a document for one envelope of a bid, before the deadline.

        Send it to `/bid-documents/{id}` in parts, complete it, and list it in the bid.
        """
        return await commands.begin_document(actor, documents, tender_id, lot_number, data)

    @get(
        "/documents",
        operation_id="listMyDocuments",
        responses=problems(Forbidden, KeysUnavailable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def list_documents(  # noqa: PLR0913, PLR0917  # as above
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
        request: AnyRequest,
        limit: PageLimit = LIMIT,
        cursor: PageCursor = None,
    ) -> Response[Page[DocumentView]]:
        """List the documents that one's organisation uploaded for a lot, the latest first."""
        page = await queries.my_documents(
            actor, documents.custodian, tender_id, lot_number, limit=limit, cursor=cursor
        )
        return linked(page, request)

    @get(
        "/bids/{pseudonym:str}/documents",
        operation_id="listOpenedDocuments",
        responses=problems(*_READ),
    )
    async def list_opened(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        actor: NamedDependency[Actor],
    ) -> list[OpenedDocumentView]:
        """List the documents of an opened bid, for those who read the envelopes that list them.

        That they were read is recorded.
        """
        return await opened.list_opened(actor, tender_id, lot_number, pseudonym)

    @get(
        "/bids/{pseudonym:str}/documents/{document_id:uuid}",
        operation_id="readOpenedDocument",
        operation_class=_Saved,
        responses={
            200: _SAVED,
            **problems(
                *_READ, DocumentUnusable, KeysUnavailable, StoreUnavailable, ScannerUnavailable
            ),
        },
    )
    async def read_opened(  # noqa: PLR0913, PLR0917  # as above
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        document_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> Stream:
        """Give a document of an opened bid, to be saved; that it was read is recorded.

        The first reader has it looked through: what is not the document that the bid lists is
        written down as such, and not given.
        """
        at = opened.At(lot_number=lot_number, pseudonym=pseudonym, document=document_id)
        found = await opened.read_document(actor, documents, tender_id, at)
        one = found.listed
        return Stream(
            opened.contents(documents, found),
            media_type=one.media_type.value,
            headers={
                "Content-Length": str(one.size),
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(one.name, safe='')}",
                "Content-Security-Policy": _SHOWN_NOWHERE,
                "Cache-Control": "no-store",
            },
        )


class DocumentController(Controller):
    """One's own organisation's documents."""

    path = "/bid-documents/{document_id:uuid}"
    tags = ("documents",)
    dependencies = HANDLED  # as above

    @get(
        operation_id="getMyDocument",
        responses=problems(NotFound, KeysUnavailable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def show(
        self,
        document_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> Response[DocumentView]:
        """Show one of the organisation's documents and how much of it has come."""
        view = await queries.my_document(actor, documents.custodian, document_id)
        return Response(view, headers=_standing(view.offset, view.size))

    @head(
        operation_id="askUploadOffset",
        status_code=204,
        responses=problems(NotFound, KeysUnavailable),
        opt={"scope": Scope.BIDS_READ, "submission": True},
    )
    async def ask(
        self,
        document_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> Response[None]:
        """Say in `Upload-Offset` where the upload stands, and so where to go on."""
        view = await queries.my_document(actor, documents.custodian, document_id)
        return Response(None, headers=_standing(view.offset, view.size))

    @patch(
        operation_id="sendDocumentPart",
        responses=problems(
            *_OWN,
            DocumentComplete,
            UploadOffsetWrong,
            UploadChanged,
            TooLarge,
            WrongContentType,
            StoreUnavailable,
        ),
        operation_class=_Bytes,
        request_max_body_size=LARGEST_SENDING,
        opt={"scope": Scope.BIDS_WRITE, "submission": True, "media_types": _OF_PARTS},
    )
    async def send(  # as above
        self,
        document_id: FromPath[UUID],
        offset: UploadOffset,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> Response[DocumentProgress]:
        """Send the next bytes of a document, from `Upload-Offset` on.

        What came before a connection broke counts: ask where the upload stands, and go on there.
        """
        body = _arriving(request)
        progress = await commands.receive(actor, documents, document_id, offset, body)
        return Response(progress, headers=_standing(progress.offset, progress.size))

    @post(
        "/completion",
        operation_id="completeDocument",
        dependencies=KEYED,
        responses=problems(
            *_OWN,
            UploadUnfinished,
            UploadChanged,
            DocumentDigestWrong,
            DocumentKindWrong,
            DocumentInfected,
            StoreUnavailable,
            ScannerUnavailable,
        ),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def complete(
        self,
        document_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> DocumentCompleted:
        """Complete a document that has come whole: it is looked through and sealed.

        What is not as announced, or infected, is not kept, and the upload begins anew at 0.
        """
        return await completion.complete_document(actor, documents, document_id)

    @delete(
        operation_id="removeDocument",
        status_code=200,
        responses=problems(NotFound, BiddingClosed, DocumentListed),
        opt={"scope": Scope.BIDS_WRITE, "submission": True},
    )
    async def remove(
        self,
        document_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        documents: NamedDependency[Documents],
    ) -> DocumentGone:
        """Remove a document that no version of a bid lists, before the deadline."""
        return await commands.remove_document(actor, documents, document_id)


def _standing(offset: int, size: int) -> dict[str, Any]:
    return {"Upload-Offset": str(offset), "Upload-Length": str(size), "Cache-Control": "no-store"}


CONTROLLERS = (LotDocumentController, DocumentController)
