"""The review: independent, of the version that is published, and in writing."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from market.actor import Role
from tests.makers.tenders import (
    approved_tender,
    assign,
    created_tender,
    drafted_tender,
    write_requirement,
)
from tests.makers.world import World

APPROVED = {"outcome": "approved", "comments": "It favours nobody."}
RETURNED = {"outcome": "returned", "comments": "Question Q2 names a product."}


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_a_returned_requirement_is_a_draft_again_and_its_author_reads_why(
    world: World,
) -> None:
    tender = await drafted_tender(world)
    asked = await tender.act(tender.manager, "/review-requests")
    assert asked.json()["status"] == "in_review"
    answer = await tender.act(tender.reviewer, "/reviews", RETURNED)
    assert answer.json()["status"] == "draft"
    (version,) = (await tender.author.get(f"{tender.path}/requirement/versions")).json()
    (review,) = version["reviews"]
    assert (review["outcome"], review["comments"]) == ("returned", RETURNED["comments"])
    assert review["reviewer_name"] == "Ruth Reviewer"
    await write_requirement(tender)


async def test_an_author_does_not_review(world: World) -> None:
    tender = await drafted_tender(world)
    answer = await assign(tender.manager, tender.id, tender.author, "reviewer")
    assert (answer.status_code, kind(answer)) == (403, "duty-clash")
    await tender.act(tender.manager, "/review-requests")
    for person in (tender.author, tender.manager, tender.guardian):
        answer = await person.post(f"{tender.path}/reviews", APPROVED, version=tender.version)
        assert (answer.status_code, kind(answer)) == (403, "duty-needed")
        assert "reviewer" in answer.json()["detail"]


async def test_there_is_something_to_review(world: World) -> None:
    lead = await world.person("Lena", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    path = f"/tenders/{(await created_tender(lead))['id']}"
    answer = await lead.post(f"{path}/review-requests", version=1)
    assert (answer.status_code, kind(answer)) == (409, "requirement-missing")


async def test_a_review_is_given_when_asked_for_and_once(world: World) -> None:
    tender = await drafted_tender(world)
    early = await tender.reviewer.post(f"{tender.path}/reviews", APPROVED, version=tender.version)
    assert (early.status_code, kind(early)) == (409, "not-in-review")
    await tender.act(tender.manager, "/review-requests")
    again = await tender.manager.post(f"{tender.path}/review-requests", version=tender.version)
    assert (again.status_code, kind(again)) == (409, "transition-refused")
    answers = await asyncio.gather(
        *(
            tender.reviewer.post(f"{tender.path}/reviews", body, version=tender.version)
            for body in (APPROVED, RETURNED, APPROVED)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    (version,) = (await tender.author.get(f"{tender.path}/requirement/versions")).json()
    assert len(version["reviews"]) == 1


async def test_a_requirement_in_review_is_not_edited(world: World) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/review-requests")
    answer = await tender.author.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (409, "requirement-settled")


async def test_a_revised_requirement_needs_another_review(world: World) -> None:
    tender = await approved_tender(world)
    revised = await tender.act(tender.manager, "/revisions")
    assert revised.json()["status"] == "draft"
    answer = await tender.manager.post(f"{tender.path}/publication", version=tender.version)
    assert (answer.status_code, kind(answer)) == (409, "transition-refused")
    again = await tender.manager.post(f"{tender.path}/revisions", version=tender.version)
    assert (again.status_code, kind(again)) == (409, "transition-refused")


async def test_a_requirement_in_review_is_not_taken_back_as_if_it_were_approved(
    world: World,
) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/review-requests")
    answer = await tender.manager.post(f"{tender.path}/revisions", version=tender.version)
    assert (answer.status_code, kind(answer)) == (409, "transition-refused")


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": "approved"},
        {"outcome": "approved", "comments": "  "},
        {"outcome": "approved", "comments": "\x00"},
        {"outcome": "approved", "comments": "x" * 20_001},
        {"outcome": "perhaps", "comments": "Hm."},
        APPROVED | {"reviewer": "somebody"},
    ],
)
async def test_a_review_has_an_outcome_and_comments(world: World, body: dict[str, Any]) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/review-requests")
    answer = await tender.reviewer.post(f"{tender.path}/reviews", body, version=tender.version)
    assert (answer.status_code, kind(answer)) == (400, "malformed")


async def test_a_review_needs_the_version_that_was_read(world: World) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/review-requests")
    without = await tender.reviewer.post(f"{tender.path}/reviews", APPROVED)
    assert (without.status_code, kind(without)) == (428, "precondition-missing")
    stale = await tender.reviewer.post(
        f"{tender.path}/reviews", APPROVED, version=tender.version - 1
    )
    assert (stale.status_code, kind(stale)) == (412, "stale")


async def test_the_database_approves_nothing_that_was_not_reviewed(
    world: World, app_role: Any
) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/review-requests")
    person = tender.author.id
    await app_role.execute("SELECT set_config('market.person', $1, false)", str(person))
    review = (
        "INSERT INTO review (id, tender, requirement, reviewer, outcome, comments)"
        " VALUES (gen_random_uuid(), $1, 1, $2, 'approved', 'Fine.')"
    )
    approval = "UPDATE tender SET stage = 'approved', version = version + 1 WHERE id = $1"
    for statement, arguments, promise in (
        (review, (tender.id, person), "duty_needed"),
        (review, (tender.id, tender.reviewer.id), "acts_in_own_name"),
        (approval, (tender.id,), "duty_needed"),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await app_role.execute(statement, *arguments)
        assert getattr(refused.value, "constraint_name", None) == promise
    await app_role.execute("SELECT set_config('market.person', $1, false)", str(tender.manager.id))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await app_role.execute(approval, tender.id)
    assert getattr(refused.value, "constraint_name", None) == "tender_reviewed"
