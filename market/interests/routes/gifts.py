"""HTTP about gifts and hospitality."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.interests.commands import gifts as commands
from market.interests.commands import reading
from market.interests.errors import (
    ConsentDecidedAlready,
    ConsentGiven,
    CorrectedAlready,
    GuardiansEntry,
    NoRegister,
    NotOfThisOrganisation,
    NotYourEntry,
    NotYoursToDecide,
    NotYoursToReview,
    ReviewedAlready,
)
from market.interests.queries import gifts as queries
from market.interests.queries.registers import public_gifts
from market.interests.routes.forms import (
    MOST_ROWS,
    FormWanted,
    NameSought,
    gifts_in_form,
    is_table,
)
from market.interests.schemas.gifts import (
    CorrectGift,
    DeclareGift,
    EditionView,
    GiftView,
    ReviewGift,
)
from market.interests.schemas.interests import DecideOnConsent
from market.interests.schemas.registers import PublicGift
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED


class GiftController(Controller):
    """Offers of gifts and hospitality, accepted or declined."""

    tags = ("gifts",)

    @post(
        "/organisations/{organisation_id:uuid}/gifts",
        operation_id="declareGift",
        dependencies=KEYED,
        responses=problems(NoRegister, NotYourEntry, NotOfThisOrganisation, Malformed),
    )
    async def declare(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[DeclareGift],
        actor: NamedDependency[Actor],
    ) -> GiftView:
        """Declare an offer, and learn what the guidance in force that day asked for."""
        return await commands.declare_gift(actor, organisation_id, data)

    @get("/me/gifts", operation_id="listMyGifts")
    async def list_mine(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[GiftView]]:
        """List every offer declared by or about oneself, corrected versions included."""
        return linked(await queries.my_gifts(actor, cursor, limit), request)

    @get("/gifts/{gift_id:uuid}", operation_id="getGift", responses=problems(NotFound))
    async def read(self, gift_id: FromPath[UUID], actor: NamedDependency[Actor]) -> GiftView:
        """Show an offer to its recipient, guardian, auditors and lay members; it is recorded."""
        return await reading.read_gift(actor, gift_id)

    @post(
        "/gifts/{gift_id:uuid}/corrections",
        operation_id="correctGift",
        dependencies=KEYED,
        responses=problems(NotFound, NotYourEntry, GuardiansEntry, CorrectedAlready, Malformed),
    )
    async def correct(
        self, gift_id: FromPath[UUID], data: JSONBody[CorrectGift], actor: NamedDependency[Actor]
    ) -> GiftView:
        """Correct an offer by a new version. Needs no If-Match: a version is corrected once."""
        return await commands.correct_gift(actor, gift_id, data)

    @post(
        "/gifts/{gift_id:uuid}/review",
        operation_id="reviewGift",
        dependencies=KEYED,
        responses=problems(
            NotFound, NotYoursToReview, CorrectedAlready, ReviewedAlready, Malformed
        ),
    )
    async def review(
        self, gift_id: FromPath[UUID], data: JSONBody[ReviewGift], actor: NamedDependency[Actor]
    ) -> GiftView:
        """Give or refuse senior approval. A guardian or lay member does this for others."""
        return await commands.review_gift(actor, gift_id, data)

    @post(
        "/gifts/{gift_id:uuid}/consent-decision",
        operation_id="decideOnGiftConsent",
        dependencies=KEYED,
        responses=problems(
            NotFound, NotYoursToDecide, ConsentGiven, ConsentDecidedAlready, Malformed
        ),
    )
    async def decide(
        self,
        gift_id: FromPath[UUID],
        data: JSONBody[DecideOnConsent],
        actor: NamedDependency[Actor],
    ) -> GiftView:
        """Decide whether an offer whose publication was refused is withheld, as guardian."""
        return await commands.decide_on_gift_consent(actor, gift_id, data)

    @get(
        "/organisations/{organisation_id:uuid}/register-of-gifts",
        operation_id="getRegisterOfGifts",
        responses=problems(NoRegister),
        opt={"public": True, "csv": True},
    )
    async def public_register(  # noqa: PLR0913  # the filters of one list
        self,
        *,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        q: NameSought = None,
        form: FormWanted = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[PublicGift]]:
        """List the offers made to decision-making staff, by name, for everybody.

        An offer stays listed for six months after it was offered, received or declared, whichever
        came last. As a table (`Accept: text/csv` or `form=csv`) the register comes whole.
        """
        table = is_table(request, form)
        page = await public_gifts(
            actor,
            organisation_id,
            words=q,
            cursor=cursor,
            limit=MOST_ROWS if table else limit,
        )
        return gifts_in_form(page, request, table=table)

    @get(
        "/organisations/{organisation_id:uuid}/register-of-gifts/private",
        operation_id="getPrivateRegisterOfGifts",
        responses=problems(NoRegister, Forbidden),
    )
    async def private_register(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[GiftView]]:
        """List every offer, for guardian, auditors and lay members. Reading it is recorded."""
        page = await reading.read_private_gifts(actor, organisation_id, cursor, limit)
        return linked(page, request)

    @get("/gift-thresholds", operation_id="listGiftThresholds", opt={"public": True})
    async def thresholds(self) -> list[EditionView]:
        """List what each edition of the guidance asks for, by kind, source and value."""
        return queries.editions()
