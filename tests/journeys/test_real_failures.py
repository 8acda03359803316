"""Failures that happened, lived through here: each is found, said aloud and stopped."""

from market.actor import Role
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    open_bids,
    some_suppliers,
    submit,
)
from tests.makers.evaluation import EvaluatedLot, ranked_lot, recommend, recommended_lot
from tests.makers.participants import consortium_member
from tests.makers.recusals import decide_conflict, register_interest
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import (
    approve,
    assign,
    drafted_tender,
    offer,
    publish,
    published_tender,
    take_up,
)
from tests.makers.world import Person, World

# -- Tower Hamlets, 2017 ---------------------------------------------------------------------------


async def test_a_panel_member_who_declared_before_bids_and_works_for_a_bidder(world: World) -> None:
    """Declared at the start, before bids, and never revisited: here it comes back by itself."""
    tender = await published_tender(world)
    suppliers = await some_suppliers(world, 2)
    employer = suppliers[0]
    late = await world.person("Tess Part-Time", tender.manager.organisation, Role.COMMISSIONER)
    await register_interest(
        world,
        late,
        relationship="employee",
        organisation=str(employer.organisation),
        nature="I work one day a week as an analyst.",
    )
    given = await offer(tender.manager, tender.id, late, "quality_evaluator")
    assert given.status_code == 201, given.text
    hidden = await take_up(late, tender.id, "nothing_to_declare")
    assert (hidden.status_code, hidden.json()["type"]) == (409, "/problems/register-says-otherwise")
    assert (await take_up(late, tender.id, "as_registered")).status_code == 201
    for supplier in suppliers:
        await submit(supplier, tender, 1)
    await open_bids(world, tender)

    said_none = await declare(late, tender)
    assert said_none.json()["may_act"] is False
    path = f"{tender.path}/lots/1/evaluation/bids"
    refused = await late.get(path)
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/conflict-of-interest"
    assert "employee" in refused.json()["detail"]

    await declare(tender.guardian, tender)
    found = (await tender.guardian.get(f"{tender.path}/conflicts")).json()
    [conflict] = [item for item in found if item["person"] == str(late.id)]
    assert conflict["bidder"] == str(employer.organisation)
    assert conflict["sources"] == ["service"]
    assert not conflict["excusable"]
    assert "Tess Part-Time is employed by Supplier 1." in [
        route["sentence"] for route in conflict["paths"]
    ]
    excused = await decide_conflict(tender.guardian, tender, late, employer, "no_action")
    assert (excused.status_code, excused.json()["type"]) == (403, "/problems/never-excusable")
    removed = await decide_conflict(tender.guardian, tender, late, employer, "removed")
    assert removed.status_code == 201, removed.text
    assert (await late.get(path)).status_code in {403, 404}


# -- Tameside, 17 January 2017 ---------------------------------------------------------------------


async def test_an_interest_in_the_register_that_is_not_declared_in_the_meeting(
    world: World,
) -> None:
    """In the register, and not said when the company was invited: the market says it."""
    tender = await drafted_tender(world)
    company = await admitted_supplier(world, "Company Invited")
    officer = tender.approvers[0]
    await register_interest(
        world,
        officer,
        relationship="shareholder",
        organisation=str(company.organisation),
        share="12",
    )
    await approve(tender)
    await publish(tender)
    await submit(company, tender, 1)
    await open_bids(world, tender)

    view = (await declare(officer, tender)).json()
    assert view["outstanding"] == []
    assert view["may_act"] is False
    own = (await officer.get(f"{tender.path}/conflicts")).json()
    assert [item["sources"] for item in own] == [["registered"]]
    assert own[0]["paths"][0]["sentence"] == "Alan Approver holds 12 % of Company Invited."
    assert own[0]["paths"][0]["strength"] == "12"

    await declare(tender.guardian, tender)
    discuss = await decide_conflict(tender.guardian, tender, officer, company, "may_discuss")
    assert discuss.status_code == 201, discuss.text
    bids = await officer.get(f"{tender.path}/lots/1/evaluation/bids")
    assert bids.status_code == 200, bids.text
    listed = (await officer.get(f"{tender.path}/conflict-decisions")).json()
    assert [item["outcome"] for item in listed] == ["may_discuss"]


async def test_who_may_discuss_does_not_approve_and_the_award_waits(world: World) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    officer, lay = tender.approvers
    await register_interest(
        world, officer, relationship="adviser", organisation=str(lot.suppliers[0].organisation)
    )
    path = f"{lot.path}/approvals"
    body = {"outcome": "approved", "reason": "It follows from the scores."}
    refused = await officer.post(path, body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/conflict-of-interest")

    await declare(tender.guardian, tender)
    await decide_conflict(tender.guardian, tender, officer, lot.suppliers[0], "may_discuss")
    still = await officer.post(path, body)
    assert still.status_code == 403
    assert "discuss" in still.json()["detail"]
    assert (await lay.post(path, body)).json()["stage"] == "recommended"
    waiting = " ".join(item["what"] for item in (await lot.evaluation())["missing"])
    assert "Alan Approver" in waiting

    another = await world.person("Anna Another", tender.manager.organisation, Role.COMMISSIONER)
    assert (await assign(tender.manager, tender.id, another, "award_approver")).status_code == 201
    await declare(another, tender)
    assert (await another.post(path, body)).json()["stage"] == "awarded"


# -- Consultant Connect v NHS Bath, 2022 -----------------------------------------------------------


async def test_a_competition_with_one_invitee_and_two_conflicted_staff(world: World) -> None:
    """One company bids; both people who would decide are bound to it: nothing is awarded."""
    lot = await ranked_lot(world, prices=("100.00",))
    tender, company = lot.tender, lot.suppliers[0]
    officer, lay = tender.approvers
    await register_interest(
        world, officer, relationship="adviser", organisation=str(company.organisation)
    )
    await declare(lay, tender, "non_financial_personal", "The director is an old friend.")
    answer = await recommend(lot)
    assert answer.status_code == 201, answer.text
    body = {"outcome": "approved", "reason": "It follows from the scores."}
    for person in (officer, lay):
        refused = await person.post(f"{lot.path}/approvals", body)
        assert refused.json()["type"] == "/problems/conflict-of-interest"
    view = await lot.evaluation()
    assert view["stage"] == "recommended"
    waiting = " ".join(item["what"] for item in view["missing"])
    assert "Alan Approver" in waiting
    assert "Lily Lay" in waiting
    assert "lay member" in waiting
    await _ensure_refusals_are_on_record(lot, officer, lay)


async def _ensure_refusals_are_on_record(lot: EvaluatedLot, *people: Person) -> None:
    record = (await lot.tender.manager.get(f"{lot.tender.path}/record?limit=200")).json()
    refused = {
        item["person"]
        for item in record["items"]
        if item["action"] == "request.refused"
        and item["details"]["refusal"] == "conflict-of-interest"
    }
    assert {str(person.id) for person in people} <= refused


async def test_whoever_opens_is_out_as_well_when_their_company_takes_part(world: World) -> None:
    """A consortium's member counts as a bidder: its people do not open, and nobody excuses it."""
    tender = await published_tender(world)
    lead, member = await some_suppliers(world, 2)
    opener = tender.openers[0]
    await register_interest(
        world, opener, relationship="director", organisation=str(member.organisation)
    )
    body = bid_body(asked(tender, 1))
    body["participants"] = [consortium_member(member.organisation)]
    assert (await give_bid(lead, tender, 1, body)).status_code == 201
    await close_bidding(world, tender)
    await declare(opener, tender)
    refused = await confirm(opener, tender)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/conflict-of-interest")
