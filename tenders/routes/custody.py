"""HTTP about keys that officers keep: registered, shared, passed on, released, rehearsed."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import NotFound
from market.people.errors import FreshSignInNeeded
from market.problems import problems
from market.requests import KEYED
from market.vault import Vault
from tenders.commands import custody as commands
from tenders.errors import (
    DUTY_REFUSALS,
    AnotherOfficerNeeded,
    CanaryWrong,
    ConflictOfInterest,
    ContentKeysFaulty,
    DeclarationMissing,
    KeyReleased,
    KeysNotDue,
    NotWithOfficers,
    OfficerKeyRefused,
    SharePassed,
    ShareUnknown,
)
from tenders.queries import custody as queries
from tenders.schemas.custody import (
    GiveCanary,
    KeyRehearsed,
    KeysReleased,
    OfficerKeyView,
    PassShares,
    RegisterOfficerKey,
    ReleaseKeys,
    ReleasesDue,
    SharesPassed,
    SharesView,
)

_REFUSALS = (NotFound, *DUTY_REFUSALS, NotWithOfficers)
_RELEASING = (*_REFUSALS, DeclarationMissing, ConflictOfInterest)


class OfficerKeyController(Controller):
    """The keys by which the person who is signed in keeps those of tenders."""

    path = "/me/officer-keys"
    tags = ("custody",)

    @post(
        operation_id="registerOfficerKey",
        dependencies=KEYED,
        responses=problems(OfficerKeyRefused, FreshSignInNeeded),
    )
    async def register(
        self, data: JSONBody[RegisterOfficerKey], actor: NamedDependency[Actor]
    ) -> OfficerKeyView:
        """Register the public half of a key; the private half stays on one's own machine."""
        return await commands.register_officer_key(actor, data)

    @get(operation_id="listOfficerKeys")
    async def list_keys(self, actor: NamedDependency[Actor]) -> list[OfficerKeyView]:
        """List one's officer keys, the one that counts first."""
        return await queries.my_officer_keys(actor)


class CustodyController(Controller):
    """What officers do with the keys of one tender."""

    path = "/tenders/{tender_id:uuid}"
    tags = ("custody",)

    @get("/key-shares", operation_id="listKeyShares", responses=problems(*_REFUSALS))
    async def list_shares(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> SharesView:
        """List one's shares that are of use now: of the rehearsal, and of keys that are due."""
        return await queries.my_shares(actor, tender_id)

    @post(
        "/key-shares",
        operation_id="passKeyShares",
        dependencies=KEYED,
        responses=problems(*_RELEASING, ShareUnknown, SharePassed, KeysNotDue, FreshSignInNeeded),
    )
    async def pass_shares(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[PassShares],
        actor: NamedDependency[Actor],
    ) -> SharesPassed:
        """Pass on shares without their outer layer, each for one other officer to read."""
        return await commands.pass_shares(actor, tender_id, data)

    @get("/key-releases", operation_id="listKeyReleases", responses=problems(*_RELEASING))
    async def list_releases(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> ReleasesDue:
        """List the envelopes whose keys may be released now, by their heads alone.

        No content is given. That they were read is recorded.
        """
        return await commands.read_releases(actor, tender_id)

    @post(
        "/key-releases",
        operation_id="releaseKeys",
        dependencies=KEYED,
        responses=problems(
            *_RELEASING,
            ContentKeysFaulty,
            AnotherOfficerNeeded,
            KeysNotDue,
            KeyReleased,
            FreshSignInNeeded,
        ),
    )
    async def release(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[ReleaseKeys],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> KeysReleased:
        """Release content keys of envelopes that are due. Each is tried on its envelope first."""
        return await commands.release_keys(actor, vault, tender_id, data)

    @post(
        "/key-rehearsals",
        operation_id="rehearseKeys",
        dependencies=KEYED,
        responses=problems(*_REFUSALS, AnotherOfficerNeeded, CanaryWrong),
    )
    async def rehearse(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[GiveCanary],
        actor: NamedDependency[Actor],
    ) -> KeyRehearsed:
        """Show that two officers opened their tender's canary together. No bid is touched."""
        return await commands.rehearse_keys(actor, tender_id, data)


CONTROLLERS = (OfficerKeyController, CustodyController)
