"""Amending a published tender through HTTP: who may, what may change, and what everybody reads."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from market.actor import Role
from market.background import Workbench
from tests.makers.amendments import (
    amend,
    amended,
    amended_by,
    approve_change,
    changed,
    later,
    redraft,
    reformed,
    reweighted,
    reworded,
    version_of,
)
from tests.makers.bids import close_bidding, open_bids
from tests.makers.clock import advance_to
from tests.makers.feed import feed, number, types
from tests.makers.tenders import PublishedTender, assign, drafted_tender
from tests.makers.world import World


def kind(answer: Any) -> str:
    name: str = answer.json()["type"].rpartition("/")[2]
    return name


async def test_an_extension_is_numbered_public_and_moves_the_deadline(
    world: World, tender: PublishedTender
) -> None:
    before = tender.deadline
    view = await amended(tender, summary="A week more", deadline=later(tender, days=7))
    assert (view["number"], view["material"], view["changes"]) == (1, False, [])
    assert datetime.fromisoformat(view["deadline_before"]) == before
    assert datetime.fromisoformat(view["deadline_after"]) == tender.deadline
    shown = (await world.public(tender.path)).json()
    assert datetime.fromisoformat(shown["timetable"]["deadline"]) == tender.deadline
    assert shown["amendments"] == 1
    assert shown["latest_amendment"]["summary"] == "A week more"
    assert shown["status"] == "published"
    assert shown["version"] == view["version"]
    await amended(tender, summary="Another", deadline=later(tender, days=7))
    listed = (await world.public(f"{tender.path}/amendments")).json()["items"]
    assert [one["number"] for one in listed] == [2, 1]
    page = (await world.public(f"{tender.path}/amendments?limit=1")).json()
    rest = await world.public(f"{tender.path}/amendments?limit=1&cursor={page['next']}")
    assert [one["number"] for one in rest.json()["items"]] == [1]


async def test_what_is_published_stays_what_everybody_reads_until_the_amendment(
    world: World, tender: PublishedTender
) -> None:
    published = (await world.public(f"{tender.path}/requirement")).json()
    await approve_change(tender, changed(tender, title="Another title altogether"))
    during = (await world.public(f"{tender.path}/requirement")).json()
    assert {**during, "version": 0} == {**published, "version": 0}
    shown = (await world.public(tender.path)).json()
    assert (shown["title"], shown["requirement"]) == (published["content"]["title"], 1)
    assert shown["changed_requirement"] is None
    inside = (await tender.author.get(tender.path)).json()
    assert inside["changed_requirement"] == {"number": 2, "stage": "approved"}
    assert (await tender.author.get(f"{tender.path}/requirement/versions/2")).status_code == 200
    view = await amended(tender, takes_requirement=True)
    assert view["changes"] == [
        {
            "path": "title",
            "before": published["content"]["title"],
            "after": "Another title altogether",
            "wording": True,
        }
    ]
    after = (await world.public(f"{tender.path}/requirement")).json()
    assert (after["number"], after["content"]["title"]) == (2, "Another title altogether")
    assert after["digest"] == view["digest_after"]
    shown = (await tender.author.get(tender.path)).json()
    assert (shown["title"], shown["changed_requirement"]) == ("Another title altogether", None)


async def test_a_change_of_substance_moves_the_figures_of_its_lot(
    tender: PublishedTender, superuser: Any
) -> None:
    view = await amended_by(tender, reweighted(tender))
    paths = {change["path"]: (change["before"], change["after"]) for change in view["changes"]}
    assert paths == {
        "lots[1].criteria[P].weight": ("40", "39"),
        "lots[1].criteria[Q2].weight": ("20", "21"),
    }
    row = await superuser.fetchrow("SELECT * FROM lot WHERE number = 1")
    assert (int(row["quality_weight"]), int(row["price_weight"])) == (61, 39)
    other = await superuser.fetchrow("SELECT * FROM lot WHERE number = 2")
    assert (int(other["quality_weight"]), int(other["price_weight"])) == (60, 40)


async def test_the_amended_criteria_are_those_that_are_scored(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await amended_by(tender, reweighted(tender))
    await open_bids(world, tender)
    weights = await superuser.fetch(
        "SELECT c.code, c.weight FROM criterion c JOIN lot l ON l.id = c.lot WHERE l.number = 1"
    )
    assert {row["code"]: str(row["weight"]) for row in weights}["Q2"] == "21"
    assert await superuser.fetchval("SELECT count(*) FROM scale_value") == len(
        tender.requirement["scale"]
    )


@pytest.mark.parametrize("change", [reweighted, reformed])
async def test_what_is_material_is_computed_and_not_taken_on_trust(
    tender: PublishedTender, change: Any
) -> None:
    await approve_change(tender, change(tender))
    answer = await amend(tender, takes_requirement=True, deadline=later(tender, days=7))
    assert (answer.status_code, kind(answer)) == (400, "amendment-faulty")
    assert [fault["field"] for fault in answer.json()["errors"]] == ["material"]


async def test_a_material_amendment_needs_a_later_deadline_six_whole_days_after(
    world: World, tender: PublishedTender
) -> None:
    none = await amend(tender, material=True)
    assert kind(none) == "amendment-faulty"
    await advance_to(world, tender.deadline - timedelta(hours=2))
    soon = await amend(tender, material=True, deadline=later(tender, days=5))
    assert [fault["field"] for fault in soon.json()["errors"]] == ["deadline"]
    assert "earliest lawful" in soon.text
    extended = await amend(tender, deadline=later(tender, days=1))
    assert extended.status_code == 201, extended.text
    material = await amend(tender, material=True, deadline=later(tender, days=9))
    assert material.status_code == 201, material.text


async def test_a_deadline_is_never_put_earlier_and_an_amendment_changes_something(
    tender: PublishedTender,
) -> None:
    for days in (-1, 0, 200, 5000, None):
        deadline = None if days is None else later(tender, days=days)
        answer = await amend(tender, deadline=deadline)
        assert (answer.status_code, kind(answer)) == (400, "amendment-faulty"), answer.text
    await approve_change(tender, tender.requirement)
    answer = await amend(tender, takes_requirement=True)
    assert "nothing to take" in answer.text


async def test_lots_and_their_service_lines_stay(tender: PublishedTender) -> None:
    fewer = changed(tender)
    fewer["lots"] = fewer["lots"][:1]
    await approve_change(tender, fewer)
    answer = await amend(
        tender, takes_requirement=True, material=True, deadline=later(tender, days=7)
    )
    assert (answer.status_code, kind(answer)) == (400, "amendment-faulty")
    await tender.act(tender.manager, "/revisions")
    assert (await redraft(tender, reworded(tender))).status_code == 200


async def test_a_changed_requirement_is_reviewed_as_the_first_was(tender: PublishedTender) -> None:
    assert (await redraft(tender, reworded(tender))).status_code == 200
    early = await amend(tender, takes_requirement=True)
    assert (early.status_code, kind(early)) == (409, "not-reviewed")
    await tender.act(tender.manager, "/review-requests")
    settled = await redraft(tender, reworded(tender))
    assert (settled.status_code, kind(settled)) == (409, "requirement-settled")
    review = {"outcome": "returned", "comments": "Say it plainly."}
    await tender.act(tender.reviewer, "/reviews", review)
    view = (await tender.manager.get(tender.path)).json()
    assert view["changed_requirement"] == {"number": 2, "stage": "draft"}
    again = await tender.manager.post(
        f"{tender.path}/reviews",
        {"outcome": "approved", "comments": "Mine."},
        version=view["version"],
    )
    assert (again.status_code, kind(again)) == (403, "duty-needed")


async def test_whoever_writes_a_change_is_an_author_with_all_that_follows(
    world: World, tender: PublishedTender
) -> None:
    helper = await world.person("Hal", tender.manager.organisation, Role.COMMISSIONER)
    answer = await tender.approvers[0].put(
        f"{tender.path}/requirement", reworded(tender), version=await version_of(tender)
    )
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")
    assert (await assign(tender.manager, tender.id, helper, "author")).status_code == 201
    answer = await helper.put(
        f"{tender.path}/requirement", reworded(tender), version=await version_of(tender)
    )
    assert answer.status_code == 200
    opener = await assign(tender.manager, tender.id, helper, "opener")
    assert (opener.status_code, kind(opener)) == (403, "duty-clash")


async def test_nobody_but_the_manager_amends_and_nobody_too_early_or_too_late(
    world: World, tender: PublishedTender
) -> None:
    body = {"summary": "x", "reason": "y", "material": False, "deadline": later(tender, days=7)}
    for person, expected in (
        (tender.author, (403, "duty-needed")),
        (tender.reviewer, (403, "duty-needed")),
    ):
        answer = await person.post(
            f"{tender.path}/amendments", body, version=await version_of(tender)
        )
        assert (answer.status_code, kind(answer)) == expected
    stale = await amend(tender, version=1, deadline=later(tender, days=7))
    assert stale.status_code == 412
    await redraft(tender, reworded(tender))
    await close_bidding(world, tender)
    late = await amend(tender, deadline=later(tender, days=7))
    assert (late.status_code, kind(late)) == (409, "amendment-too-late")
    for answer in (
        await redraft(tender, reworded(tender)),
        await tender.manager.post(
            f"{tender.path}/review-requests", version=await version_of(tender)
        ),
    ):
        assert answer.status_code == 409
    draft = await drafted_tender(world)
    early = await amend(draft, deadline=later(draft, days=7))
    assert (early.status_code, kind(early)) == (409, "transition-refused")
    unknown = await world.public(f"{draft.path}/amendments")
    assert unknown.status_code == 404


async def test_an_amendment_is_on_record_and_told_in_the_feed(
    world: World, tender: PublishedTender, bench: Workbench
) -> None:
    await amended(tender, deadline=later(tender, days=7))
    record = (await tender.manager.get(f"{tender.path}/record")).json()["items"]
    told = next(one for one in record if one["action"] == "tender.amended")
    assert (told["details"]["number"], told["details"]["material"]) == (1, False)
    await number(bench)
    public = await feed(world, f"tender={tender.id}")
    assert "tender.amended" in types(public)
    assert not {"requirement.edited", "requirement.approved"} & set(types(public))
