"""Who is told of a challenge, of its decision, and of what follows."""

from tests.makers.challenges import challenge, decide
from tests.makers.evaluation import notified_lot
from tests.makers.noticing import Noticing, each, told
from tests.makers.rounds import reopened
from tests.makers.world import World


async def test_a_challenge_is_told_to_who_decides_it_and_to_every_bidder(
    world: World, notices: Noticing
) -> None:
    lot = await notified_lot(world)
    await notices.catch_up()
    await challenge(lot)
    fresh = await notices.catch_up()
    tender = lot.tender
    assert told(fresh, "challenge-to-decide", "lot-on-hold") == sorted(
        each("challenge-to-decide", tender.guardian, tender.manager, tender.contract_manager)
        + each("lot-on-hold", *lot.suppliers)
    )
    theirs = [one.facts["theirs"] for one in fresh if one.kind == "lot-on-hold"]
    assert sorted(theirs) == [False, False, True]


async def test_a_rejected_challenge_is_told_to_its_challenger_and_that_the_lot_goes_on(
    world: World, notices: Noticing
) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    await notices.catch_up()
    await decide(lot)
    fresh = await notices.catch_up()
    assert told(fresh, "challenge-decided", "hold-ended") == sorted(
        each("challenge-decided", lot.suppliers[1])
        + each("hold-ended", lot.tender.manager, lot.tender.contract_manager, *lot.suppliers)
    )


async def test_a_new_round_is_told_to_every_bidder(world: World, notices: Noticing) -> None:
    lot = await notified_lot(world)
    await notices.catch_up()
    await reopened(lot)
    fresh = await notices.catch_up()
    assert told(fresh, "evaluated-anew", "hold-ended", "lot-on-hold") == each(
        "evaluated-anew", *lot.suppliers
    )
