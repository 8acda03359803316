"""HTTP about the tamper-evident log: for anybody, since trust in it is trust in nobody."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from market.actor import Actor, Scope
from market.errors import NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.transparency import queries
from market.transparency.errors import NoCheckpoint, NotSignedYet
from market.transparency.rules.merkle import MOST_LEAVES
from market.transparency.schemas import (
    CheckpointView,
    ConsistencyProof,
    EventProof,
    InclusionProof,
    LogKey,
    RestartView,
)
from market.vault import Vault

SignedSize = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=MOST_LEAVES,
        required=False,
        description="The size to prove under; the newest signed one unless said.",
    ),
]


class LogController(Controller):
    """Signed checkpoints of the log, and proofs under them (RFC 9162, C2SP tlog-checkpoint)."""

    path = "/log"
    tags = ("log",)
    opt = {"public": True, "scope": Scope.EVENTS_READ}  # noqa: RUF012  # read by the guard, never changed

    @get("/key", operation_id="getLogKey")
    async def key(self, actor: NamedDependency[Actor], vault: NamedDependency[Vault]) -> LogKey:
        """Give the name of the log and the key that verifies its checkpoints.

        Keep it: a verifier trusts the key it was given once, not the one it is offered today. It
        changes its name where the log was restarted: see listLogRestarts.
        """
        return await queries.log_key(actor, vault)

    @get("/restarts", operation_id="listLogRestarts")
    async def restarts(
        self, actor: NamedDependency[Actor], vault: NamedDependency[Vault]
    ) -> list[RestartView]:
        """Say whether the end of the log was ever lost, and up to where older checkpoints hold.

        After a restore that lost a tail the log goes on under a new origin, which declares for
        each former one what of it is kept, what is known to be lost, and why, in a signed note.
        """
        return await queries.list_restarts(actor, vault)

    @get(
        "/checkpoint",
        operation_id="getCheckpoint",
        media_type=MediaType.TEXT,
        responses=problems(NoCheckpoint),
    )
    async def checkpoint(self, actor: NamedDependency[Actor]) -> Response[str]:
        """Give the newest signed checkpoint, as a C2SP signed note in plain text.

        It commits to the whole history up to its size. Whoever keeps one can later prove that
        nothing before it was changed.
        """
        note = await queries.newest_checkpoint(actor)
        return Response(note, headers={"Cache-Control": "no-cache"})

    @get("/checkpoints", operation_id="listCheckpoints")
    async def checkpoints(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[CheckpointView]]:
        """List every checkpoint that was signed, the newest first, with its time stamp if any."""
        return linked(await queries.list_checkpoints(actor, limit=limit, cursor=cursor), request)

    @get(
        "/inclusion-proofs/{position:int}",
        operation_id="getInclusionProof",
        responses=problems(NotFound, NotSignedYet),
    )
    async def inclusion_proof(
        self,
        position: FromPath[int],
        actor: NamedDependency[Actor],
        size: SignedSize = None,
    ) -> InclusionProof:
        """Prove that the log holds a leaf at a position. The leaf itself says nothing."""
        return await queries.prove_inclusion(actor, position, size)

    @get(
        "/consistency-proofs/{old_size:int}",
        operation_id="getConsistencyProof",
        responses=problems(NotFound, NotSignedYet),
    )
    async def consistency_proof(
        self,
        old_size: FromPath[int],
        actor: NamedDependency[Actor],
        size: SignedSize = None,
    ) -> ConsistencyProof:
        """Prove that the log of one size is the beginning of that of another."""
        return await queries.prove_consistency(actor, old_size, size)

    @get(
        "/events/{event_id:uuid}/proof",
        operation_id="getEventProof",
        responses=problems(NotFound, NotSignedYet),
    )
    async def event_proof(
        self, event_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> EventProof:
        """Prove that an event of the feed is in the log under the newest checkpoint.

        Whoever sees the event whole can check who acted and what was said; anybody else that it
        happened, when and to what.
        """
        return await queries.prove_event(actor, event_id)


CONTROLLERS = (LogController,)
