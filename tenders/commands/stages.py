"""The one way a tender changes: a conditional update that counts its version up."""

from market.database import execute
from market.errors import Stale
from tenders.permissions.tenders import TenderFacts, ensure_stage
from tenders.rules.stages import TRANSITIONS, RedraftStage, TenderStage


async def move(facts: TenderFacts, following: TenderStage, *, to: str) -> None:
    """Bring a tender that is held to another stage; `to` completes the reason of a refusal.

    Raises:
        TransitionRefused: the tender is not at a stage from which that can be done.
        Stale: it was changed since it was read.
    """
    earlier = {stage for stage, later in TRANSITIONS.items() if following in later}
    ensure_stage(facts, earlier, to=to)
    touched = await execute(
        "UPDATE tender SET stage = $3, version = version + 1 WHERE id = $1 AND version = $2",
        facts.id,
        facts.version,
        following.value,
    )
    if not touched:
        raise Stale


async def move_redraft(facts: TenderFacts, following: RedraftStage) -> None:
    """Bring the changed requirement of a published tender that is held to another stage.

    Raises:
        Stale: the tender was changed since it was read.
    """
    touched = await execute(
        "UPDATE tender SET redraft = $3, version = version + 1 WHERE id = $1 AND version = $2",
        facts.id,
        facts.version,
        following.value,
    )
    if not touched:
        raise Stale


async def count_up(facts: TenderFacts) -> None:
    """Give a tender that is held its next version, for a change beside its own row.

    Raises:
        Stale: it was changed since it was read.
    """
    touched = await execute(
        "UPDATE tender SET version = version + 1 WHERE id = $1 AND version = $2",
        facts.id,
        facts.version,
    )
    if not touched:
        raise Stale
