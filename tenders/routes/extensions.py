"""HTTP about proposals to extend a tender after an interruption of the market."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.commands.extensions import decide_extension
from tenders.errors import (
    DUTY_REFUSALS,
    AmendmentTooLate,
    ExtensionDecided,
    ExtensionFaulty,
)
from tenders.queries.extensions import proposals
from tenders.schemas.extensions import DecideExtension, ExtensionProposalView


class ExtensionController(Controller):
    """What follows from an outage in the last hour."""

    tags = ("opening",)

    @get(
        "/tenders/{tender_id:uuid}/extension-proposals",
        operation_id="listExtensionProposals",
        responses=problems(Forbidden, NotFound, *DUTY_REFUSALS),
    )
    async def list_proposals(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[ExtensionProposalView]:
        """List interruptions of the market that touched the last hour before the deadline.

        Each is a proposal to put the deadline off. Until all are decided nothing is opened.
        """
        return await proposals(actor, tender_id)

    @post(
        "/extension-proposals/{proposal_id:uuid}/decision",
        operation_id="decideExtension",
        dependencies=KEYED,
        responses=problems(
            ExtensionFaulty, NotFound, *DUTY_REFUSALS, ExtensionDecided, AmendmentTooLate
        ),
    )
    async def decide(
        self,
        proposal_id: FromPath[UUID],
        data: JSONBody[DecideExtension],
        actor: NamedDependency[Actor],
    ) -> ExtensionProposalView:
        """Put the deadline off by an amendment, told to all as any other, or say why not.

        The tender's manager decides, once. It is the one way in which a deadline moves after it has
        passed: the tender then takes bids again.
        """
        return await decide_extension(actor, proposal_id, data)


CONTROLLERS = (ExtensionController,)
