"""HTTP about declared interests: one's own, a guardian's entries, what is done about them."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Malformed, NotFound
from market.interests.commands import interests as commands
from market.interests.commands import reading
from market.interests.errors import (
    ConsentDecidedAlready,
    ConsentGiven,
    CorrectedAlready,
    EndedAlready,
    GuardiansEntry,
    NoRegister,
    NotAgreedWithAnother,
    NotALineManager,
    NotOfThisOrganisation,
    NotYourEntry,
    NotYoursToDecide,
    NotYoursToMitigate,
)
from market.interests.queries import interests as queries
from market.interests.schemas.interests import (
    CorrectInterest,
    DecideOnConsent,
    DeclareInterest,
    EndInterest,
    InterestHistory,
    InterestView,
    RecordMitigation,
)
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED


class InterestController(Controller):
    """Interests, as they are declared, corrected and ended."""

    tags = ("interests",)

    @post(
        "/organisations/{organisation_id:uuid}/interests",
        operation_id="declareInterest",
        dependencies=KEYED,
        responses=problems(
            NoRegister, NotYourEntry, NotOfThisOrganisation, NotALineManager, Malformed
        ),
    )
    async def declare(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[DeclareInterest],
        actor: NamedDependency[Actor],
    ) -> InterestView:
        """Declare an interest in the register of the organisation one acts for.

        Due within 28 days of becoming aware; a later declaration is accepted and marked as late.
        """
        return await commands.declare_interest(actor, organisation_id, data)

    @get("/me/interests", operation_id="listMyInterests")
    async def list_mine(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[InterestView]]:
        """List everything declared by or about oneself, corrected versions included."""
        return linked(await queries.my_interests(actor, cursor, limit), request)

    @get("/interests/{interest_id:uuid}", operation_id="getInterest", responses=problems(NotFound))
    async def read(
        self, interest_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> InterestHistory:
        """Show an interest with every version of it. Reading it is recorded."""
        return await reading.read_interest(actor, interest_id)

    @post(
        "/interests/{interest_id:uuid}/corrections",
        operation_id="correctInterest",
        dependencies=KEYED,
        responses=problems(
            NotFound, NotYourEntry, GuardiansEntry, CorrectedAlready, NotALineManager, Malformed
        ),
    )
    async def correct(
        self,
        interest_id: FromPath[UUID],
        data: JSONBody[CorrectInterest],
        actor: NamedDependency[Actor],
    ) -> InterestView:
        """Correct an interest by a new version. Needs no If-Match: a version is corrected once."""
        return await commands.correct_interest(actor, interest_id, data)

    @post(
        "/interests/{interest_id:uuid}/ending",
        operation_id="endInterest",
        dependencies=KEYED,
        responses=problems(
            NotFound, NotYourEntry, GuardiansEntry, CorrectedAlready, EndedAlready, Malformed
        ),
    )
    async def end(
        self,
        interest_id: FromPath[UUID],
        data: JSONBody[EndInterest],
        actor: NamedDependency[Actor],
    ) -> InterestView:
        """Record that an interest has ended. It stays public for six months, kept for six years."""
        return await commands.end_interest(actor, interest_id, data)

    @post(
        "/interests/{interest_id:uuid}/mitigations",
        operation_id="recordMitigation",
        dependencies=KEYED,
        responses=problems(NotFound, NotYoursToMitigate, NotAgreedWithAnother, Malformed),
    )
    async def mitigate(
        self,
        interest_id: FromPath[UUID],
        data: JSONBody[RecordMitigation],
        actor: NamedDependency[Actor],
    ) -> InterestView:
        """Record what is done about an interest. The guardian or the line manager does this."""
        return await commands.record_mitigation(actor, interest_id, data)

    @post(
        "/interests/{interest_id:uuid}/consent-decision",
        operation_id="decideOnConsent",
        dependencies=KEYED,
        responses=problems(
            NotFound, NotYoursToDecide, ConsentGiven, ConsentDecidedAlready, Malformed
        ),
    )
    async def decide(
        self,
        interest_id: FromPath[UUID],
        data: JSONBody[DecideOnConsent],
        actor: NamedDependency[Actor],
    ) -> InterestView:
        """Decide whether an interest whose publication was refused is withheld, as guardian."""
        return await commands.decide_on_consent(actor, interest_id, data)
