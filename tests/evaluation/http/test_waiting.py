"""Recusals one after another: the lot waits, says for whom, and goes on with a replacement."""

from typing import Any
from uuid import UUID

from market.actor import Role
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.evaluation import (
    AGREED,
    EvaluatedLot,
    approve,
    locked_lot,
    lot_to_score,
    ranked_lot,
    recommend,
    recommended_lot,
    scored_lot,
)
from tests.makers.tenders import PublishedTender, assign, offer, published_tender, take_up
from tests.makers.world import Person, World


async def _recuse(lot: EvaluatedLot, person: Person) -> None:
    await declare(person, lot.tender, "financial", "I hold shares in it.")


async def _replacement(
    lot: EvaluatedLot, duty: str, role: Role = Role.COMMISSIONER, name: str = "Rosa Replacement"
) -> Person:
    """Somebody who has been given the duty, taken it up, and declared no interest."""
    person = await lot.world.person(name, await lot.world.organisation("06F"), role)
    assert (await assign(lot.tender.manager, lot.tender.id, person, duty)).status_code == 201
    await declare(person, lot.tender)
    return person


async def _waits(lot: EvaluatedLot, person: Person | None = None) -> list[str]:
    """What waits because too few are left, as somebody sees it."""
    view = await lot.evaluation(person)
    found = [item["what"] for item in view["missing"] if "waits: " in item["what"]]
    for what in found:
        assert "Supplier" not in what  # people are named, bidders never
    return found


async def _decide(lot: EvaluatedLot, person: Person, outcome: str) -> None:
    """Let the guardian decide about the person's interest in every bidder."""
    guardian = lot.tender.guardian
    await declare(guardian, lot.tender)
    for supplier in lot.suppliers:
        body = {
            "person": str(person.id),
            "bidder": str(supplier.organisation),
            "outcome": outcome,
            "reason": "The holding is a small part of a fund.",
        }
        answer = await guardian.post(f"{lot.tender.path}/conflict-decisions", body)
        assert answer.status_code == 201, answer.text


async def test_a_recused_approver_makes_the_award_wait_and_a_replacement_lets_it_go_on(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    assert await _waits(lot) == []
    await _recuse(lot, officer)
    [what] = await _waits(lot)
    assert what == (
        "The award waits: two unconflicted award approvers are needed and one is left; recused:"
        " Alan Approver (interest in a bidder). Give the duty of award approver to another person,"
        " or let the conflicts guardian decide."
    )
    assert (await approve(lot, officer)).status_code == 403
    assert (await approve(lot, lay)).json()["stage"] == "recommended"
    rosa = await world.person(
        "Rosa Replacement", await world.organisation("06F"), Role.COMMISSIONER
    )
    offered = await offer(lot.tender.manager, lot.tender.id, rosa, "award_approver")
    assert offered.status_code == 201
    assert "Rosa Replacement has still to declare on taking the duty." in (await _waits(lot))[0]
    assert (await take_up(rosa, lot.tender.id)).status_code == 201
    assert await _waits(lot) == []
    await declare(rosa, lot.tender)
    assert (await approve(lot, rosa)).json()["stage"] == "awarded"


async def test_without_an_unconflicted_lay_member_the_award_waits_for_one(world: World) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    assert (await approve(lot, officer)).status_code == 201
    second = await _replacement(lot, "award_approver")
    assert (await approve(lot, second)).json()["stage"] == "recommended"
    await _recuse(lot, lay)
    [what] = await _waits(lot)
    assert what.startswith("The award waits: an unconflicted lay member is needed among")
    assert "recused: Lily Lay (interest in a bidder)" in what
    third = await _replacement(lot, "award_approver", Role.LAY_MEMBER, "Leo Lay")
    assert await _waits(lot) == []
    assert (await approve(lot, third)).json()["stage"] == "awarded"


async def test_an_approval_does_not_count_once_its_giver_is_recused_and_does_when_excused(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    assert (await approve(lot, officer)).status_code == 201
    await _recuse(lot, officer)
    assert "Alan Approver (interest in a bidder)" in (await _waits(lot))[0]
    await _decide(lot, officer, "may_discuss")
    assert (
        "Alan Approver (interest in a bidder, may discuss and not decide)" in (await _waits(lot))[0]
    )
    # they read on, as they read the bids
    assert "Alan Approver" in (await _waits(lot, officer))[0]
    await _decide(lot, officer, "must_leave")
    assert "must leave" in (await _waits(lot))[0]
    await _decide(lot, officer, "no_action")
    assert await _waits(lot) == []
    assert (await approve(lot, lay)).json()["stage"] == "awarded"


async def test_the_wait_shows_at_the_ranking_already(world: World) -> None:
    lot = await ranked_lot(world)
    await _recuse(lot, lot.tender.approvers[0])
    await _recuse(lot, lot.tender.lay_member)
    quorum, lay = await _waits(lot)
    assert "needed and none is left; recused: Alan Approver (" in quorum
    assert "Lily Lay (interest in a bidder)" in lay
    await _recuse(lot, lot.tender.moderator)
    [first, *_] = await _waits(lot, lot.tender.quality_evaluators[0])
    assert first.startswith("The recommendation waits: one unconflicted moderator is needed")
    mona = await _replacement(lot, "moderator")
    assert len(await _waits(lot, mona)) == 2
    body = {"pseudonym": lot.pseudonyms[0], "reason": "It has the most points of all the bids."}
    assert (await mona.post(f"{lot.path}/recommendations", body)).status_code == 201


async def test_somebody_removed_or_no_longer_a_member_is_out_too(
    world: World, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    officer, lay = lot.tender.approvers
    await declare(officer, lot.tender, "financial", "I hold shares in it.")
    await declare(lot.tender.guardian, lot.tender)
    body = {
        "person": str(officer.id),
        "bidder": str(lot.suppliers[0].organisation),
        "outcome": "removed",
        "reason": "The interest is too large to be managed.",
    }
    removed = await lot.tender.guardian.post(f"{lot.tender.path}/conflict-decisions", body)
    assert removed.status_code == 201, removed.text
    assert "Alan Approver (removed from the tender)" in (await _waits(lot))[0]
    await _end_membership(superuser, lay)
    [quorum, _] = await _waits(lot)
    assert "Lily Lay (the duty is suspended)" in quorum
    assert (await recommend(lot)).status_code == 201
    officer, lay = (
        await _replacement(lot, "award_approver"),
        await _replacement(lot, "award_approver", Role.LAY_MEMBER, "Leo Lay"),
    )
    assert await _waits(lot) == []
    assert (await approve(lot, officer)).status_code == 201
    assert (await approve(lot, lay)).json()["stage"] == "awarded"


async def _end_membership(superuser: Any, person: Person) -> None:
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (action, subject_kind, subject, request, details)"
            " VALUES ('membership.ended', 'person', $1, 'test', '{}')",
            person.id,
        )
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", person.id
        )


async def test_scoring_waits_for_evaluators_and_the_moderator_is_replaced(world: World) -> None:
    lot = await lot_to_score(world)
    eve, emil = lot.tender.quality_evaluators
    await _recuse(lot, eve)
    [what] = await _waits(lot)
    assert what.startswith("Find 1 more quality evaluators. The scoring waits: two unconflicted")
    assert "one is left; recused: Eve Evaluator (interest in a bidder)" in what
    await _recuse(lot, emil)
    assert "none is left; recused: Emil Evaluator" in (await _waits(lot))[0]
    evaluators = [
        await _replacement(lot, "quality_evaluator", name=name) for name in ("Ena", "Ewan")
    ]
    assert await _waits(lot) == []
    await _recuse(lot, lot.tender.moderator)
    [waits] = await _waits(lot, evaluators[0])
    assert waits.startswith("The moderation waits: one unconflicted moderator is needed")
    moderator = await _replacement(lot, "moderator")
    for evaluator in evaluators:
        await lot.score_all(evaluator, AGREED)
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(moderator, AGREED, kind="agreed-scores")
    await lot.done(moderator, "/evaluation/quality-lock")
    assert await _waits(lot, moderator) == []


async def test_prices_wait_for_a_price_evaluator_before_and_after_they_are_opened(
    world: World,
) -> None:
    lot = await locked_lot(world)
    await _recuse(lot, lot.tender.price_evaluator)
    [waits] = await _waits(lot)
    assert waits.startswith("The opening of prices waits: one unconflicted price evaluator is")
    second = await _replacement(lot, "price_evaluator")
    assert await _waits(lot) == []
    await lot.done(second, "/evaluation/price-opening")
    await _recuse(lot, second)
    [waits] = await _waits(lot)
    assert waits.startswith("The ranking waits: one unconflicted price evaluator is needed and")
    third = await _replacement(lot, "price_evaluator", name="Piers Price")
    await lot.done(third, "/evaluation/ranking")
    assert await _waits(lot) == []


async def test_a_closed_tender_names_who_is_out_to_openers_and_guardian_alone(
    world: World,
) -> None:
    tender = await published_tender(world, lots=1)
    [supplier] = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    olive, oscar = tender.openers
    path = f"{tender.path}/lots/1/evaluation"

    async def waits(person: Person) -> list[str]:
        view = (await person.get(path)).json()
        return [item["what"] for item in view["missing"][1:]]

    for person in tender.everybody():
        if person.organisation == tender.manager.organisation:
            assert await waits(person) == []
    await declare(olive, tender, "indirect", "My brother works for it.")
    await declare(oscar, tender)
    await declare(tender.guardian, tender)
    for person in (oscar, tender.guardian):
        [what] = await waits(person)
        assert "two unconflicted openers are needed and one is left; recused: Olive" in what
    [what] = await waits(tender.manager)
    assert "one is left. The conflicts guardian knows who is out." in what
    assert "Olive" not in what
    for person in (tender.moderator, *tender.quality_evaluators, tender.author, olive):
        assert "Olive" not in (await person.get(path)).text, person.name
        if person is not olive:
            assert await waits(person) == []
    await _opens_instead(world, tender, oscar)
    assert (await tender.manager.get(path)).json()["stage"] == "quality_scoring"


async def _opens_instead(world: World, tender: PublishedTender, other: Person) -> None:
    replacement = await world.person(
        "Orla Opener", await world.organisation("06F"), Role.COMMISSIONER
    )
    given = await assign(tender.manager, tender.id, replacement, "opener")
    assert given.status_code == 201, given.text
    await declare(replacement, tender)
    for person in (other, replacement):
        assert (await confirm(person, tender)).status_code == 201


async def test_who_is_out_is_told_to_nobody_without_a_duty_or_with_an_interest(
    world: World, app_role: Any
) -> None:
    lot = await scored_lot(world)
    await _recuse(lot, lot.tender.quality_evaluators[0])
    stranger = await world.person(
        "Sam Stranger", await world.organisation("06P"), Role.COMMISSIONER
    )
    duties = ["quality_evaluator", "opener"]

    async def seen(person: Person) -> list[UUID]:
        async with app_role.transaction():
            await app_role.execute(
                "SELECT set_config('market.person', $1, true),"
                " set_config('market.organisation', $2, true)",
                str(person.id),
                str(person.organisation),
            )
            rows = await app_role.fetch(
                "SELECT person FROM panel_standing($1, VARIADIC $2::text[])", lot.id, duties
            )
            assert await app_role.fetchval("SELECT openers_left($1)", lot.id) is None
        return [row["person"] for row in rows]

    assert len(await seen(lot.tender.moderator)) == 4
    for person in (stranger, lot.suppliers[0], lot.tender.quality_evaluators[0]):
        assert await seen(person) == []
