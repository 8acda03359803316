"""The record of an evaluation: whole, exact, in one order, for those who answer for it."""

import hashlib
from fractions import Fraction
from typing import Any

import rfc8785

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.conflicts import decided
from tests.makers.evaluation import (
    EvaluatedLot,
    awarded_lot,
    contracted_lot,
    lot_to_score,
    ranked_lot,
)
from tests.makers.world import Person, World


async def record_of(lot: EvaluatedLot, reader: Person | None = None) -> dict[str, Any]:
    """The record as somebody, by default the manager, reads it."""
    answer = await (reader or lot.tender.manager).get(f"{lot.path}/evaluation-record")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_record_holds_every_score_with_its_reason_and_everything_after_it(
    world: World,
) -> None:
    lot = await contracted_lot(world)
    found = await record_of(lot)
    tender = lot.tender
    assert [bid["pseudonym"] for bid in found["bids"]] == sorted(lot.pseudonyms)
    assert len(found["scores"]) == 2 * 3 * 3
    assert {score["evaluator"] for score in found["scores"]} == {
        str(person.id) for person in tender.quality_evaluators
    }
    assert all(len(score["reason"]) >= 20 for score in found["scores"])
    assert len(found["agreed_scores"]) == 3 * 3
    assert len(found["quality_decisions"]) == 3
    (ranking,) = found["rankings"]
    assert [row["pseudonym"] for row in ranking["bids"]] == list(lot.pseudonyms[:2])
    first = ranking["bids"][0]
    parts = [
        Fraction(first[part]["numerator"]) / Fraction(first[part]["denominator"])
        for part in ("quality_points", "price_points", "total")
    ]
    assert parts[0] + parts[1] == parts[2]
    # the price of a bid that failed was never opened
    assert [bid["prices"] is None for bid in found["bids"]].count(True) == 1
    (recommendation,) = found["recommendations"]
    assert [one["outcome"] for one in recommendation["approvals"]] == ["approved", "approved"]
    (award,) = found["awards"]
    assert award["pseudonym"] == lot.pseudonyms[0]
    assert award["standstill"]["rule_set"] == found["rule_set"]
    assert len(award["notices"]) == 3
    assert found["contracts"][0]["reference"] == "BLMK-17"
    assert {one["person"] for one in found["declarations"]} >= {
        str(person.id) for person in (*tender.quality_evaluators, tender.moderator)
    }
    actions = [event["action"] for event in found["events"]]
    assert {"score.given", "lot.ranked", "lot.awarded", "contract.made"} <= set(actions)
    assert not any(action.endswith(".read") for action in actions)
    scored = {event["subject"] for event in found["events"] if event["action"] == "score.given"}
    assert scored == {score["id"] for score in found["scores"]}


async def test_the_record_is_the_same_bytes_to_everybody_who_reads_it(world: World) -> None:
    lot = await awarded_lot(world)
    auditor = await world.person("Audrey", lot.tender.manager.organisation, Role.AUDITOR)
    path = f"{lot.path}/evaluation-record"
    readers = (lot.tender.manager, lot.tender.approvers[0], auditor, lot.tender.manager)
    assert len({(await reader.get(path)).content for reader in readers}) == 1


async def test_corrected_scores_stay_in_the_record_beside_what_the_panel_made_of_them(
    world: World,
) -> None:
    lot = await lot_to_score(world)
    first, second = lot.tender.quality_evaluators
    place = 0
    early = await lot.score(first, place, "Q1.1", "5", "Too early to tell, I read it once only.")
    assert early.status_code == 201, early.text
    for evaluator in (first, second):
        await lot.score_all(evaluator)
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    again = await lot.score(
        lot.tender.moderator,
        place,
        "Q1.1",
        "5",
        "The panel came to see it otherwise.",
        kind="agreed-scores",
    )
    assert again.status_code == 201, again.text
    dissent = await second.post(
        f"{lot.path}/evaluation/bids/{lot.pseudonyms[place]}/dissents",
        {"criterion": "Q1.1", "reason": "I still think that it answers in full."},
    )
    assert dissent.status_code == 201, dissent.text
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    abandoned = await lot.act(
        lot.tender.manager, "/abandonment", {"reason": "The need has gone away this year."}
    )
    assert abandoned.status_code == 201, abandoned.text
    found = await record_of(lot)
    assert found["stage"] == "abandoned"
    assert found["abandoned_because"] == "The need has gone away this year."
    own = [
        (score["value"], score["superseded"])
        for score in found["scores"]
        if score["evaluator"] == str(first.id)
        and score["pseudonym"] == lot.pseudonyms[place]
        and score["criterion"] == "Q1.1"
    ]
    assert own == [("5", True), ("10", False)]
    agreed = [
        score
        for score in found["agreed_scores"]
        if (score["pseudonym"], score["criterion"]) == (lot.pseudonyms[place], "Q1.1")
    ]
    assert [score["superseded"] for score in agreed] == [True, False]
    assert {delta["above"]["numerator"] for delta in agreed[1]["deltas"]} == {"-5"}
    (one,) = found["dissents"]
    assert (one["agreed_number"], one["evaluator"]) == (2, str(second.id))
    assert found["rankings"] == []


async def test_the_digest_of_a_notice_is_that_of_what_its_bidder_was_told(world: World) -> None:
    lot = await contracted_lot(world)
    found = await record_of(lot)
    notices = await lot.tender.manager.get(f"{lot.path}/award-notices")
    told = {
        notice["recipient"]: hashlib.sha256(rfc8785.dumps(notice["content"])).hexdigest()
        for notice in notices.json()["items"]
    }
    listed = {notice["recipient"]: notice["digest"] for notice in found["awards"][0]["notices"]}
    assert listed == told


async def test_nobody_reads_the_record_before_the_award(world: World) -> None:
    lot = await ranked_lot(world)
    auditor = await world.person("Audrey", lot.tender.manager.organisation, Role.AUDITOR)
    for reader in (lot.tender.manager, lot.tender.approvers[0], auditor):
        refused = await reader.get(f"{lot.path}/evaluation-record")
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (
            409,
            "lot-not-there",
        )


async def test_neither_the_panel_nor_bidders_read_the_record(world: World) -> None:
    lot = await awarded_lot(world)
    path = f"{lot.path}/evaluation-record"
    for person in (lot.tender.quality_evaluators[0], lot.tender.moderator):
        assert (await person.get(path)).status_code == 403
    assert (await lot.suppliers[0].get(path)).status_code == 404
    assert (await world.public(path)).status_code == 401


async def test_who_came_to_have_an_interest_reads_the_record_no_more(world: World) -> None:
    lot = await awarded_lot(world)
    await declare(lot.tender.guardian, lot.tender)
    approver = lot.tender.approvers[0]
    await declare(approver, lot.tender, "financial", "I hold shares in it.")
    refused = await approver.get(f"{lot.path}/evaluation-record")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (
        403,
        "conflict-of-interest",
    )
    bidder = lot.suppliers[0].organisation
    await decided(lot.tender.guardian, lot.tender.id, approver, bidder, "must_leave")
    found = await record_of(lot, lot.tender.guardian)
    assert [one["outcome"] for one in found["conflict_decisions"]] == ["must_leave"]


async def test_that_the_record_was_read_is_on_record(world: World, superuser: Any) -> None:
    lot = await awarded_lot(world)
    await record_of(lot)
    row = await superuser.fetchrow(
        "SELECT person, subject FROM event WHERE action = 'evaluation_record.read'"
    )
    assert (row["person"], row["subject"]) == (lot.tender.manager.id, lot.id)
