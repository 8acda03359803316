"""The report finds what should not be, though it was written past every guard."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from market.actor import Role
from tests.makers.assurance import findings_of, guarded_report, kinds_of
from tests.makers.bids import declare, open_bids, some_suppliers, submit
from tests.makers.clock import registrar
from tests.makers.evaluation import (
    lot_to_score,
)
from tests.makers.planting import (
    join,
    leave,
    plant_confirmation,
    plant_duty,
    plant_exemption,
    plant_requirement,
    plant_score,
    unguarded,
)
from tests.makers.recusals import decide_conflict, register_interest
from tests.makers.tenders import assign, drafted_tender, published_tender
from tests.makers.world import World

# -- pairs ----------------------------------------------------------------------------------------


async def test_a_pair_on_the_floor_is_found_released_or_not(world: World, superuser: Any) -> None:
    tender = await drafted_tender(world, lots=1)
    assert await findings_of(tender) == []
    approver = tender.approvers[0]
    await plant_duty(superuser, tender, approver, "moderator")
    [finding] = await findings_of(tender)
    assert finding["kind"] == "floor_pair"
    assert (finding["name"], finding["duties"]) == (
        "Alan Approver",
        ["award_approver", "moderator"],
    )
    async with unguarded(superuser, "duty"):
        await superuser.execute(
            "UPDATE duty SET released_at = market_now() WHERE person = $1 AND duty = 'moderator'",
            approver.id,
        )
    [finding] = await findings_of(tender)
    assert finding["sentence"] == (
        "Alan Approver was both award approver and moderator of this tender, which nobody may be."
    )


async def test_an_approver_who_wrote_is_found_though_no_row_calls_them_an_author(
    world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    await plant_requirement(superuser, tender, tender.lay_member)
    findings = await findings_of(tender)
    assert [(one["kind"], one["name"], one["duties"]) for one in findings] == [
        ("acted_without_duty", "Lily Lay", ["author"]),
        ("floor_pair", "Lily Lay", ["author", "award_approver"]),
    ]
    acts = (await guarded_report(tender))["acts"]
    assert "Lily Lay wrote version 2 of the requirement" in " ".join(a["sentence"] for a in acts)


async def test_a_default_pair_is_found_unless_an_exemption_covered_its_beginning(
    world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    pair = ("author", "quality_evaluator")
    hour = timedelta(hours=1)

    async def pairs() -> list[dict[str, Any]]:
        found = await findings_of(tender)
        # exemptions dated back to before the guardian was one are found for what they are
        assert {one["act"] for one in found} <= {None, "granted_exemption", "revoked_exemption"}
        return [one for one in found if one["act"] is None]

    # over before the second duty began, and granted only after it
    await plant_exemption(
        superuser, tender, tender.author, pair, granted_ago=3 * hour, lasts=2 * hour
    )
    await plant_duty(superuser, tender, tender.author, "quality_evaluator")
    [finding] = await pairs()
    assert (finding["kind"], finding["name"]) == ("default_pair", "Arthur Author")
    assert "no exemption by the conflicts guardian covered" in finding["sentence"]
    await plant_exemption(
        superuser, tender, tender.author, pair, granted_ago=timedelta(0), lasts=hour
    )
    assert len(await pairs()) == 1
    revoked = await plant_exemption(
        superuser, tender, tender.author, pair, granted_ago=hour, lasts=2 * hour
    )
    assert await pairs() == []
    async with unguarded(superuser, "exemption_revocation"):
        await superuser.execute(
            "INSERT INTO exemption_revocation (id, exemption, reason, revoked_by, revoked_at)"
            " VALUES ($1, $2, 'It was a mistake.', $3, market_now() - interval '30 minutes')",
            uuid4(),
            revoked,
            tender.guardian.id,
        )
    [finding] = await pairs()
    assert finding["kind"] == "default_pair"


async def test_a_bidder_s_member_with_a_duty_is_found_and_what_they_did(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    eve = lot.tender.quality_evaluators[0]
    employer = lot.suppliers[1]
    assert await findings_of(lot.tender) == []
    await join(superuser, eve, employer.organisation, "bid_manager")
    [finding] = await findings_of(lot.tender)
    assert finding["kind"] == "member_of_bidder"
    assert finding["bidder_name"] == "Supplier 2"
    assert finding["sentence"] == (
        "Eve Evaluator had the duty of quality evaluator and was at the same time a member,"
        " employee or director of Supplier 2, or of its group. They did nothing with the bids."
    )
    await plant_score(superuser, lot, eve)
    findings = await findings_of(lot.tender)
    assert kinds_of(findings) == {"member_of_bidder", "acted_with_interest"}
    assert "They acted on the bids once." in " ".join(one["sentence"] for one in findings)


async def test_who_left_a_bidder_before_publication_or_joined_it_after_the_end_is_not_found(
    world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    [supplier] = await some_suppliers(world, 1)
    async with unguarded(superuser, "membership"):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role, started_at, ended_at)"
            " SELECT $1, $2, $3, 'bid_manager', market_now() - interval '2 years',"
            " market_now() - interval '1 year'",
            uuid4(),
            tender.moderator.id,
            supplier.organisation,
        )
    await tender.act(tender.manager, "/review-requests")
    await tender.act(tender.reviewer, "/reviews", {"outcome": "approved", "comments": "Good."})
    await tender.act(tender.manager, "/publication")
    await submit(supplier, tender, 1)
    await open_bids(world, tender)
    assert await findings_of(tender) == []
    given_up = {"reason": "The need has gone."}
    await declare(tender.manager, tender)
    await tender.act(tender.manager, "/abandonment", given_up)
    await join(superuser, tender.openers[0], supplier.organisation, "bid_manager")
    assert await findings_of(tender) == []


async def test_an_organisation_that_helped_and_bid_is_found_with_its_participants(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    supplier = lot.suppliers[0]
    # somebody of the supplier's had a duty for it: no guard would have let that pass
    await plant_duty(superuser, lot.tender, supplier, "reviewer")
    findings = await findings_of(lot.tender)
    assert kinds_of(findings) == {"helper_bid", "member_of_bidder"}
    [helped] = [one for one in findings if one["kind"] == "helper_bid"]
    assert helped["bidder_name"] == helped["helper_name"] == "Supplier 1"
    assert helped["sentence"].startswith("Supplier 1 bid, although")
    async with unguarded(superuser, "bid_participant"):
        await superuser.execute(
            "INSERT INTO bid_participant (id, bid_version, role, organisation, name, share,"
            " exclusion_grounds, details, consents) SELECT gen_random_uuid(), m.bid_version,"
            " 'subcontractor', $2, 'NHS Luton CCG', 10, 'no_grounds', '', true"
            " FROM manifest_entry m JOIN bid b ON b.id = m.bid"
            " WHERE m.lot = $1 AND b.organisation = $3",
            lot.id,
            lot.tender.reviewer.organisation,
            lot.suppliers[1].organisation,
        )
    both = [one for one in await findings_of(lot.tender) if one["kind"] == "helper_bid"]
    assert [(one["bidder_name"], one["participant"]) for one in both] == [
        ("Supplier 1", None),
        ("Supplier 2", "NHS Luton CCG"),
    ]


# -- acts -----------------------------------------------------------------------------------------


async def test_an_opener_who_never_declared_is_found(world: World, superuser: Any) -> None:
    tender = await published_tender(world, lots=1)
    third = await world.person("Otto Opener", tender.manager.organisation, Role.COMMISSIONER)
    assert (await assign(tender.manager, tender.id, third, "opener")).status_code == 201
    suppliers = await some_suppliers(world, 2)
    for supplier in suppliers:
        await submit(supplier, tender, 1)
    await open_bids(world, tender)
    assert await findings_of(tender) == []
    await plant_confirmation(superuser, tender, third)
    [finding] = await findings_of(tender)
    assert (finding["kind"], finding["name"], finding["act"]) == (
        "acted_undeclared",
        "Otto Opener",
        "confirmed_opening",
    )
    assert finding["sentence"].endswith("before having declared against every bidder.")
    # declaring afterwards mends nothing
    await declare(third, tender)
    assert kinds_of(await findings_of(tender)) == {"acted_undeclared"}


async def test_acts_without_a_duty_before_taking_it_up_and_after_its_release_are_found(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    organisation = lot.tender.manager.organisation
    stranger = await world.person("Sam Stranger", organisation, Role.COMMISSIONER)
    await plant_score(superuser, lot, stranger)
    hasty = await world.person("Hetty Hasty", organisation, Role.COMMISSIONER)
    await plant_duty(superuser, lot.tender, hasty, "quality_evaluator")
    await plant_score(superuser, lot, hasty)
    eve = lot.tender.quality_evaluators[0]
    duties = (await lot.tender.manager.get(f"{lot.tender.path}/duties")).json()
    [held] = [one for one in duties if one["person"] == str(eve.id)]
    released = await lot.tender.manager.delete(f"{lot.tender.path}/duties/{held['id']}")
    assert released.status_code == 200, released.text
    assert kinds_of(await findings_of(lot.tender)) == {
        "acted_without_duty",
        "acted_before_declaring",
        "acted_undeclared",
    }
    await plant_score(superuser, lot, eve)
    found = {(one["kind"], one["name"]) for one in await findings_of(lot.tender)}
    assert found == {
        ("acted_without_duty", "Sam Stranger"),
        ("acted_undeclared", "Sam Stranger"),
        ("acted_before_declaring", "Hetty Hasty"),
        ("acted_undeclared", "Hetty Hasty"),
        ("acted_without_duty", "Eve Evaluator"),
    }


async def test_acts_while_a_duty_was_suspended_are_found(world: World, superuser: Any) -> None:
    lot = await lot_to_score(world)
    eve, emil = lot.tender.quality_evaluators
    assert (await lot.score(eve, 0, "Q1.1", "5")).status_code == 201
    await leave(superuser, eve)
    assert await findings_of(lot.tender) == []
    await plant_score(superuser, lot, eve)
    [finding] = await findings_of(lot.tender)
    assert (finding["kind"], finding["times"]) == ("acted_while_suspended", 1)
    assert "while their duty of quality evaluator was suspended" in finding["sentence"]
    # a pair that needs an exemption suspends both; so does removal, which names a bidder too
    await plant_duty(superuser, lot.tender, emil, "reviewer")
    await plant_score(superuser, lot, emil)
    assert {(one["kind"], one["name"]) for one in await findings_of(lot.tender)} == {
        ("acted_while_suspended", "Eve Evaluator"),
        ("acted_while_suspended", "Emil Evaluator"),
        ("default_pair", "Emil Evaluator"),
    }


async def test_acts_with_a_declared_interest_are_found_unless_the_guardian_excused_it_before(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("110.00",))
    eve, emil = lot.tender.quality_evaluators
    [supplier] = lot.suppliers
    assert (await lot.score(eve, 0, "Q1.1", "5")).status_code == 201
    for person in (eve, emil):
        await declare(person, lot.tender, "financial", "I hold shares in it.")
    assert await findings_of(lot.tender) == []
    await plant_score(superuser, lot, eve)
    [finding] = await findings_of(lot.tender)
    assert (finding["kind"], finding["bidder_name"], finding["times"]) == (
        "acted_with_interest",
        "Supplier 1",
        1,
    )
    await declare(lot.tender.guardian, lot.tender)
    for outcome in ("may_discuss", "no_action"):
        answer = await decide_conflict(lot.tender.guardian, lot.tender, emil, supplier, outcome)
        assert answer.status_code == 201, answer.text
        if outcome == "no_action":
            assert (await lot.score(emil, 0, "Q1.1", "5")).status_code == 201
        else:
            await plant_score(superuser, lot, emil)
    found = await findings_of(lot.tender)
    assert [(one["name"], one["times"]) for one in found] == [
        ("Emil Evaluator", 1),
        ("Eve Evaluator", 1),
    ]


async def test_an_entry_in_the_register_counts_from_when_it_was_made(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    eve = lot.tender.quality_evaluators[0]
    assert (await lot.score(eve, 0, "Q1.1", "5")).status_code == 201
    await register_interest(world, eve, organisation=str(lot.suppliers[0].organisation))
    assert await findings_of(lot.tender) == []
    await plant_score(superuser, lot, eve)
    [finding] = await findings_of(lot.tender)
    assert (finding["kind"], finding["bidder_name"]) == ("acted_with_interest", "Supplier 1")
    [person] = [
        one
        for one in (await guarded_report(lot.tender))["people"]
        if one["name"] == "Eve Evaluator"
    ]
    [connection] = person["connections"]
    assert (connection["source"], connection["kind"], connection["through"]) == (
        "registered",
        "financial",
        "Supplier 1",
    )


async def test_a_link_of_ownership_counts_from_when_the_market_knew_of_it(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    eve = lot.tender.quality_evaluators[0]
    number = {"scheme": "GB-COH", "value": "07654321"}
    await register_interest(world, eve, counterparty="Holding Ltd", identifier=number)
    assert (await lot.score(eve, 0, "Q1.1", "5")).status_code == 201
    keeper = await registrar(world)
    link = {
        "holder": {
            "registered": {"scheme": "GB-COH", "identifier": "07654321", "name": "Holding Ltd"}
        },
        "subject": {"organisation": str(lot.suppliers[2].organisation)},
        "kind": "shareholding",
        "share": {"minimum": "10", "maximum": "20"},
        "source": "Companies House, confirmation statement of 1 May 2026",
    }
    stated = await keeper.post("/ownership/links", link)
    assert stated.status_code == 201, stated.text
    # known afterwards, so what was done before stands
    assert await findings_of(lot.tender) == []
    people = (await guarded_report(lot.tender))["people"]
    [connection] = [one for person in people for one in person["connections"]]
    assert (connection["source"], connection["bidder_name"]) == ("connected", "Supplier 3")
    await plant_score(superuser, lot, eve)
    [finding] = await findings_of(lot.tender)
    assert (finding["kind"], finding["bidder_name"], finding["times"]) == (
        "acted_with_interest",
        "Supplier 3",
        1,
    )
