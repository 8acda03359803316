"""Duties: who gives them, which one person never holds together, and what a race cannot do."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from market.actor import Role
from market.organisations.rules import OrganisationKind
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import assign, created_tender, drafted_tender, published_tender
from tests.makers.world import Person, World


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


async def draft(world: World) -> tuple[Person, str]:
    bedfordshire = await world.organisation("06F")
    lead = await world.person("Lena Lead", bedfordshire, Role.PROCUREMENT_LEAD)
    return lead, (await created_tender(lead))["id"]


async def colleague(world: World, name: str = "Cora Colleague") -> Person:
    return await world.person(name, await world.organisation("06F"), Role.COMMISSIONER)


@pytest.mark.parametrize("other", ["opener", "price_evaluator", "moderator", "award_approver"])
async def test_an_author_decides_nothing_in_whichever_order(world: World, other: str) -> None:
    lead, tender = await draft(world)
    for first, second in (("author", other), (other, "author")):
        person = await colleague(world)
        assert (await assign(lead, tender, person, first)).status_code == 201
        answer = await assign(lead, tender, person, second)
        assert (answer.status_code, kind(answer)) == (403, "duty-clash")
        detail = answer.json()["detail"]
        assert first.replace("_", " ") in detail
        assert second.replace("_", " ") in detail


async def test_the_manager_does_not_take_a_duty_that_decides(world: World) -> None:
    lead, tender = await draft(world)
    for duty in ("quality_evaluator", "price_evaluator", "moderator", "award_approver", "guardian"):
        answer = await assign(lead, tender, lead, duty)
        assert (answer.status_code, kind(answer)) == (403, "duty-clash")


async def test_a_pair_that_a_guardian_could_exempt_says_so(world: World) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    await assign(lead, tender, person, "author")
    answer = await assign(lead, tender, person, "quality_evaluator")
    assert (answer.status_code, kind(answer)) == (403, "duty-clash")
    assert "exemption by the conflicts guardian" in answer.json()["detail"]


async def test_having_held_a_duty_keeps_counting(world: World) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    given = (await assign(lead, tender, person, "author")).json()
    released = await lead.delete(f"/tenders/{tender}/duties/{given['id']}")
    assert released.json()["released_at"] is not None
    clashing = await assign(lead, tender, person, "opener")
    assert (clashing.status_code, kind(clashing)) == (403, "duty-clash")
    again = await assign(lead, tender, person, "author")
    assert (again.status_code, kind(again)) == (409, "duty-held-already")
    twice = await lead.delete(f"/tenders/{tender}/duties/{given['id']}")
    assert (twice.status_code, kind(twice)) == (409, "duty-released-already")
    assert (await person.get(f"/tenders/{tender}/duties")).status_code == 404


async def test_a_tender_keeps_a_manager(world: World) -> None:
    lead, tender = await draft(world)
    (own,) = (await lead.get(f"/tenders/{tender}/duties")).json()
    answer = await lead.delete(f"/tenders/{tender}/duties/{own['id']}")
    assert (answer.status_code, kind(answer)) == (409, "last-tender-manager")
    second = await colleague(world)
    assert (await assign(lead, tender, second, "tender_manager")).status_code == 201
    assert (await lead.delete(f"/tenders/{tender}/duties/{own['id']}")).status_code == 200
    assert kind(await assign(lead, tender, second, "opener")) == "duty-needed"


async def test_two_managers_do_not_release_each_other(world: World) -> None:
    for _ in range(5):
        lead, tender = await draft(world)
        second = await colleague(world)
        await assign(lead, tender, second, "tender_manager")
        held = {
            duty["person"]: duty["id"]
            for duty in (await lead.get(f"/tenders/{tender}/duties")).json()
        }
        answers = await asyncio.gather(
            lead.delete(f"/tenders/{tender}/duties/{held[str(second.id)]}"),
            second.delete(f"/tenders/{tender}/duties/{held[str(lead.id)]}"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_only_the_manager_gives_and_takes_duties(world: World) -> None:
    tender = await drafted_tender(world)
    person = await colleague(world)
    for holder in (tender.author, tender.guardian, person):
        answer = await assign(holder, tender.id, person, "opener")
        assert (answer.status_code, kind(answer)) == (403, "duty-needed")
    stranger = await world.person("Sid", await world.organisation("04F"), Role.PROCUREMENT_LEAD)
    assert (await assign(stranger, tender.id, person, "opener")).status_code == 404


async def test_a_duty_is_held_for_one_s_own_organisation(world: World) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    luton = str(await world.organisation("06P"))
    body = {"person": str(person.id), "organisation": luton, "duty": "reviewer"}
    answer = await lead.post(f"/tenders/{tender}/duties", body)
    assert (answer.status_code, kind(answer)) == (409, "not-member")
    nobody = body | {"person": str(uuid4())}
    assert kind(await lead.post(f"/tenders/{tender}/duties", nobody)) == "not-member"


@pytest.mark.parametrize(
    "changes", [{"duty": "king"}, {"person": "me"}, {"organisation": None}, {"until": "2030-01-01"}]
)
async def test_a_malformed_assignment_is_refused(world: World, changes: dict[str, Any]) -> None:
    lead, tender = await draft(world)
    body = {"person": str(lead.id), "organisation": str(lead.organisation), "duty": "author"}
    answer = await lead.post(f"/tenders/{tender}/duties", body | changes)
    assert (answer.status_code, kind(answer)) == (400, "malformed")


async def test_a_repeated_assignment_gets_the_same_answer(world: World) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    body = {
        "person": str(person.id),
        "organisation": str(person.organisation),
        "duty": "moderator",
    }
    headers = {"Idempotency-Key": str(uuid4())}
    first = await lead.post(f"/tenders/{tender}/duties", body, headers=headers)
    again = await lead.post(f"/tenders/{tender}/duties", body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_holders_of_duties_see_all_of_them_and_nobody_else_does(world: World) -> None:
    tender = await drafted_tender(world)
    path = f"{tender.path}/duties"
    for holder in tender.everybody():
        answer = await holder.get(path)
        assert answer.status_code == 200
        assert len(answer.json()) == len(tender.everybody())
    bedfordshire = await world.organisation("06F")
    auditor = await world.person("Audrey Auditor", bedfordshire, Role.AUDITOR)
    assert (await auditor.get(path)).status_code == 200
    assert (await (await colleague(world)).get(path)).status_code == 404
    assert (await world.public(path)).status_code == 401


async def test_from_publication_on_members_of_suppliers_get_no_duty(world: World) -> None:
    supplier = await admitted_supplier(world, "A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    tender = await published_tender(world)
    answer = await assign(tender.manager, tender.id, supplier, "contract_manager")
    assert (answer.status_code, kind(answer)) == (403, "suppliers-may-not-hold-duties")


async def test_a_unit_s_staff_may_help_to_write_a_draft(world: World) -> None:
    lead, tender = await draft(world)
    unit = await admitted_supplier(world, "A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    assert (await assign(lead, tender, unit, "author")).status_code == 201
    assert (await unit.get(f"/tenders/{tender}")).json()["my_duties"] == ["author"]


async def test_a_duty_ends_to_work_with_the_membership_it_was_held_by(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("BEGIN")
    await superuser.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " VALUES (gen_random_uuid(), 'membership.ended', 'person', $1, 'test', '{}')",
        tender.manager.id,
    )
    await superuser.execute(
        "UPDATE membership SET ended_at = market_now() WHERE person = $1", tender.manager.id
    )
    await superuser.execute("COMMIT")
    answer = await assign(tender.manager, tender.id, tender.author, "contract_manager")
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")


# -- races and the database ------------------------------------------------------------------------


async def test_one_person_racing_into_two_duties_that_clash_gets_one(world: World) -> None:
    lead, tender = await draft(world)
    for number in range(20):
        person = await colleague(world, f"Racer {number}")
        answers = await asyncio.gather(
            *(
                assign(lead, tender, person, duty)
                for duty in ("author", "moderator", "award_approver")
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 403, 403]
        assert {kind(answer) for answer in answers if answer.status_code == 403} == {"duty-clash"}


async def test_a_clash_is_refused_by_the_database_too(world: World, app_role: Any) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    await assign(lead, tender, person, "author")
    insert = (
        "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
        " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)"
    )
    await app_role.execute("SELECT set_config('market.person', $1, false)", str(lead.id))
    organisation = person.organisation
    for arguments, promise in (
        ((tender, person.id, organisation, "opener", lead.id), "duty_floor"),
        ((tender, person.id, organisation, "guardian", person.id), "acts_in_own_name"),
        (
            (tender, person.id, await world.organisation("06P"), "contract_manager", lead.id),
            "duty_for_own_organisation",
        ),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await app_role.execute(insert, *arguments)
        assert getattr(refused.value, "constraint_name", None) == promise


async def test_a_refused_clash_is_on_record_with_its_reason(world: World, superuser: Any) -> None:
    lead, tender = await draft(world)
    person = await colleague(world)
    await assign(lead, tender, person, "author")
    answer = await assign(lead, tender, person, "opener")
    row = await superuser.fetchrow(
        "SELECT e.person, e.details ->> 'refusal' AS refusal, p.details ->> 'reason' AS reason"
        " FROM event e JOIN event_private p ON p.event = e.id"
        " WHERE e.action = 'request.refused' AND e.tender = $1::uuid",
        tender,
    )
    assert (row["person"], row["refusal"]) == (lead.id, "duty-clash")
    assert row["reason"] == answer.json()["detail"]


async def test_no_duty_is_given_in_an_abandoned_tender(world: World) -> None:
    tender = await drafted_tender(world)
    await tender.act(tender.manager, "/abandonment", {"reason": "No need any more."})
    answer = await assign(tender.manager, tender.id, await colleague(world), "opener")
    assert (answer.status_code, kind(answer)) == (409, "transition-refused")


async def test_an_unknown_duty_is_not_released(world: World) -> None:
    lead, tender = await draft(world)
    other = (await lead.get(f"/tenders/{await _another(lead)}/duties")).json()
    for unknown in (uuid4(), other[0]["id"]):
        assert (await lead.delete(f"/tenders/{tender}/duties/{unknown}")).status_code == 404


async def _another(lead: Person) -> str:
    return str((await created_tender(lead))["id"])
