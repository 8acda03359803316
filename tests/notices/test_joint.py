"""Who is told that its own decision about an award of a joint purchase is awaited."""

from tests.makers.joint import LUTON, MILTON_KEYNES, joint_lot, told
from tests.makers.noticing import Noticing, each
from tests.makers.noticing import told as told_of
from tests.makers.world import World


async def test_the_approvers_of_buyers_that_have_not_decided_are_told_of_the_award(
    world: World, notices: Noticing
) -> None:
    joint = await joint_lot(world)
    fresh = await notices.catch_up()
    theirs = [joint.approvers[code] for code in (LUTON, MILTON_KEYNES)]
    assert told_of(fresh, "buyer-decision-due") == each("buyer-decision-due", *theirs)
    assert (await joint.decide(LUTON)).status_code == 201
    await told(joint)
    assert told_of(await notices.catch_up(), "buyer-decision-due") == []
