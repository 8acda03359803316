"""A lot is evaluated anew: by whom, what stays, and what the fresh panel does not see."""

from tests.makers.evaluation import notified_lot
from tests.makers.rounds import OVERTURNED, decided_anew, fresh_panel, newcomer, reopened
from tests.makers.world import World


async def test_only_people_who_saw_nothing_of_the_first_round_score_the_second(
    world: World,
) -> None:
    lot = await notified_lot(world)
    reader = await newcomer(lot, "Rita Reader", "quality_evaluator")
    assert (await reader.get(f"{lot.path}/evaluation/ranking")).status_code == 200
    await reopened(lot)
    for person in (*lot.tender.quality_evaluators, reader):
        refused = await lot.score(person, 2, "Q1.1", "10")
        assert refused.json()["type"] == "/problems/not-fresh", person.name
        assert (await lot.lock(person)).json()["type"] == "/problems/not-fresh"
    view = await lot.evaluation(lot.tender.manager)
    assert view["evaluators"] == []
    assert "saw a price of it in an earlier round" in str(view["missing"])
    panel = await fresh_panel(lot)
    view = await lot.evaluation(lot.tender.manager)
    assert {one["name"] for one in view["evaluators"]} == {"Frida Fresh", "Ferdinand Fresh"}
    moderator = lot.tender.moderator
    for evaluator in panel.evaluators:
        await lot.score_all(evaluator, OVERTURNED)
        await lot.lock(evaluator)
    agreed = await lot.score(moderator, 2, "Q1.1", "10", kind="agreed-scores")
    assert agreed.json()["type"] == "/problems/not-fresh"
    await lot.score_all(panel.moderator, OVERTURNED, kind="agreed-scores")
    decided = await lot.act(moderator, "/evaluation/quality-lock")
    assert decided.json()["type"] == "/problems/not-fresh"
    await lot.done(panel.moderator, "/evaluation/quality-lock")


async def test_the_fresh_panel_sees_nothing_of_the_first_round_until_it_has_decided(
    world: World,
) -> None:
    lot = await notified_lot(world)
    await reopened(lot)
    panel = await fresh_panel(lot)
    hidden = (
        "/evaluation/ranking?number=1",
        "/award-notices",
        "/rounds",
        "/rounds/1",
        "/robustness",
        "/challenges",
    )
    for person in (*panel.evaluators, panel.moderator, *lot.tender.quality_evaluators):
        for path in hidden:
            answer = await person.get(f"{lot.path}{path}")
            assert answer.status_code == 404, (person.name, path)
    for person in (lot.tender.manager, lot.tender.guardian, *lot.tender.approvers):
        answer = await person.get(f"{lot.path}/rounds/1")
        assert answer.status_code == 200, person.name
    await decided_anew(lot, panel)
    assert (await panel.moderator.get(f"{lot.path}/rounds/1")).status_code == 200


async def test_a_superseded_round_is_read_whole(world: World) -> None:
    lot = await notified_lot(world)
    guardian = lot.tender.guardian
    await reopened(lot)
    listed = (await guardian.get(f"{lot.path}/rounds")).json()["rounds"]
    assert [(one["number"], one["challenge"], one["rankings"]) for one in listed] == [
        (1, None, [1]),
        (2, 1, []),
    ]
    first = (await guardian.get(f"{lot.path}/rounds/1")).json()
    passed = {one["pseudonym"]: one["passed"] for one in first["decisions"]}
    assert [passed[name] for name in lot.pseudonyms] == [True, True, False]
    # three criteria of three bids, scored by two and agreed by one
    assert len(first["scores"]) == 27
    assert {one["value"]["display"] for one in first["scores"] if one["agreed"]} == {
        "10.00",
        "5.00",
        "2.00",
    }
    for number in (0, 2, 3):
        assert (await guardian.get(f"{lot.path}/rounds/{number}")).status_code == 404
