"""An award is challenged: its lot is on hold, and no contract is made until that is decided."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.makers.challenges import DECIDED, GROUNDS, challenge, decide, withdraw
from tests.makers.evaluation import (
    awarded_lot,
    contract_body,
    contracted_lot,
    end_standstill,
    notified_lot,
)
from tests.makers.tenders import market_time
from tests.makers.world import World


async def test_a_challenge_holds_the_lot_until_the_guardian_has_decided(world: World) -> None:
    lot = await notified_lot(world)
    made = await challenge(lot)
    assert made.status_code == 201, made.text
    assert (made.json()["number"], made.json()["stage"]) == (1, "on_hold")
    view = await lot.evaluation()
    assert view["stage"] == "on_hold"
    assert view["missing"] == [
        {"who": "conflicts guardian", "what": "Decide the challenge: the lot is on hold."}
    ]
    await end_standstill(lot)
    manager = lot.tender.contract_manager
    refused = await lot.act(manager, "/contract", contract_body())
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/lot-on-hold")
    out = {"pseudonym": lot.pseudonyms[0], "reason": "It withdrew by its letter of today."}
    dropped = await lot.act(lot.tender.manager, "/drop-outs", out)
    assert dropped.json()["type"] == "/problems/lot-on-hold"
    award = await lot.suppliers[2].get(f"{lot.path}/award")
    assert award.json()["stage"] == "on_hold"
    ended = await decide(lot)
    assert ended.status_code == 201, ended.text
    # a standstill that was over stays over
    assert (ended.json()["stage"], ended.json()["on_hold"]) == ("standstill_over", False)
    await lot.done(manager, "/contract", contract_body())


async def test_a_rejected_challenge_leaves_the_standstill_as_it_was_stored(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    assert (await decide(lot)).json()["stage"] == "standstill"
    view = await lot.evaluation()
    assert lot.standstill_ends_at is not None
    assert view["standstill"]["ends_at"] == lot.standstill_ends_at.isoformat().replace(
        "+00:00", "Z"
    )
    refused = await lot.act(lot.tender.contract_manager, "/contract", contract_body())
    assert refused.json()["type"] == "/problems/standstill-running"
    again = await decide(lot)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/challenge-ended")


async def test_who_was_rejected_challenges_again_only_through_a_court(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    await decide(lot)
    again = await challenge(lot)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/challenge-decided")
    claim = {
        "challenger": str(lot.suppliers[1].organisation),
        "reference": "HT-2030-000123",
        "received_at": (await market_time(world)).isoformat(),
    }
    recorded = await challenge(lot, lot.tender.manager, outside=claim)
    assert recorded.json()["stage"] == "on_hold"


async def test_the_challenger_reads_its_own_and_other_bidders_none(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    decided = await decide(lot)
    assert decided.status_code == 201, decided.text
    path = f"{lot.path}/challenges"
    [mine] = (await lot.suppliers[1].get(path)).json()["challenges"]
    assert (mine["grounds"], mine["outcome"], mine["reason"]) == (GROUNDS, "rejected", DECIDED)
    other = await lot.suppliers[2].get(path)
    assert other.json() == {"lot": 1, "on_hold": False, "challenges": []}
    for person in (lot.tender.moderator, lot.tender.guardian, *lot.tender.approvers):
        assert len((await person.get(path)).json()["challenges"]) == 1, person.name
    assert (await lot.tender.author.get(path)).status_code == 404


async def test_only_bidders_challenge_and_only_between_notices_and_contract(world: World) -> None:
    lot = await awarded_lot(world)
    early = await challenge(lot)
    assert early.status_code == 404  # nobody has told them that there is an award
    sent = await lot.act(lot.tender.manager, "/award-notices")
    assert sent.status_code == 201
    for person in (lot.tender.moderator, lot.tender.manager):
        assert (await challenge(lot, person)).status_code == 404
    assert (await challenge(lot)).status_code == 201
    again = await challenge(lot)
    assert again.json()["type"] == "/problems/challenged-already"
    assert (await challenge(lot, lot.suppliers[2])).status_code == 201
    done = await contracted_lot(world)
    late = await challenge(done)
    assert late.json()["type"] == "/problems/lot-not-there"


async def test_the_manager_records_a_challenge_received_outside(world: World) -> None:
    lot = await notified_lot(world)
    now = await market_time(world)
    outside = {
        "challenger": str(lot.suppliers[2].organisation),
        "reference": "HT-2030-000123",
        "received_at": now.isoformat(),
    }
    manager = lot.tender.manager
    for person in (lot.tender.moderator, lot.tender.guardian):
        refused = await challenge(lot, person, outside=outside)
        assert refused.json()["type"] == "/problems/duty-needed", person.name
    for at in (now - timedelta(days=400), now + timedelta(days=1)):
        refused = await challenge(lot, manager, outside={**outside, "received_at": at.isoformat()})
        assert refused.json()["type"] == "/problems/challenge-time-faulty"
    stranger = {**outside, "challenger": str(manager.organisation)}
    refused = await challenge(lot, manager, outside=stranger)
    assert refused.json()["type"] == "/problems/no-notice-to-challenge"
    assert (await challenge(lot, manager, outside=outside)).status_code == 201
    [one] = (await lot.suppliers[2].get(f"{lot.path}/challenges")).json()["challenges"]
    assert one["reference"] == "HT-2030-000123"


async def test_only_the_guardian_decides_and_only_the_challenger_withdraws(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    for person in set(lot.tender.everybody()) - {lot.tender.guardian}:
        refused = await decide(lot, person=person)
        assert refused.json()["type"] == "/problems/duty-needed", person.name
    assert (await withdraw(lot, lot.suppliers[2])).status_code == 404
    assert (await withdraw(lot, lot.tender.manager)).status_code == 404
    gone = await withdraw(lot, lot.suppliers[1])
    assert (gone.status_code, gone.json()["on_hold"]) == (201, False)
    assert (await challenge(lot)).json()["number"] == 2


async def test_an_upheld_challenge_may_end_the_lot(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    ended = await decide(lot, "upheld_abandon")
    assert (ended.status_code, ended.json()["stage"]) == (201, "abandoned")
    assert (await lot.evaluation())["abandoned_because"] == DECIDED
    assert (await lot.suppliers[0].get(f"{lot.path}/award")).status_code == 404


async def test_of_a_challenge_and_a_contract_at_once_one_wins(world: World, superuser: Any) -> None:
    for _ in range(2):
        lot = await notified_lot(world)
        await end_standstill(lot)
        version = (await lot.evaluation())["version"]
        manager = lot.tender.contract_manager
        challenged, made = await asyncio.gather(
            challenge(lot),
            manager.post(f"{lot.path}/contract", contract_body(), version=version),
        )
        assert sorted((challenged.status_code, made.status_code)) == [201, 409]
    both = "SELECT count(*) FROM contract c JOIN lot_challenge h ON h.lot = c.lot"
    assert await superuser.fetchval(both) == 0


async def test_of_two_decisions_at_once_one_is_taken(world: World, superuser: Any) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    answers = await asyncio.gather(
        decide(lot), decide(lot, "upheld_reevaluate"), decide(lot, "upheld_abandon")
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    ended = "SELECT count(*) FROM challenge_end e JOIN lot_challenge c ON c.id = e.challenge"
    assert await superuser.fetchval(f"{ended} WHERE c.lot = $1", lot.id) == 1


async def test_what_was_decided_of_a_challenge_is_in_the_assurance_report(world: World) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    await decide(lot)
    report = await lot.tender.guardian.get(f"{lot.tender.path}/assurance-report/page")
    assert report.status_code == 200, report.text
    assert "decided 1 challenge of lot 1" in report.text
