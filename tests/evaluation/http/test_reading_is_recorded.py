"""That the panel reads what was bid, scored and declared is on record; one's own is nobody's."""

import json
from typing import Any

import asyncpg
import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, declare, some_suppliers, submit
from tests.makers.conflicts import decided
from tests.makers.direct_bids import as_person
from tests.makers.evaluation import (
    contracted_lot,
    lot_to_score,
    moderated_lot,
    notified_lot,
    ranked_lot,
    scored_lot,
)
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.vocabulary import strange_events
from tests.makers.world import Person, World

_READ = """
SELECT e.action, e.person, e.subject, e.tender, e.details, e.after_digest IS NOT NULL AS commits
FROM event e WHERE e.person = $1 AND e.action LIKE '%.read' ORDER BY e.serial
"""


async def reads(superuser: Any, reader: Person) -> list[tuple[str, dict[str, Any]]]:
    """What somebody read, as the log has it, since they were asked last."""
    rows = await superuser.fetch(_READ, reader.id)
    known = _SEEN.get(reader.id, 0)
    _SEEN[reader.id] = len(rows)
    return [(row["action"], json.loads(row["details"])) for row in rows[known:]]


_SEEN: dict[Any, int] = {}


async def in_record(reader: Person, tender: PublishedTender) -> set[str]:
    answer = await reader.get(f"{tender.path}/record?limit=200")
    assert answer.status_code == 200, answer.text
    return {event["action"] for event in answer.json()["items"]}


async def test_every_page_of_bids_that_is_read_is_an_event_that_names_the_bids(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    evaluator = lot.tender.quality_evaluators[0]
    await reads(superuser, evaluator)
    page = await evaluator.get(f"{lot.path}/evaluation/bids?limit=1")
    assert page.status_code == 200, page.text
    first = page.json()["items"][0]["pseudonym"]
    await evaluator.get(f"{lot.path}/evaluation/bids?limit=1&cursor={page.json()['next']}")
    (one, two) = await reads(superuser, evaluator)
    assert one == ("bids.read", {"lot": 1, "bids": [first]})
    assert two[0] == "bids.read"
    assert first not in two[1]["bids"]
    row = (await superuser.fetch(_READ, evaluator.id))[-1]
    assert (row["subject"], row["tender"]) == (lot.id, lot.tender.id)


async def test_a_refused_reading_is_a_refusal_on_record_and_no_reading(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    await reads(superuser, lot.tender.price_evaluator)
    refused = await lot.tender.price_evaluator.get(f"{lot.path}/evaluation/bids")
    assert refused.status_code == 403
    assert await reads(superuser, lot.tender.price_evaluator) == []
    row = await superuser.fetchrow(
        "SELECT e.details ->> 'operation' AS operation, v.details ->> 'reason' AS reason"
        " FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'request.refused' AND e.person = $1 ORDER BY e.serial DESC LIMIT 1",
        lot.tender.price_evaluator.id,
    )
    assert row["operation"] == "evaluation.read_bids"
    assert row["reason"] == refused.json()["detail"]


async def test_others_scores_are_on_record_and_one_s_own_are_not(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    evaluator, other = lot.tender.quality_evaluators
    await lot.score_all(evaluator)
    await reads(superuser, evaluator)
    own = await evaluator.get(f"{lot.path}/evaluation/scores")
    assert len(own.json()["items"]) > 0
    assert await reads(superuser, evaluator) == []
    await lot.score_all(other)
    for person in (evaluator, other):
        assert (await lot.lock(person)).status_code == 201
    everything = (await evaluator.get(f"{lot.path}/evaluation/scores?limit=200")).json()["items"]
    others = [score for score in everything if score["person"] != str(evaluator.id)]
    assert 0 < len(others) < len(everything)
    ((action, details),) = await reads(superuser, evaluator)
    assert action == "scores.read"
    assert details == {"lot": 1, "bids": sorted(lot.pseudonyms), "scores": len(others)}


async def test_the_ranking_says_whether_prices_were_read(world: World, superuser: Any) -> None:
    lot = await ranked_lot(world)
    for reader, schedules in ((lot.tender.approvers[0], True), (lot.tender.manager, False)):
        await declare(reader, lot.tender)
        await reads(superuser, reader)
        view = await reader.get(f"{lot.path}/evaluation/ranking")
        assert view.status_code == 200, view.text
        ((action, details),) = await reads(superuser, reader)
        assert action == "ranking.read"
        assert set(details["bids"]) == {bid["pseudonym"] for bid in view.json()["bids"]}
        assert (details["price_schedules"] > 0) is schedules


async def test_notices_are_read_by_duty_on_record_and_by_their_bidder_off_it(
    world: World, superuser: Any
) -> None:
    lot = await notified_lot(world)
    bidder, manager = lot.suppliers[0], lot.tender.manager
    for reader in (bidder, manager):
        await reads(superuser, reader)
        assert (await reader.get(f"{lot.path}/award-notices")).status_code == 200
    assert await reads(superuser, bidder) == []
    ((action, details),) = await reads(superuser, manager)
    assert (action, details) == ("notices.read", {"lot": 1, "notices": len(lot.suppliers)})


@pytest.mark.parametrize("page", ["", "/page"])
async def test_the_report_is_read_on_record_from_inside_and_as_the_public_off_it(
    world: World, superuser: Any, page: str
) -> None:
    lot = await notified_lot(world)
    path = f"{lot.tender.path}/assurance-report{page}"
    guardian, bidder = lot.tender.guardian, lot.suppliers[0]
    for reader in (guardian, bidder):
        await reads(superuser, reader)
        assert (await reader.get(path)).status_code == 200
    assert (await world.public(path)).status_code == 200
    assert await reads(superuser, bidder) == []
    assert await reads(superuser, guardian) == [("assurance.read", {})]
    rows = await superuser.fetch("SELECT * FROM event WHERE action = 'assurance.read'")
    assert len(rows) == 1
    assert rows[0]["after_digest"] is not None


async def test_bidders_minutes_declarations_and_decisions_are_read_on_record(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    tender = lot.tender
    evaluator = tender.quality_evaluators[0]
    await declare(tender.guardian, tender)
    await declare(evaluator, tender, "financial", "I hold shares in it.")
    bidder = lot.suppliers[0].organisation
    await reads(superuser, tender.guardian)
    await reads(superuser, evaluator)
    for path in ("bidders", "opening", "duty-declarations", "conflicts", "conflict-decisions"):
        answer = await tender.guardian.get(f"{tender.path}/{path}")
        assert answer.status_code == 200, answer.text
    declared = [str(one.id) for one in tender.everybody() if one.id != tender.guardian.id]
    found = dict(await reads(superuser, tender.guardian))
    assert sorted(found.pop("duty_declarations.read")["people"]) == sorted(set(declared))
    count = len(lot.suppliers)
    assert found == {
        "bidders.read": {"bidders": count},
        "minutes.read": {"bids": count},
        "conflicts.read": {"people": 1},
    }
    await decided(tender.guardian, tender.id, evaluator, bidder, "must_leave")
    assert (await tender.guardian.get(f"{tender.path}/conflict-decisions")).status_code == 200
    assert await reads(superuser, tender.guardian) == [
        ("conflict_decisions.read", {"decisions": 1})
    ]
    # what is said about oneself is nobody else's
    for path in ("conflicts", "conflict-decisions", "duty-declarations"):
        assert (await evaluator.get(f"{tender.path}/{path}")).json()
    assert await reads(superuser, evaluator) == []


async def test_before_the_opening_only_the_guardian_sees_that_somebody_read_who_bids(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world, lots=1)
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    for supplier in await some_suppliers(world, 2):
        await submit(supplier, tender, 1)
    # the names come with the deadline
    refused = await tender.openers[0].get(f"{tender.path}/bidders")
    assert refused.status_code == 409
    await close_bidding(world, tender)
    assert len((await tender.openers[0].get(f"{tender.path}/bidders")).json()) == 2
    for reader in (tender.manager, auditor):
        assert "bidders.read" not in await in_record(reader, tender)
    assert "bidders.read" in await in_record(tender.guardian, tender)
    assert await reads(superuser, tender.openers[0]) == [("bidders.read", {"bidders": 2})]


async def test_while_bids_are_scored_nobody_who_may_score_sees_what_the_panel_reads(
    world: World,
) -> None:
    lot = await moderated_lot(world)
    tender = lot.tender
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    await declare(tender.manager, tender)
    for path in ("/evaluation/bids", "/evaluation/scores"):
        assert (await tender.moderator.get(f"{lot.path}{path}")).status_code == 200
    telling = {"bids.read", "scores.read", "bidders.read"}
    assert not await in_record(auditor, tender) & telling
    for reader in (tender.manager, tender.guardian):
        assert telling <= await in_record(reader, tender), reader.name
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    assert telling <= await in_record(auditor, tender)


async def test_no_bidder_sees_who_read_its_bid(world: World, databases: Any) -> None:
    lot = await scored_lot(world)
    tender = lot.tender
    await tender.moderator.get(f"{lot.path}/evaluation/bids")
    app = await asyncpg.connect(**databases.app)
    seen = "SELECT count(*) FROM event WHERE action LIKE '%.read' AND tender = $1"
    for reader, some in (
        (lot.suppliers[0], False),
        (tender.quality_evaluators[0], None),
        (tender.contract_manager, None),
        (tender.guardian, True),
    ):
        async with as_person(app, reader):
            own = "AND person <> acting_person()"
            count = await app.fetchval(f"{seen} {own}", tender.id)
        assert (count > 0) is bool(some), reader.name
    await app.close()


async def test_a_whole_competition_leaves_nothing_in_the_log_that_is_not_declared(
    world: World, superuser: Any
) -> None:
    lot = await contracted_lot(world)
    tender = lot.tender
    for reader in tender.everybody():
        for path in ("evaluation/bids", "evaluation/scores", "evaluation/ranking", "award-notices"):
            await reader.get(f"{lot.path}/{path}")
        for path in ("bidders", "opening", "duty-declarations", "record", "assurance-report"):
            await reader.get(f"{tender.path}/{path}")
    assert await strange_events(superuser) == set()
    actions = {row["action"] for row in await superuser.fetch("SELECT action FROM event")}
    assert len(actions) > 45
