"""A duty that was not taken up, or is suspended, shows nothing of the evaluation and says why."""

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.evaluation import lot_to_score
from tests.makers.sign_in import problem
from tests.makers.tenders import offer
from tests.makers.world import World


async def test_progress_is_not_shown_before_the_duty_is_taken_up(world: World) -> None:
    lot = await lot_to_score(world)
    late = await world.person("Lena Late", await world.organisation("06F"), Role.COMMISSIONER)
    given = await offer(lot.tender.manager, lot.tender.id, late, "contract_manager")
    assert given.status_code == 201, given.text
    problem(await late.get(f"{lot.path}/evaluation"), 403, "duty-not-taken-up")


async def test_progress_is_not_shown_to_somebody_who_was_removed(world: World) -> None:
    lot = await lot_to_score(world)
    tender, out = lot.tender, lot.tender.contract_manager
    decision = {
        "person": str(out.id),
        "bidder": str(lot.suppliers[0].organisation),
        "outcome": "removed",
        "reason": "He told a bidder what the panel thought.",
    }
    await declare(tender.guardian, tender)
    decided = await tender.guardian.post(f"{tender.path}/conflict-decisions", decision)
    assert decided.status_code == 201, decided.text
    problem(await out.get(f"{lot.path}/evaluation"), 403, "duty-suspended")
    problem(await out.get(f"{tender.path}/bidders"), 403, "duty-suspended")
