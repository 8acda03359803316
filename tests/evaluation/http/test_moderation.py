from typing import Any

from tests.makers.bids import declare
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    locked_lot,
    lot_to_score,
    moderated_lot,
    scored_lot,
)
from tests.makers.tenders import PublishedTender
from tests.makers.world import World


async def _scores(lot: EvaluatedLot, person: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await person.get(f"{lot.path}/evaluation/scores", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


# -- moderation -----------------------------------------------------------------------------------


async def test_moderation_waits_for_every_evaluator(world: World) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    await lot.score_all(one)
    await lot.lock(one)
    early = await lot.score(lot.tender.moderator, 0, "Q1.1", "5", kind="agreed-scores")
    assert early.status_code == 409
    assert early.json()["type"] == "/problems/moderation-too-early"
    assert other.name in early.json()["detail"]
    await lot.score_all(other)
    await lot.lock(other)
    agreed = await lot.score(lot.tender.moderator, 0, "Q1.1", "5", kind="agreed-scores")
    assert agreed.status_code == 201
    assert (await lot.evaluation())["agreed_scores"] == 1


async def test_moderation_needs_the_published_number_of_evaluators(world: World) -> None:
    lot = await scored_lot(world)
    await declare(lot.tender.quality_evaluators[1], lot.tender, "indirect", "My brother.")
    early = await lot.score(lot.tender.moderator, 0, "Q1.1", "5", kind="agreed-scores")
    assert early.status_code == 409
    assert "published minimum is 2" in early.json()["detail"]


async def test_an_agreed_score_needs_the_moderator_a_reason_and_the_scale(world: World) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    moderator = lot.tender.moderator
    for person in set(lot.tender.everybody()) - {moderator}:
        answer = await lot.score(person, 0, "Q1.1", "5", kind="agreed-scores")
        assert answer.status_code == 403, person.name
    off = await lot.score(moderator, 0, "Q1.1", "7", kind="agreed-scores")
    assert off.json()["type"] == "/problems/score-off-scale"
    short = await lot.score(moderator, 0, "Q1.1", "5", "Agreed.", kind="agreed-scores")
    assert short.status_code == 400


async def test_agreed_scores_stand_beside_the_originals(world: World) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    moderator = lot.tender.moderator
    await lot.score(moderator, 0, "Q1.1", "5", kind="agreed-scores")
    await lot.score(moderator, 0, "Q1.1", "2", kind="agreed-scores")
    rows = [row for row in await _scores(lot, moderator) if row["criterion"] == "Q1.1"]
    assert [(row["agreed"], row["value"], row["current"]) for row in rows] == [
        (False, "10", True),
        (False, "10", True),
        (True, "5", False),
        (True, "2", True),
    ]


# -- the quality lock -----------------------------------------------------------------------------


async def test_quality_is_locked_with_exact_points_and_the_minimum_met_by_equality(
    world: World,
) -> None:
    lot = await moderated_lot(world)
    decided = await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    assert decided["stage"] == "quality_locked"
    by_name = {item["pseudonym"]: item for item in decided["decisions"]}
    shown = [
        (
            by_name[name]["quality_points"]["numerator"],
            by_name[name]["quality_points"]["denominator"],
            by_name[name]["percentage"]["display"],
            by_name[name]["passed"],
        )
        for name in lot.pseudonyms
    ]
    assert shown == [
        ("171", "4", "71.25", True),
        ("30", "1", "50.00", True),
        ("12", "1", "20.00", False),
    ]


async def test_quality_is_not_locked_while_an_agreed_score_is_missing(world: World) -> None:
    lot = await scored_lot(world)
    refused = await lot.act(lot.tender.moderator, "/evaluation/quality-lock")
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/moderation-incomplete"
    assert "Bidder A Q1.1" in refused.json()["detail"]


async def test_the_quality_lock_needs_the_moderator_and_the_present_version(world: World) -> None:
    lot = await moderated_lot(world)
    path = f"{lot.path}/evaluation/quality-lock"
    moderator = lot.tender.moderator
    assert (await moderator.post(path)).status_code == 428
    assert (await moderator.post(path, version=99)).status_code == 412
    for person in set(lot.tender.everybody()) - {moderator}:
        assert (await person.post(path, version=2)).status_code == 403, person.name
    await lot.done(moderator, "/evaluation/quality-lock")
    again = await lot.act(moderator, "/evaluation/quality-lock")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/lot-not-there")


async def test_names_are_shown_to_the_panel_once_quality_is_locked(world: World) -> None:
    lot = await moderated_lot(world)
    evaluator = lot.tender.quality_evaluators[0]
    before = await evaluator.get(f"{lot.path}/evaluation/bids")
    assert "Supplier" not in before.text.replace("supplier", "")
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    bids = (await evaluator.get(f"{lot.path}/evaluation/bids")).json()["items"]
    shown = {bid["pseudonym"]: (bid["supplier"], bid["passed"]) for bid in bids}
    assert shown == dict(
        zip(
            lot.pseudonyms,
            [("Supplier 1", True), ("Supplier 2", True), ("Supplier 3", False)],
            strict=True,
        )
    )


async def test_after_the_quality_lock_no_score_can_be_added(world: World) -> None:
    lot = await locked_lot(world)
    for answer in (
        await lot.score(lot.tender.quality_evaluators[0], 0, "Q1.1", "2"),
        await lot.score(lot.tender.moderator, 0, "Q1.1", "2", kind="agreed-scores"),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/lot-not-there"


async def test_a_bid_that_did_not_open_is_shown_so_not_scored_and_does_not_pass(
    world: World, superuser: Any
) -> None:
    async def tamper(_: PublishedTender, bids: Any) -> None:
        """Only somebody who owns the server can do this; what they get is a bid that fails."""
        await superuser.execute("SET market.migrating = 'on'")
        await superuser.execute("ALTER TABLE envelope DISABLE TRIGGER USER")
        await superuser.execute(
            "UPDATE envelope e SET sealed = set_byte(sealed, 200, 255 - get_byte(sealed, 200))"
            " FROM bid_version v WHERE v.id = e.bid_version AND v.bid = $1 AND e.kind = 'quality'",
            bids[2]["bid"],
        )
        await superuser.execute("ALTER TABLE envelope ENABLE ALWAYS TRIGGER append_only_envelope")
        await superuser.execute("ALTER TABLE envelope ENABLE ALWAYS TRIGGER guard_envelope")

    lot = await lot_to_score(world, before_opening=tamper, minimum_quality="0")
    evaluator, moderator = lot.tender.quality_evaluators[0], lot.tender.moderator
    bids = (await evaluator.get(f"{lot.path}/evaluation/bids")).json()["items"]
    [broken] = [bid for bid in bids if bid["failure"]]
    assert broken["answers"] == []
    refused = await evaluator.post(
        f"{lot.path}/evaluation/bids/{broken['pseudonym']}/scores",
        {"criterion": "Q1.1", "value": "10", "reason": REASON},
    )
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/bid-not-opened")
    for person in lot.tender.quality_evaluators:
        await lot.score_all(person)
        assert (await lot.lock(person)).status_code == 201
    await lot.score_all(moderator, kind="agreed-scores")
    decided = await lot.done(moderator, "/evaluation/quality-lock")
    [decision] = [item for item in decided["decisions"] if item["pseudonym"] == broken["pseudonym"]]
    assert decision["quality_points"]["numerator"] == "0"
    assert not decision["passed"]
    assert sum(item["passed"] for item in decided["decisions"]) == 2


async def test_scores_are_recorded_without_their_content(world: World, superuser: Any) -> None:
    lot = await moderated_lot(world)
    events = await superuser.fetch(
        "SELECT action, details, after_digest FROM event WHERE tender = $1"
        " AND action IN ('score.given', 'score.agreed')",
        lot.tender.id,
    )
    assert len(events) == 27
    for event in events:
        assert event["after_digest"] is not None
        assert REASON not in event["details"]
        assert "value" not in event["details"]


async def test_scores_are_the_quality_panel_s_and_the_guardian_s_until_quality_is_locked(
    world: World,
) -> None:
    lot = await moderated_lot(world, prices=("1.00",))
    tender = lot.tender
    await declare(tender.guardian, tender)
    quality = (*tender.quality_evaluators, tender.moderator, tender.guardian)
    others = (
        tender.manager,
        tender.price_evaluator,
        tender.contract_manager,
        *tender.approvers,
    )
    for person in quality:
        assert len(await _scores(lot, person)) == 9, person.name
    for person in others:
        refused = await person.get(f"{lot.path}/evaluation/scores")
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/duty-needed")
        assert "before quality is locked" in refused.json()["detail"]
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    for person in (*quality, *others):
        assert len(await _scores(lot, person)) == 9, person.name
