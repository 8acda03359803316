"""Whose turn it is: the notices from the first score to the contract, and to the bidders."""

from datetime import datetime, timedelta
from uuid import UUID

from market.actor import Actor, Role
from market.command import command
from market.events.commands import record
from market.people.commands import grant_role
from tests.makers.bids import declare, some_suppliers, submit
from tests.makers.clock import advance_to
from tests.makers.evaluation import (
    AGREED,
    approve,
    awarded_lot,
    contract_body,
    end_standstill,
    lot_to_score,
    moderated_lot,
    notified_lot,
    priced_lot,
    recommend,
    recommended_lot,
)
from tests.makers.noticing import Noticing, each, told
from tests.makers.recusals import decide_conflict
from tests.makers.tenders import assign, market_time, published_tender
from tests.makers.world import World


@command
async def _join(actor: Actor, person: UUID, organisation: UUID) -> None:
    await grant_role(actor, person, organisation, Role.BID_MANAGER)
    await record(actor, "membership.granted", "person", person)


async def test_scores_are_due_once_and_asked_for_again_after_a_week(
    world: World, notices: Noticing
) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    first = await notices.catch_up()
    assert told(first, "scores-due") == each("scores-due", one, other)
    assert {tuple(x.facts["lots"]) for x in first if x.kind == "scores-due"} == {(1,)}
    await lot.score_all(one)
    await lot.lock(one)
    await advance_to(world, await market_time(world) + timedelta(days=6, hours=23))
    assert told(await notices.catch_up(), "scores-due") == []
    await advance_to(world, await market_time(world) + timedelta(hours=2))
    again = await notices.catch_up()
    assert told(again, "scores-due") == each("scores-due", other)
    assert [x.facts["reminder"] for x in again if x.kind == "scores-due"] == [True]
    await advance_to(world, await market_time(world) + timedelta(days=30))
    assert told(await notices.catch_up(), "scores-due") == []


async def test_a_question_about_a_bid_is_told_to_its_bidder_and_not_what_it_is(
    world: World, notices: Noticing
) -> None:
    lot = await lot_to_score(world)
    await notices.catch_up()
    question = "Which of the two groups do you mean in the second paragraph?"
    until = await market_time(world) + timedelta(days=5)
    asked = await lot.tender.manager.post(
        f"{lot.path}/evaluation/bids/{lot.pseudonyms[1]}/questions",
        {"question": question, "answer_by": until.isoformat()},
    )
    assert asked.status_code == 201, asked.text
    fresh = await notices.catch_up()
    assert told(fresh) == each("bid-questioned", lot.suppliers[1])
    assert question not in str([one.facts for one in fresh])


async def test_moderation_is_due_when_the_last_evaluator_has_locked(
    world: World, notices: Noticing
) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    await lot.score_all(one)
    await lot.score_all(other)
    await lot.lock(one)
    assert told(await notices.catch_up(), "moderation-due") == []
    await lot.lock(other)
    fresh = await notices.catch_up()
    assert told(fresh) == each("moderation-due", lot.tender.moderator)
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    assert await notices.catch_up() == []


async def test_moderation_is_due_when_who_had_not_locked_is_out(
    world: World, notices: Noticing
) -> None:
    lot = await lot_to_score(world)
    third = await world.person("Ed Third", lot.tender.manager.organisation, Role.COMMISSIONER)
    given = await assign(lot.tender.manager, lot.tender.id, third, "quality_evaluator")
    assert given.status_code == 201, given.text
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator)
        await lot.lock(evaluator)
    await declare(third, lot.tender)
    await declare(lot.tender.guardian, lot.tender)
    assert told(await notices.catch_up(), "moderation-due") == []
    bidder = lot.suppliers[0]
    removed = await decide_conflict(lot.tender.guardian, lot.tender, third, bidder, "removed")
    assert removed.status_code == 201, removed.text
    assert told(await notices.catch_up()) == each("moderation-due", lot.tender.moderator)


async def test_prices_are_to_be_opened_once_quality_is_locked(
    world: World, notices: Noticing
) -> None:
    lot = await moderated_lot(world)
    await notices.catch_up()
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    fresh = await notices.catch_up()
    assert told(fresh) == each("quality-decided", lot.tender.price_evaluator)


async def test_a_lot_in_which_no_bid_passed_waits_for_its_manager(
    world: World, notices: Noticing
) -> None:
    lot = await moderated_lot(world, agreed=[AGREED[2]] * 3)
    await notices.catch_up()
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    assert told(await notices.catch_up()) == each("quality-decided", lot.tender.manager)


async def test_a_ranked_lot_waits_for_the_moderator_and_a_recommendation_for_the_approvers(
    world: World, notices: Noticing
) -> None:
    lot = await priced_lot(world)
    await notices.catch_up()
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    assert told(await notices.catch_up()) == each("recommendation-due", lot.tender.moderator)
    assert (await recommend(lot)).status_code == 201
    assert told(await notices.catch_up()) == each("approval-due", *lot.tender.approvers)


async def test_a_returned_recommendation_is_told_and_the_next_one_asked_for_anew(
    world: World, notices: Noticing
) -> None:
    lot = await recommended_lot(world)
    await notices.catch_up()
    returned = await approve(lot, lot.tender.approvers[0], "returned")
    assert returned.status_code == 201, returned.text
    fresh = await notices.catch_up()
    assert told(fresh) == each("recommendation-returned", lot.tender.moderator, lot.tender.manager)
    assert "how each score" not in str(fresh)
    assert (await recommend(lot)).status_code == 201
    assert told(await notices.catch_up()) == each("approval-due", *lot.tender.approvers)


async def test_an_award_waits_for_its_notices_and_the_outcome_goes_to_every_bidder(
    world: World, notices: Noticing
) -> None:
    lot = await recommended_lot(world)
    first, second, failed = lot.suppliers
    boss = await world.person("Al Administrator", second.organisation, Role.ADMINISTRATOR)
    await world.person("Au Auditor", second.organisation, Role.AUDITOR)
    await notices.catch_up()
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    assert told(await notices.catch_up()) == each("notices-due", lot.tender.manager)
    await lot.done(lot.tender.manager, "/award-notices")
    fresh = await notices.catch_up()
    assert told(fresh) == each("outcome", first, second, failed, boss)
    # the letter to the winner is the letter to the others
    assert len({str(one.letter) for one in fresh}) == 1
    assert "Supplier" not in str([one.facts for one in fresh])


async def test_a_person_of_two_bidders_gets_the_outcome_for_each(
    world: World, notices: Noticing
) -> None:
    lot = await recommended_lot(world)
    first, second, _ = lot.suppliers
    for approver in lot.tender.approvers:
        await approve(lot, approver)
    await _join(Actor(), first.id, second.organisation)
    await lot.done(lot.tender.manager, "/award-notices")
    fresh = [one for one in await notices.catch_up() if one.kind == "outcome"]
    assert {one.organisation for one in fresh if one.person == first.id} == {
        first.organisation,
        second.organisation,
    }


async def test_the_worker_reads_who_won_no_sooner_than_there_is_a_contract(
    world: World, notices: Noticing
) -> None:
    lot = await awarded_lot(world)
    assert await notices.worker.fetch("SELECT lot, bid FROM award") == []
    sent = await lot.done(lot.tender.manager, "/award-notices")
    assert await notices.worker.fetch("SELECT lot, bid FROM award") == []
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    won = await notices.worker.fetch("SELECT lot, bid FROM award")
    assert [row["lot"] for row in won] == [lot.id]


async def test_the_end_of_the_standstill_is_told_until_there_is_a_contract(
    world: World, notices: Noticing
) -> None:
    lot = await notified_lot(world)
    assert told(await notices.catch_up(), "standstill-over") == []
    await end_standstill(lot)
    fresh = await notices.catch_up()
    assert told(fresh, "standstill-over") == each(
        "standstill-over", lot.tender.contract_manager, lot.tender.manager
    )
    assert told(await notices.catch_up()) == []


async def test_a_contract_that_is_made_at_once_leaves_nothing_to_be_told_of_the_standstill(
    world: World, notices: Noticing
) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    fresh = await notices.catch_up()
    assert told(fresh, "standstill-over", "contract-made") == each(
        "contract-made", lot.tender.manager, lot.tender.guardian, lot.suppliers[0]
    )


async def test_a_lot_that_is_abandoned_while_bids_come_in_is_told_to_its_bidders(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    here, elsewhere = await some_suppliers(world, 2)
    await submit(here, tender, 1)
    await submit(elsewhere, tender, 2)
    await notices.catch_up()
    path = f"{tender.path}/lots/1/abandonment"
    done = await tender.manager.post(path, {"reason": "We do without it."}, version=1)
    assert done.status_code == 201, done.text
    fresh = await notices.catch_up()
    assert told(fresh) == each("lot-abandoned", here)
    assert fresh[0].facts["opened"] is False


async def test_a_lot_that_is_abandoned_after_the_award_says_that_it_was_open(
    world: World, notices: Noticing
) -> None:
    lot = await awarded_lot(world)
    await notices.catch_up()
    await lot.done(lot.tender.manager, "/abandonment", {"reason": "We do without it."})
    fresh = await notices.catch_up()
    assert told(fresh) == each("lot-abandoned", *lot.suppliers)
    assert {one.facts["opened"] for one in fresh} == {True}


async def test_a_manager_with_an_interest_is_not_asked_to_tell_the_bidders(
    world: World, notices: Noticing
) -> None:
    lot = await recommended_lot(world)
    await declare(lot.tender.manager, lot.tender, "financial", "Shares.")
    for approver in lot.tender.approvers:
        await approve(lot, approver)
    assert told(await notices.catch_up(), "notices-due") == []
