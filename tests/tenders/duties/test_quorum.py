"""The quorum of an award counts who may act now, and waits for the others."""

from typing import Any

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.conflicts import (
    colleague,
    decided,
    give,
    problem,
)
from tests.makers.evaluation import (
    approve,
    ranked_lot,
    recommend,
    recommended_lot,
)
from tests.makers.world import World


async def test_an_approval_counts_while_its_giver_is_unconflicted(world: World) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    officer, lay = tender.approvers
    await declare(tender.guardian, tender)
    assert (await approve(lot, officer)).json()["approved"] == 1
    await declare(officer, tender, "financial", "I hold shares in them.")
    progress = await lot.evaluation()
    assert any("approv" in item["what"] for item in progress["missing"])
    for one in lot.suppliers:
        await decided(tender.guardian, tender.id, officer, one.organisation, "may_discuss")
    second = await world.person("Lola Lay", officer.organisation, Role.LAY_MEMBER)
    assert (await give(tender.manager, tender.id, second, "award_approver")).status_code == 201
    await declare(second, tender)
    # the lay member's makes one, since the officer's does not count
    answer = (await approve(lot, lay)).json()
    assert (answer["approved"], answer["stage"]) == (1, "recommended")
    for one in lot.suppliers:
        await decided(tender.guardian, tender.id, officer, one.organisation, "no_action")
    answer = (await approve(lot, second)).json()
    assert (answer["approved"], answer["stage"]) == (3, "awarded")


async def test_an_approval_counts_again_after_a_decision_that_nothing_stands_against_it(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    officer, lay = tender.approvers
    await declare(tender.guardian, tender)
    assert (await approve(lot, officer)).status_code == 201
    await declare(officer, tender, "financial", "I hold shares in them.")
    for one in lot.suppliers:
        await decided(tender.guardian, tender.id, officer, one.organisation, "no_action")
    answer = (await approve(lot, lay)).json()
    assert (answer["approved"], answer["stage"]) == (2, "awarded")


async def test_when_everybody_has_answered_an_approval_that_counts_again_is_repeated(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    officer, lay = tender.approvers
    await declare(tender.guardian, tender)
    assert (await approve(lot, officer)).status_code == 201
    await declare(officer, tender, "financial", "I hold shares in them.")
    answer = (await approve(lot, lay)).json()
    assert (answer["approved"], answer["stage"]) == (1, "recommended")
    assert problem(await approve(lot, lay)) == (409, "decided-already")
    for one in lot.suppliers:
        await decided(tender.guardian, tender.id, officer, one.organisation, "no_action")
    assert problem(await approve(lot, lay, "returned")) == (409, "decided-already")
    again = (await approve(lot, lay)).json()
    assert (again["approved"], again["lay"], again["stage"]) == (2, True, "awarded")
    assert await superuser.fetchval("SELECT count(*) FROM approval") == 2


async def test_a_lay_member_who_is_recused_or_removed_leaves_the_award_waiting(
    world: World,
) -> None:
    lot = await ranked_lot(world)
    tender = lot.tender
    officer, lay = tender.approvers
    await declare(tender.guardian, tender)
    third = await colleague(world, "Agnes Approver")
    assert (await give(tender.manager, tender.id, third, "award_approver")).status_code == 201
    await declare(third, tender)
    await recommend(lot)
    assert (await approve(lot, lay)).status_code == 201
    await decided(tender.guardian, tender.id, lay, lot.suppliers[0].organisation, "removed")
    for person in (officer, third):
        answer = (await approve(lot, person)).json()
    assert (answer["approved"], answer["stage"]) == (2, "recommended")
    assert any("lay member" in item["what"] for item in (await lot.evaluation())["missing"])
