"""The assurance report over HTTP: who reads what of it when, and the page that says the same."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import rfc8785

from market.actor import Actor, Role
from market.people.commands import begin_session
from tests.makers.assurance import (
    auditor_of,
    person_in,
    public_report,
    report_of,
    report_path,
    sentences_of,
)
from tests.makers.bids import close_bidding, declare, some_suppliers, submit
from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    contracted_lot,
    lot_to_score,
    notified_lot,
    recommended_lot,
)
from tests.makers.recusals import decide_conflict, register_interest
from tests.makers.tenders import (
    assign,
    drafted_tender,
    market_time,
    offer,
    published_tender,
    requirement_of,
    take_up,
)
from tests.makers.world import World

WORDS = "My cousin sold me the shares in Supplier 2."


# -- who reads it, and when -----------------------------------------------------------------------


async def test_manager_guardian_and_auditors_read_it_from_the_draft_on_and_nobody_else(
    world: World,
) -> None:
    tender = await drafted_tender(world, lots=1)
    auditor, other = await auditor_of(world), await auditor_of(world, "06P")
    for person in (tender.manager, tender.guardian, auditor):
        report = await report_of(tender, person)
        assert report["audience"] == "inside"
        assert report["statement"]["looked_at"]["bidders"] is None
        assert [sentence.split(",")[0] for sentence in sentences_of(report)] == [
            "Mary Manager began the tender",
            "Mary Manager gave 12 duties",
            "Arthur Author wrote version 1 of the requirement",
        ]
    assert (await other.get(report_path(tender))).status_code == 404
    assert (await world.public(report_path(tender))).status_code == 404
    for person in (tender.author, tender.moderator, *tender.approvers, *tender.openers):
        answer = await person.get(report_path(tender))
        assert answer.status_code == 403, person.name
        assert "only the tender's manager" in answer.json()["detail"]
        assert (await person.get(f"{report_path(tender)}/page")).status_code == 403
    second = await world.person(
        "Gus Guardian", tender.manager.organisation, Role.CONFLICTS_GUARDIAN
    )
    assert (await offer(tender.manager, tender.id, second, "guardian")).status_code == 201
    early = await second.get(report_path(tender))
    assert (early.status_code, early.json()["type"]) == (403, "/problems/duty-not-taken-up")
    assert (await take_up(second, tender.id)).status_code == 201
    assert (await second.get(report_path(tender))).status_code == 200
    assert (await tender.manager.get(f"/tenders/{uuid4()}/assurance-report")).status_code == 404


async def test_a_duty_counts_for_the_organisation_one_acts_for(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world, lots=1)
    luton = await world.organisation("06P")
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (action, subject_kind, subject, request, details)"
            " VALUES ('test.acted', 'person', gen_random_uuid(), 'test', '{}')"
        )
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
            uuid4(),
            tender.manager.id,
            luton,
            "commissioner",
        )
    session = await begin_session(Actor(person=tender.manager.id), tender.manager.id, luton, 3600)
    answer = await world.client.get(
        f"/api/v1{report_path(tender)}", headers={"Authorization": f"Bearer {session.token}"}
    )
    assert answer.status_code == 403
    assert (await tender.manager.get(report_path(tender))).status_code == 200


async def test_before_the_opening_nothing_tells_of_bidders_and_the_report_says_so(
    world: World,
) -> None:
    tender = await published_tender(world, lots=1)
    auditor = await auditor_of(world)
    suppliers = await some_suppliers(world, 2)
    for supplier in suppliers:
        await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender, "financial", WORDS)
    await declare(tender.guardian, tender)
    decided = await decide_conflict(
        tender.guardian, tender, tender.openers[0], suppliers[0], "removed"
    )
    assert decided.status_code == 201
    for person in (tender.manager, tender.guardian, auditor):
        answer = await person.get(report_path(tender))
        report = answer.json()
        for secret in (
            *("Supplier 1", "Supplier 2", WORDS, "removed", "decided_conflict"),
            *(str(supplier.organisation) for supplier in suppliers),
        ):
            assert secret not in answer.text, (person.name, secret)
        assert all(
            one["about_bidders"] == one["connections"] == one["decisions"] == []
            for one in report["people"]
        )
        assert "withheld until the opening" in report["withheld"][0]
        assert report["withheld"][0] == report["statement"]["sentences"][-1]
        assert "in what this statement covers" in report["statement"]["sentences"][0]
        page = await person.get(f"{report_path(tender)}/page")
        assert "withheld until the opening" in page.text
        assert "Supplier 1" not in page.text
    for stranger in (suppliers[0], tender.openers[1]):
        assert (await stranger.get(report_path(tender))).status_code == 403
    assert (await world.public(report_path(tender))).status_code == 403


async def test_after_the_opening_those_inside_read_who_declared_what_and_a_manager_once_declared(
    world: World,
) -> None:
    lot = await lot_to_score(world)
    tender, auditor = lot.tender, await auditor_of(world)
    eve = tender.quality_evaluators[0]
    await declare(eve, tender, "indirect", WORDS)
    await declare(tender.guardian, tender)
    body = {
        "person": str(eve.id),
        "bidder": str(lot.suppliers[0].organisation),
        "outcome": "may_discuss",
        "reason": "The holding is a small part of a fund.",
        "mitigation": "She answers questions of fact alone.",
    }
    decided = await tender.guardian.post(f"{tender.path}/conflict-decisions", body)
    assert decided.status_code == 201
    for person in (tender.manager, tender.guardian, auditor):
        report = await report_of(tender, person)
        found = person_in(report, "Eve Evaluator")
        declared = {
            (one["bidder_name"], one["interest"], one["details"]) for one in found["about_bidders"]
        }
        assert ("Supplier 1", "indirect", WORDS) in declared
        [decision] = found["decisions"]
        assert decision["outcome"] == "may_discuss"
        assert decision["reason"] == body["reason"]
        assert decision["mitigation"] == body["mitigation"]
        assert decision["decided_by_name"] == "Grace Guardian"
        assert report["statement"]["looked_at"]["bidders"] == 3
        assert any("made 1 decision about interests" in said for said in sentences_of(report))
        # which bid is whose is told nowhere
        assert "Bidder A" not in json.dumps(report)
    second = await world.person("Max Manager", tender.manager.organisation, Role.PROCUREMENT_LEAD)
    assert (await assign(tender.manager, tender.id, second, "tender_manager")).status_code == 201
    answer = await second.get(report_path(tender))
    assert "Supplier" not in answer.text
    assert WORDS not in answer.text
    assert "until you have declared" in answer.json()["withheld"][0]
    await declare(second, tender)
    assert "Supplier 1" in (await second.get(report_path(tender))).text
    await declare(second, tender, "financial", "I bought some.")
    assert "Supplier" not in (await second.get(report_path(tender))).text


async def test_everybody_reads_it_once_the_bidders_of_every_lot_have_been_told(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    assert (await world.public(report_path(tender))).status_code == 403
    eve = tender.quality_evaluators[0]
    await declare(eve, tender, "financial", WORDS)
    await declare(tender.guardian, tender)
    for supplier in lot.suppliers:
        assert (
            await decide_conflict(tender.guardian, tender, eve, supplier, "must_leave")
        ).status_code == 201
    for approver in tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    assert (await world.public(report_path(tender))).status_code == 403
    await lot.done(tender.manager, "/award-notices")
    answer = await world.public(report_path(tender))
    report = answer.json()
    assert report["audience"] == "public"
    [told] = report["lots"]
    assert (told["supplier_name"], told["stage"]) == ("Supplier 1", "notified")
    for secret in ("Supplier 2", "Supplier 3", WORDS, "Weighed against", "Bidder A", "110.00"):
        assert secret not in answer.text, secret
    for supplier in lot.suppliers[1:]:
        assert str(supplier.organisation) not in answer.text
    found = person_in(report, "Eve Evaluator")
    interests = [one for one in found["about_bidders"] if one["interest"] == "financial"]
    assert sorted(str(one["bidder_name"]) for one in interests) == ["None", "None", "Supplier 1"]
    assert {one["details"] for one in found["about_bidders"]} == {None}
    assert [one["outcome"] for one in found["decisions"]] == ["must_leave"] * 3
    assert {one["reason"] for one in found["decisions"]} == {None}
    assert report["statement"]["forbidden_pairs"] == 0
    assert report["statement"]["acts_not_entitled"] == 0
    assert report["statement"]["sentences"][0].startswith("No forbidden pair exists in this tender")
    # those inside read on as before
    assert "Supplier 2" in (await tender.manager.get(report_path(tender))).text


async def test_of_two_lots_the_one_that_waits_keeps_the_report_from_the_public(
    world: World,
) -> None:
    requirement = requirement_of(2)
    lot = await _two_lots(world, requirement)
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    await lot.done(lot.tender.manager, "/award-notices")
    assert (await world.public(f"{lot.path}/award")).status_code == 200
    assert (await world.public(report_path(lot.tender))).status_code == 403
    version = (await lot.tender.manager.get(f"{lot.tender.path}/lots/2/evaluation")).json()
    given_up = await lot.tender.manager.post(
        f"{lot.tender.path}/lots/2/abandonment",
        {"reason": "Nobody bid for it."},
        version=version["version"],
    )
    assert given_up.status_code == 201, given_up.text
    report = await public_report(world, lot.tender)
    assert [one["stage"] for one in report["lots"]] == ["notified", "abandoned"]
    assert any("Mary Manager abandoned lot 2, on" in said for said in sentences_of(report))


async def _two_lots(world: World, requirement: dict[str, Any]) -> EvaluatedLot:
    """A tender of two lots, of which only the first has bids and is recommended."""
    return await recommended_lot(world, lots=requirement["lots"])


# -- what it says ---------------------------------------------------------------------------------


async def test_it_says_who_did_what_of_everything_that_was_done(world: World) -> None:
    lot = await contracted_lot(world)
    said = " ".join(sentences_of(await public_report(world, lot.tender)))
    for sentence in (
        "Mary Manager began the tender",
        "Mary Manager gave 12 duties",
        "Arthur Author wrote version 1 of the requirement",
        "Mary Manager asked for the review of the requirement",
        "Ruth Reviewer reviewed and approved version 1 of the requirement",
        "Mary Manager published the tender",
        "Olive Opener confirmed the opening of the bids",
        "Oscar Opener confirmed the opening of the bids",
        "opened 3 quality envelopes of lot 1",
        "Eve Evaluator gave 9 scores in lot 1",
        "Emil Evaluator finished scoring lot 1",
        "Mona Moderator recorded 9 agreed scores in lot 1",
        "Mona Moderator decided the quality of 3 bids in lot 1",
        "Petra Price opened 2 price envelopes of lot 1",
        "Petra Price ranked the bids of lot 1",
        "Mona Moderator made 1 recommendation for lot 1",
        "Alan Approver approved the award of lot 1",
        "Lily Lay approved the award of lot 1",
        "Mary Manager sent 3 award notices for lot 1",
        "Colin Contract recorded the contract for lot 1",
    ):
        assert f"{sentence}, " in said
    helpers = (await public_report(world, lot.tender))["helpers"]
    assert [(one["name"], one["buys"], one["people"]) for one in helpers] == [
        ("NHS Bedfordshire CCG", True, 12),
        ("NHS Luton CCG", False, 1),
    ]


async def test_it_shows_duties_with_exemptions_delegations_releases_and_registers(
    world: World,
) -> None:
    tender = await drafted_tender(world, lots=1)
    auditor = await auditor_of(world)
    luton = await world.organisation("06P")
    now = await market_time(world)
    administrator = await world.person(
        "Ada Administrator", tender.manager.organisation, Role.ADMINISTRATOR
    )
    given = await administrator.post(
        f"/organisations/{tender.manager.organisation}/award-delegations",
        {
            "delegate": str(luton),
            "authority": "Governing body, 12 March 2030, item 7.",
            "starts_on": now.date().isoformat(),
            "ends_on": (now + timedelta(days=200)).date().isoformat(),
        },
    )
    assert given.status_code == 201, given.text
    fred = await world.person("Fred Federation", luton, Role.COMMISSIONER)
    await register_interest(
        world,
        fred,
        counterparty="Quiet Holdings Ltd",
        consents=False,
        consent_refused_because="It would let somebody find us.",
    )
    assert (await offer(tender.manager, tender.id, fred, "award_approver")).status_code == 201
    assert (await take_up(fred, tender.id, "as_registered")).status_code == 201
    exempted = await tender.guardian.post(
        f"{tender.path}/exemptions",
        {
            "person": str(tender.author.id),
            "duties": ["quality_evaluator", "author"],
            "reason": "She is the only clinician who can judge the medicines lot.",
            "expires_at": (now + timedelta(days=90)).isoformat(),
        },
    )
    assert exempted.status_code == 201, exempted.text
    assert (
        await assign(tender.manager, tender.id, tender.author, "quality_evaluator")
    ).status_code == 201
    report = await report_of(tender, tender.guardian)
    assert report["statement"]["findings"] == []
    assert report["statement"]["looked_at"]["pairs"] == 1
    [duty] = person_in(report, "Fred Federation")["duties"]
    assert duty["organisation_name"] == "NHS Luton CCG"
    assert duty["suspended_because"] is None
    [under] = duty["delegated_by"]
    assert (under["delegator_name"], under["authority"]) == (
        "NHS Bedfordshire CCG",
        "Governing body, 12 March 2030, item 7.",
    )
    [exemption] = person_in(report, "Arthur Author")["exemptions"]
    assert exemption["duties"] == ["author", "quality_evaluator"]
    assert exemption["reason"].startswith("She is the only clinician")
    assert exemption["revoked_at"] is None
    # what the holder did not consent to publish is for guardian and auditors
    for person, seen in (
        (tender.guardian, "Quiet Holdings Ltd"),
        (auditor, "Quiet Holdings Ltd"),
        (tender.manager, None),
    ):
        one = person_in(await report_of(tender, person), "Fred Federation")
        assert [item["counterparty"] for item in one["interests"]] == [seen]
        assert [item["withheld"] for item in one["interests"]] == [seen is None]
        assert [item["statement"] for item in one["on_taking_duty"]] == ["as_registered"]
    ended = await tender.guardian.post(
        f"{tender.path}/exemptions/{exempted.json()['id']}/revocation",
        {"reason": "Another clinician has joined the panel."},
    )
    assert ended.status_code == 201, ended.text
    duties = (await tender.manager.get(f"{tender.path}/duties")).json()
    [held] = [one for one in duties if one["person"] == str(fred.id)]
    assert (await tender.manager.delete(f"{tender.path}/duties/{held['id']}")).status_code == 200
    report = await report_of(tender, auditor)
    [exemption] = person_in(report, "Arthur Author")["exemptions"]
    assert exemption["revoked_because"] == "Another clinician has joined the panel."
    assert {one["suspended_because"] for one in person_in(report, "Arthur Author")["duties"]} == {
        "exemption_missing"
    }
    [duty] = person_in(report, "Fred Federation")["duties"]
    assert duty["released_at"] is not None
    # the pair was lawful when it began
    assert report["statement"]["findings"] == []


async def test_refusals_are_counted_with_their_reasons_inside_and_without_names_of_outsiders(
    world: World,
) -> None:
    lot = await notified_lot(world)
    tender = lot.tender
    for _ in range(3):
        assert (await approve(lot, tender.author)).status_code == 403
    refused = await lot.suppliers[0].post(f"{tender.path}/review-requests", version=1)
    assert refused.status_code == 403
    inside = (await report_of(tender, tender.guardian))["refusals"]
    [author] = [one for one in inside if one["name"] == "Arthur Author"]
    assert (author["operation"], author["refusal"], author["times"]) == (
        "evaluation.approve",
        "duty-needed",
        3,
    )
    assert author["reason"].startswith("Only an award approver of this tender can approve")
    assert any(one["name"].startswith("Bea ") for one in inside)
    outside = (await public_report(world, tender))["refusals"]
    assert {one["reason"] for one in outside} == {None}
    assert sorted(str(one["name"]) for one in outside) == ["Arthur Author", "None"]
    assert {one["times"] for one in outside} == {1, 3}


# -- the digest and the page ----------------------------------------------------------------------


async def test_the_digest_is_of_the_report_and_stays_while_nothing_changes(world: World) -> None:
    lot = await notified_lot(world)
    report = await public_report(world, lot.tender)
    again = await public_report(world, lot.tender)
    assert report["computed_at"] < again["computed_at"]
    assert report["digest"] == again["digest"]
    assert report["as_of"] <= report["computed_at"]
    content = {key: value for key, value in report.items() if key not in {"digest", "computed_at"}}
    assert hashlib.sha256(rfc8785.dumps(content)).hexdigest() == report["digest"]
    assert (await report_of(lot.tender, lot.tender.manager))["digest"] != report["digest"]
    assert (await approve(lot, lot.tender.author)).status_code == 403
    assert (await public_report(world, lot.tender))["digest"] != report["digest"]
    page = await world.public(f"{report_path(lot.tender)}/page")
    assert (await public_report(world, lot.tender))["digest"] in page.text


@pytest.mark.parametrize("path", ["/assurance-report", "/assurance-report/page"])
async def test_bad_addresses_are_refused_plainly(world: World, path: str) -> None:
    tender = await drafted_tender(world, lots=1)
    assert (await tender.manager.get(f"/tenders/nobody{path}")).status_code == 404
    unknown = await tender.manager.get(f"{tender.path}{path}", params={"as_of": "yesterday"})
    assert unknown.status_code == 400
