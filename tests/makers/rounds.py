"""Later rounds of a lot, made through HTTP by a panel that saw nothing of the earlier ones."""

from collections.abc import Mapping, Sequence

import msgspec

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.challenges import challenge, decide
from tests.makers.evaluation import EvaluatedLot
from tests.makers.tenders import assign
from tests.makers.world import Person

OVERTURNED: tuple[Mapping[str, str], ...] = (
    {"Q1.1": "10", "Q1.2": "5", "Q2": "5"},
    {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
    {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
)
"""What the fresh panel agrees: the bid that had failed is the best, and the cheapest."""


class FreshPanel(msgspec.Struct, kw_only=True):
    """Who scores and moderates a later round."""

    evaluators: tuple[Person, Person]
    moderator: Person


async def reopened(lot: EvaluatedLot) -> None:
    """Let the third supplier's challenge of a notified lot be upheld: its second round begins."""
    assert (await challenge(lot, lot.suppliers[2])).status_code == 201
    ended = await decide(lot, "upheld_reevaluate")
    assert ended.status_code == 201, ended.text


async def newcomer(lot: EvaluatedLot, name: str, duty: str) -> Person:
    """Somebody of the buyer who is given a duty now, and has no interest."""
    person = await lot.world.person(name, lot.tender.moderator.organisation, Role.COMMISSIONER)
    given = await assign(lot.tender.manager, lot.tender.id, person, duty)
    assert given.status_code == 201, given.text
    await declare(person, lot.tender)
    return person


async def fresh_panel(lot: EvaluatedLot) -> FreshPanel:
    """Two evaluators and a moderator who had no part in the earlier round."""
    return FreshPanel(
        evaluators=(
            await newcomer(lot, "Frida Fresh", "quality_evaluator"),
            await newcomer(lot, "Ferdinand Fresh", "quality_evaluator"),
        ),
        moderator=await newcomer(lot, "Mabel Fresh", "moderator"),
    )


async def decided_anew(
    lot: EvaluatedLot,
    panel: FreshPanel,
    agreed: Sequence[Mapping[str, str]] = OVERTURNED,
) -> None:
    """Score, moderate and lock the quality of the round."""
    for evaluator in panel.evaluators:
        await lot.score_all(evaluator, agreed)
        locked = await lot.lock(evaluator)
        assert locked.status_code == 201, locked.text
    await lot.score_all(panel.moderator, agreed, kind="agreed-scores")
    await lot.done(panel.moderator, "/evaluation/quality-lock")
