"""Each buyer of a joint purchase takes part by its own decision, with a contract of its own."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from market.money import exact_sum
from tests.makers.bids import declare
from tests.makers.challenges import challenge
from tests.makers.challenges import decide as decide_challenge
from tests.makers.direct import act_afresh, acting, refused
from tests.makers.evaluation import (
    approve,
    contracted_lot,
    end_standstill,
    notified_lot,
    recommend,
)
from tests.makers.joint import DECIDED, LUTON, MILTON_KEYNES, JointLot, joint_lot, told
from tests.makers.world import Person, World

INSERT = (
    "INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends, buyer, value)"
    " VALUES ($1, $2, (SELECT id FROM award), 'C', $3, '2030-01-01', '2031-01-01', $4, 1)"
)


def _type(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def _missing(joint: JointLot) -> list[tuple[str, str]]:
    view = await joint.lot.evaluation()
    return [(item["who"], item["what"]) for item in view["missing"]]


async def test_each_buyer_decides_and_has_a_contract_for_its_share(world: World) -> None:
    joint = await joint_lot(world)
    listed = await joint.lot.tender.manager.get(f"{joint.lot.path}/buyer-decisions")
    assert {one["buyer"]: one["part"] for one in listed.json()} == {
        str(joint.lead): "takes_part",
        str(joint.member(LUTON)): None,
        str(joint.member(MILTON_KEYNES)): None,
    }
    decided = await joint.decide(LUTON)
    assert decided.status_code == 201, decided.text
    assert decided.json()["part"] == "takes_part"
    assert _type(await joint.decide(LUTON)) == (409, "buyer-decided-already")
    await told(joint)
    assert _type(await joint.contract(None)) == (400, "contract-buyer-needed")
    assert _type(await joint.contract(uuid4())) == (400, "contract-buyer-needed")
    assert _type(await joint.contract(joint.member(MILTON_KEYNES))) == (409, "buyer-undecided")
    assert (
        "award approvers of NHS Milton Keynes CCG",
        "Decide whether it takes part.",
    ) in await _missing(joint)
    made = {}
    for code, buyer in (("lead", joint.lead), (LUTON, joint.member(LUTON))):
        answer = await joint.contract(buyer, reference=f"C-{code}")
        assert answer.status_code == 201, answer.text
        assert answer.json()["stage"] == "notified"
        made[code] = answer.json()["contract"]
    assert _type(await joint.contract(joint.lead)) == (409, "buyer-contracted")
    refusal = await joint.decide(MILTON_KEYNES, takes_part=False)
    assert (refusal.json()["part"], refusal.json()["stage"]) == ("refused", "contracted")
    parts = {one["buyer"]: Decimal(one["value"]["amount"]) for one in listed.json()}
    award = (await world.public(f"{joint.lot.path}/award")).json()
    assert [one["value"] for one in award["contracts"]] == [
        {"amount": str(parts[one["buyer"]]), "currency": "GBP"} for one in award["contracts"]
    ]
    assert exact_sum(parts.values()) == Decimal(award["contract_value"]["amount"])
    register = f"/organisations/{joint.lead}/procurement-decisions"
    [decision] = (await world.public(register)).json()["items"]
    assert decision["value_to_us"]["amount"] == str(parts[str(joint.lead)])
    assert decision["contract"]["reference"] == "C-lead"
    for contract in made.values():
        years = [Decimal(year["value"]["amount"]) for year in contract["years"]]
        assert len(years) == 3
        assert exact_sum(years) == Decimal(contract["value"]["amount"])


async def test_a_buyer_that_refused_gets_no_contract_and_the_others_go_on(world: World) -> None:
    joint = await joint_lot(world)
    for code in (LUTON, MILTON_KEYNES):
        assert (await joint.decide(code, takes_part=False)).status_code == 201
    await told(joint)
    assert _type(await joint.contract(joint.member(LUTON))) == (409, "buyer-refused")
    assert (await joint.contract(joint.lead)).json()["stage"] == "contracted"


async def test_no_buyer_decides_while_the_award_is_challenged(world: World) -> None:
    joint = await joint_lot(world)
    await told(joint)
    assert (await joint.contract(joint.lead)).status_code == 201
    assert (await joint.decide(LUTON, takes_part=False)).status_code == 201
    assert (await challenge(joint.lot)).status_code == 201
    # the last refusal would make the lot contracted, and leave the challenge undecided for ever
    assert _type(await joint.decide(MILTON_KEYNES, takes_part=False)) == (409, "lot-on-hold")
    assert (await decide_challenge(joint.lot)).status_code == 201
    given = await joint.decide(MILTON_KEYNES, takes_part=False)
    assert given.json()["stage"] == "contracted"


async def test_where_every_buyer_refuses_the_manager_gives_the_lot_up(world: World) -> None:
    joint = await joint_lot(world)
    for code in (LUTON, MILTON_KEYNES):
        assert (await joint.decide(code, takes_part=False)).status_code == 201
    lead = joint.lot.tender.approvers[0]
    body = {"takes_part": False, "reason": DECIDED}
    assert (await lead.post(f"{joint.lot.path}/buyer-decisions", body)).status_code == 201
    await told(joint)
    assert _type(await joint.contract(joint.lead)) == (409, "all-buyers-refused")
    [(who, what)] = await _missing(joint)
    assert who == "tender manager"
    assert "every buyer decided not to take part" in what
    reason = {"reason": "None of the three groups takes part."}
    given_up = await joint.lot.act(joint.lot.tender.manager, "/abandonment", reason)
    assert given_up.status_code == 201


async def test_a_later_award_asks_every_buyer_anew(world: World) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    lot, tender = joint.lot, joint.lot.tender
    assert (await joint.decide(LUTON, takes_part=False)).status_code == 201
    body = {
        "pseudonym": lot.pseudonyms[0],
        "reason": "The supplier withdrew by its letter of 3 March.",
    }
    await lot.done(tender.manager, "/drop-outs", body)
    assert (await recommend(lot, 1)).status_code == 201
    for approver in tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    listed = (await tender.manager.get(f"{lot.path}/buyer-decisions")).json()
    assert {one["part"] for one in listed} == {"takes_part", None}
    assert (await joint.decide(LUTON)).status_code == 201


async def test_a_delegated_award_needs_no_decision_until_the_delegation_ends(
    world: World,
) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    boss = await world.person("Boss", joint.member(LUTON), Role.ADMINISTRATOR)
    body = {
        "delegate": str(joint.lead),
        "authority": "Governing body, item 7.",
        "starts_on": "2020-01-01",
        "ends_on": "2059-12-31",
    }
    path = f"/organisations/{joint.member(LUTON)}/award-delegations"
    made = await boss.post(path, body)
    assert made.status_code == 201, made.text

    async def part() -> Any:
        listed = await joint.lot.tender.manager.get(f"{joint.lot.path}/buyer-decisions")
        return next(one["part"] for one in listed.json() if one["buyer"] != str(joint.lead))

    assert await part() == "takes_part"
    ending = {"reason": "We decide ourselves again."}
    ended = await boss.post(f"{path}/{made.json()['id']}/ending", ending)
    assert ended.status_code == 201, ended.text
    assert await part() is None


async def test_only_a_buyer_s_own_award_approver_decides_for_it(world: World) -> None:
    joint = await joint_lot(world)
    body = {"takes_part": True, "reason": DECIDED}
    path = f"{joint.lot.path}/buyer-decisions"
    for person in (joint.lot.tender.manager, joint.lot.tender.contract_manager):
        assert _type(await person.post(path, body)) == (403, "duty-needed")
    outsider = await world.person("An outsider", await world.organisation("06P"), Role.COMMISSIONER)
    assert (await outsider.post(path, body)).status_code == 404
    short = await joint.approvers[LUTON].post(path, body | {"reason": "Yes."})
    assert short.status_code == 400
    await declare_interest(joint, joint.approvers[LUTON])
    assert _type(await joint.decide(LUTON)) == (403, "conflict-of-interest")


async def declare_interest(joint: JointLot, person: Person) -> None:
    await declare(person, joint.lot.tender, "financial", "I hold shares in it.")


async def test_the_database_keeps_decisions_and_contracts_to_their_buyers(
    world: World, app_role: Any, superuser: Any
) -> None:
    joint = await joint_lot(world)
    luton, keynes = joint.approvers[LUTON], joint.approvers[MILTON_KEYNES]
    lot, manager = joint.lot.id, joint.lot.tender.contract_manager

    async def decide(person: Person, buyer: Any, *, takes_part: bool = True) -> None:
        async with acting(app_role, person.id, person.organisation):
            await act_afresh(app_role, person.id, person.organisation)
            await app_role.execute(
                "INSERT INTO buyer_decision (id, lot, buyer, takes_part, reason, decided_by)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                uuid4(),
                lot,
                buyer,
                takes_part,
                DECIDED,
                person.id,
            )

    async def contract(buyer: Any) -> None:
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(INSERT, uuid4(), lot, manager.id, buyer)

    async with refused("buyer_decides_itself"):
        await decide(luton, keynes.organisation)
    async with refused("duty_needed"):
        await decide(manager, manager.organisation)
    await decide(luton, luton.organisation)
    await told(joint)
    async with refused("contract_of_buyer"):
        await contract(None)
    async with refused("buyer_has_decided"):
        await contract(keynes.organisation)
    await decide(keynes, keynes.organisation, takes_part=False)
    async with refused("buyer_takes_part"):
        await contract(keynes.organisation)
    await contract(joint.lead)
    lead = joint.lot.tender.approvers[0]
    async with refused("decided_before_contract"):
        await decide(lead, lead.organisation)
    value = await superuser.fetchval("SELECT value FROM contract")
    assert value > 1  # whatever was claimed
    move = "UPDATE lot SET stage = $2, version = version + 1, abandoned_because = $3 WHERE id = $1"
    async with (
        refused("contracted_when_all_have"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(move, lot, "contracted", None)
    boss = joint.lot.tender.manager
    async with refused("contracts_stay"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(move, lot, "abandoned", "Because.")


async def test_a_refusal_racing_the_contract_of_its_buyer_is_either(world: World) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    assert (await joint.decide(LUTON)).status_code == 201
    await told(joint)
    version = (await joint.lot.evaluation())["version"]
    lead = joint.lot.tender.approvers[0]
    answers = await asyncio.gather(
        joint.lot.tender.contract_manager.post(
            f"{joint.lot.path}/contract",
            {
                "reference": "C-1",
                "starts": "2030-07-01",
                "ends": "2033-06-30",
                "buyer": str(joint.lead),
            },
            version=version,
        ),
        lead.post(f"{joint.lot.path}/buyer-decisions", {"takes_part": False, "reason": DECIDED}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_two_contracts_of_a_buyer_at_once_make_one(world: World, superuser: Any) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    await told(joint)
    answers = await asyncio.gather(*(joint.contract(joint.lead) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await superuser.fetchval("SELECT count(*) FROM contract") == 1


async def test_two_decisions_of_a_buyer_at_once_make_one(world: World, superuser: Any) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    answers = await asyncio.gather(joint.decide(LUTON), joint.decide(LUTON, takes_part=False))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await superuser.fetchval("SELECT count(*) FROM buyer_decision") == 1


@pytest.mark.parametrize("stated", [True, False])
async def test_a_sole_buyer_needs_one_call_and_no_decision(world: World, *, stated: bool) -> None:
    if not stated:
        lot = await contracted_lot(world)
    else:
        lot = await notified_lot(world)
        await end_standstill(lot)
        buyer = str(lot.tender.manager.organisation)
        body = {
            "reference": "C",
            "starts": "2030-07-01",
            "ends": "2033-06-30",
            "buyer": buyer,
        }
        await lot.done(lot.tender.contract_manager, "/contract", body)
    award = (await world.public(f"{lot.path}/award")).json()
    [contract] = award["contracts"]
    assert award["stage"] == "contracted"
    assert contract["value"] == award["contract_value"]
