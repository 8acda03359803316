"""Publication: for good, under the law of the day, with keys to seal bids to."""

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tenders.rules.rule_sets import PCR_2015, PROCUREMENT_ACT_2023, minimum_deadline
from tests.makers.bids import open_bids
from tests.makers.evaluation import contracted_lot
from tests.makers.tenders import (
    PublishedTender,
    approve,
    approved_tender,
    assign,
    created_tender,
    drafted_tender,
    market_time,
    publish,
    published_tender,
)
from tests.makers.world import World


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


async def try_to_publish(tender: PublishedTender) -> httpx.Response:
    return await tender.manager.post(f"{tender.path}/publication", version=tender.version)


async def test_a_tender_goes_from_draft_to_publication(world: World) -> None:
    tender = await published_tender(world)
    answer = await world.public(tender.path)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert view["status"] == "published"
    assert view["rule_set"] == "procurement_act_2023"
    assert view["my_duties"] == []
    assert [(lot["number"], lot["stage"]) for lot in view["lots"]] == [
        (1, "bidding"),
        (2, "bidding"),
    ]
    assert answer.headers["etag"] == f'"{tender.version}"'
    published = await world.public(f"{tender.path}/requirement")
    assert published.status_code == 200, published.text
    assert published.json()["content"]["lots"][0]["title"] == "Decision support"


async def test_a_demonstration_can_be_published_under_earlier_law(world: World) -> None:
    tender = await published_tender(world, demonstration=True, rule_set_date="2020-09-01")
    view = (await world.public(tender.path)).json()
    assert (view["rule_set"], view["demonstration"]) == ("pcr_2015", True)


async def test_a_deadline_sooner_than_the_law_allows_is_refused_with_the_earliest(
    world: World,
) -> None:
    for law, given in (
        (PROCUREMENT_ACT_2023, {}),
        (PCR_2015, {"demonstration": True, "rule_set_date": "2020-09-01"}),
    ):
        earliest = minimum_deadline(law, await market_time(world))
        tender = await approved_tender(world, **given)
        tender.deadline = earliest - timedelta(seconds=1)
        await _set_deadline(tender)
        answer = await try_to_publish(tender)
        assert (answer.status_code, kind(answer)) == (409, "deadline-too-soon")
        detail = answer.json()["detail"]
        assert law.title in detail
        (named,) = re.findall(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", detail)
        tender.deadline = datetime.fromisoformat(named)
        assert tender.deadline == earliest
        await _set_deadline(tender)
        await publish(tender)


async def _set_deadline(tender: PublishedTender) -> None:
    answer = await tender.manager.put(
        f"{tender.path}/timetable",
        {
            "deadline": tender.deadline.isoformat(),
            "contract_starts": (tender.deadline + timedelta(days=30)).date().isoformat(),
        },
        version=tender.version,
    )
    assert answer.status_code == 200, answer.text
    tender.version = answer.json()["version"]


async def test_only_the_manager_publishes_what_a_reviewer_approved(world: World) -> None:
    tender = await drafted_tender(world)
    early = await try_to_publish(tender)
    assert (early.status_code, kind(early)) == (409, "transition-refused")
    await tender.act(tender.manager, "/review-requests")
    assert kind(await try_to_publish(tender)) == "transition-refused"
    await tender.act(tender.reviewer, "/reviews", {"outcome": "approved", "comments": "Good."})
    for person in (tender.author, tender.reviewer, tender.guardian):
        answer = await person.post(f"{tender.path}/publication", version=tender.version)
        assert (answer.status_code, kind(answer)) == (403, "duty-needed")
    without = await tender.manager.post(f"{tender.path}/publication")
    assert (without.status_code, kind(without)) == (428, "precondition-missing")


async def test_two_openers_are_needed(world: World) -> None:
    tender = await approved_tender(world)
    duties = (await tender.manager.get(f"{tender.path}/duties")).json()
    (held,) = [duty for duty in duties if duty["person"] == str(tender.openers[0].id)]
    await tender.manager.delete(f"{tender.path}/duties/{held['id']}")
    answer = await try_to_publish(tender)
    assert (answer.status_code, kind(answer)) == (409, "openers-needed")


async def test_a_timetable_is_needed(world: World) -> None:
    tender = await drafted_tender(world)
    view = await created_tender(tender.manager)
    bare = tender
    bare_path = f"/tenders/{view['id']}"
    written = await bare.manager.put(
        f"{bare_path}/requirement", tender.requirement, version=view["version"]
    )
    assert written.status_code == 200, written.text
    given = await assign(bare.manager, view["id"], tender.reviewer, "reviewer")
    assert given.status_code == 201
    await bare.manager.post(f"{bare_path}/review-requests", version=2)
    review = {"outcome": "approved", "comments": "Good."}
    approved = await tender.reviewer.post(f"{bare_path}/reviews", review, version=3)
    assert approved.json()["status"] == "approved"
    answer = await bare.manager.post(f"{bare_path}/publication", version=4)
    assert (answer.status_code, kind(answer)) == (409, "timetable-missing")


async def test_publishing_in_a_race_happens_once(world: World, superuser: Any) -> None:
    tender = await approved_tender(world)
    answers = await asyncio.gather(*(try_to_publish(tender) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM tender_key") == 4
    assert (
        await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'tender.published'")
        == 1
    )


async def test_a_publication_racing_a_revision_is_decided_once(world: World) -> None:
    tender = await approved_tender(world)
    answers = await asyncio.gather(
        try_to_publish(tender),
        tender.manager.post(f"{tender.path}/revisions", version=tender.version),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_the_lots_that_were_published_are_those_that_were_approved(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    assert await superuser.fetchval("SELECT count(*) FROM lot WHERE stage = 'bidding'") == 2
    assert await superuser.fetchval("SELECT count(*) FROM criterion") == 0
    await open_bids(world, tender)
    criteria = await superuser.fetch(
        "SELECT c.code, c.weight FROM criterion c JOIN lot l ON l.id = c.lot"
        " WHERE l.number = 1 ORDER BY c.code"
    )
    assert [(row["code"], str(row["weight"])) for row in criteria] == [
        ("Q1.1", "25.5"),
        ("Q1.2", "14.5"),
        ("Q2", "20"),
    ]
    event = await superuser.fetchrow(
        "SELECT details ->> 'digest' AS digest, details ->> 'requirement' AS number FROM event"
        " WHERE action = 'tender.published'"
    )
    published = (await world.public(f"{tender.path}/requirement")).json()
    assert (event["digest"], event["number"]) == (published["digest"], "1")


async def test_each_envelope_of_each_lot_has_a_key_of_its_own(world: World, superuser: Any) -> None:
    await published_tender(world)
    keys = await superuser.fetch("SELECT * FROM tender_key")
    assert len({key["public_key"] for key in keys}) == len(keys) == 4
    assert len({(key["lot"], key["envelope"]) for key in keys}) == 4
    assert {key["custodian"] for key in keys} == {"server"}


async def test_the_app_role_cannot_change_what_was_published(world: World, app_role: Any) -> None:
    tender = await published_tender(world)
    lot = tender.lots[1]
    change = "UPDATE tender SET {} = $2, version = version + 1 WHERE id = $1"
    for column, value in (
        ("title", "Another"),
        ("deadline", tender.deadline - timedelta(days=1)),
        ("contract_starts", date(2031, 1, 1)),
        ("rule_set", "pcr_2015"),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await app_role.execute(change.format(column), tender.id, value)
        assert getattr(refused.value, "constraint_name", None) == "published_does_not_change"
    for statement in (
        "UPDATE criterion SET weight = 1",
        "UPDATE scale_value SET value = 1",
        "DELETE FROM requirement_version",
        "UPDATE requirement_version SET content = '{}'",
        "DELETE FROM tender",
        "UPDATE lot SET quality_weight = 1, price_weight = 99",
        "SELECT wrapped_key FROM tender_key",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_role.execute(statement)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await app_role.execute(
            "INSERT INTO tender_key (id, lot, envelope, custodian, public_key, wrapped_key)"
            " VALUES (gen_random_uuid(), $1, 'price', 'server', '', '')",
            lot,
        )
    assert getattr(refused.value, "constraint_name", None) == "key_made_at_publication"


async def test_the_app_role_publishes_nothing_that_was_not_approved(
    world: World, app_role: Any
) -> None:
    tender = await drafted_tender(world)
    await app_role.execute("SELECT set_config('market.person', $1, false)", str(tender.manager.id))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await app_role.execute(
            "UPDATE tender SET stage = 'published', rule_set = 'pcr_2015',"
            " published_requirement = 1, version = version + 1 WHERE id = $1",
            tender.id,
        )
    assert getattr(refused.value, "constraint_name", None) == "tender_transition"


# -- abandoning ------------------------------------------------------------------------------------


async def test_an_abandoned_tender_shows_its_reason_and_goes_nowhere(world: World) -> None:
    tender = await published_tender(world)
    answer = await tender.act(tender.manager, "/abandonment", {"reason": "Funds were withdrawn."})
    assert answer.json()["status"] == "abandoned"
    view = (await world.public(tender.path)).json()
    assert view["abandoned_because"] == "Funds were withdrawn."
    assert {lot["stage"] for lot in view["lots"]} == {"abandoned"}
    for path in ("/abandonment", "/publication", "/revisions"):
        body = {"reason": "Again."} if path == "/abandonment" else {}
        again = await tender.manager.post(f"{tender.path}{path}", body, version=tender.version)
        assert (again.status_code, kind(again)) == (409, "transition-refused")


async def test_a_draft_that_is_abandoned_stays_unknown_to_the_public(world: World) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/abandonment", {"reason": "No need any more."})
    assert (await world.public(tender.path)).status_code == 404
    assert (await world.public("/tenders")).json()["items"] == []


async def test_a_reason_is_needed_to_abandon_and_the_manager_gives_it(world: World) -> None:
    tender = await drafted_tender(world)
    for body in ({}, {"reason": ""}, {"reason": " \n"}, {"reason": "x\x00"}):
        answer = await tender.manager.post(
            f"{tender.path}/abandonment", body, version=tender.version
        )
        assert (answer.status_code, kind(answer)) == (400, "malformed")
    answer = await tender.author.post(
        f"{tender.path}/abandonment", {"reason": "Tired."}, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")


async def test_a_tender_can_be_abandoned_while_approved(world: World) -> None:
    tender = await drafted_tender(world)
    await approve(tender)
    answer = await tender.act(tender.manager, "/abandonment", {"reason": "Merged with another."})
    assert answer.json()["status"] == "abandoned"


async def test_a_tender_of_which_a_contract_came_is_not_abandoned_whole(world: World) -> None:
    tender = (await contracted_lot(world)).tender
    view = (await tender.manager.get(tender.path)).json()
    answer = await tender.manager.post(
        f"{tender.path}/abandonment", {"reason": "Second thoughts."}, version=view["version"]
    )
    assert (answer.status_code, kind(answer)) == (409, "contract-made")
    assert (await tender.manager.get(tender.path)).json() == view
