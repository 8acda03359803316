"""HTTP about the registers of interests: the public one, the private part, what may be removed."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from market.actor import Actor
from market.errors import Forbidden
from market.interests.commands import reading
from market.interests.errors import NoRegister
from market.interests.queries.registers import public_interests
from market.interests.routes.forms import (
    MOST_ROWS,
    FormWanted,
    NameSought,
    interests_in_form,
    is_table,
)
from market.interests.schemas.interests import InterestView
from market.interests.schemas.registers import PublicInterest, RecordPastKeeping
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems


class RegisterController(Controller):
    """The registers of interests that an organisation keeps."""

    path = "/organisations/{organisation_id:uuid}"
    tags = ("interests",)

    @get(
        "/register-of-interests",
        operation_id="getRegisterOfInterests",
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
    ) -> Response[Page[PublicInterest]]:
        """List the interests of decision-making staff, by name, for everybody.

        An interest stays listed for six months after it has ended, and its holder's for six months
        after they have left. Of what is withheld nothing is shown but whose it is. As a table
        (`Accept: text/csv` or `form=csv`) the register comes whole.
        """
        table = is_table(request, form)
        page = await public_interests(
            actor,
            organisation_id,
            words=q,
            cursor=cursor,
            limit=MOST_ROWS if table else limit,
        )
        return interests_in_form(page, request, table=table)

    @get(
        "/register-of-interests/private",
        operation_id="getPrivateRegisterOfInterests",
        responses=problems(NoRegister, Forbidden),
    )
    async def private_register(  # noqa: PLR0913  # the filters of one list
        self,
        *,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        undecided: Annotated[
            bool,
            QueryParameter(description="Only where a refusal of consent waits for the guardian."),
        ] = False,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[InterestView]]:
        """List every interest, for the guardian and auditors. Reading it is recorded."""
        page = await reading.read_private_register(
            actor, organisation_id, undecided=undecided, cursor=cursor, limit=limit
        )
        return linked(page, request)

    @get(
        "/records-past-keeping",
        operation_id="listRecordsPastKeeping",
        responses=problems(NoRegister, Forbidden),
    )
    async def past_keeping(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[RecordPastKeeping]]:
        """List records that need not be kept any longer: six years have passed since their end."""
        page = await reading.read_past_keeping(actor, organisation_id, cursor, limit)
        return linked(page, request)
