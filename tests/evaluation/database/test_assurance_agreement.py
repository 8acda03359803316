"""The report agrees with the guards: it finds nothing where all went as it should."""

from typing import Any

from market.actor import Role
from tests.makers.assurance import findings_of, guarded_report, kinds_of
from tests.makers.bids import declare, open_bids, some_suppliers, submit
from tests.makers.direct import acting
from tests.makers.evaluation import (
    approve,
    ranked_lot,
    recommended_lot,
    scored_lot,
)
from tests.makers.planting import (
    join,
    leave,
    plant_duty,
)
from tests.makers.recusals import decide_conflict
from tests.makers.tenders import assign, published_tender
from tests.makers.world import World

# -- and nothing else -----------------------------------------------------------------------------


async def test_nothing_is_found_where_people_were_recused_and_replaced_as_they_should(
    world: World,
) -> None:
    lot = await ranked_lot(world)
    tender = lot.tender
    await declare(tender.approvers[0], tender, "financial", "I hold shares in it.")
    other = await world.person("Olga Officer", tender.manager.organisation, Role.COMMISSIONER)
    assert (await assign(tender.manager, tender.id, other, "award_approver")).status_code == 201
    await declare(other, tender)
    body = {"pseudonym": lot.pseudonyms[0], "reason": "It has the most points of all the bids."}
    given = await tender.moderator.post(f"{lot.path}/recommendations", body)
    assert given.status_code == 201
    assert (await approve(lot, tender.approvers[0])).status_code == 403
    for approver in (tender.lay_member, other):
        assert (await approve(lot, approver)).status_code == 201
    report = await guarded_report(tender)
    assert report["statement"]["findings"] == []
    [refusal] = report["refusals"]
    assert (refusal["name"], refusal["refusal"], refusal["times"]) == (
        "Alan Approver",
        "conflict-of-interest",
        1,
    )


async def test_the_report_suspends_exactly_the_duties_that_the_guards_suspend(
    world: World, superuser: Any
) -> None:
    lot = await scored_lot(world)
    tender = lot.tender
    await leave(superuser, tender.price_evaluator)
    await plant_duty(superuser, tender, tender.reviewer, "moderator")
    await plant_duty(superuser, tender, tender.openers[0], "award_approver")
    federation = await world.person(
        "Fred Federation", await world.organisation("06P"), Role.COMMISSIONER
    )
    await plant_duty(superuser, tender, federation, "award_approver")
    await declare(tender.moderator, tender, "financial", "I hold shares in it.")
    await declare(tender.guardian, tender)
    removed = await decide_conflict(
        tender.guardian, tender, tender.moderator, lot.suppliers[0], "removed"
    )
    assert removed.status_code == 201
    rows = await superuser.fetch(
        "SELECT p.name, d.duty, s.standing, suspended_at(d, market_now(), true) AS because"
        " FROM duty d JOIN person p ON p.id = d.person"
        " CROSS JOIN LATERAL duty_standing(d.tender, d.person) s"
        " WHERE d.tender = $1 AND s.duty = d.duty AND d.released_at IS NULL",
        tender.id,
    )
    for row in rows:
        assert (row["standing"] == "suspended") == (row["because"] is not None), dict(row)
    assert {(row["name"], row["because"]) for row in rows if row["because"]} == {
        ("Petra Price", "membership_ended"),
        ("Ruth Reviewer", "exemption_missing"),
        ("Olive Opener", "exemption_missing"),
        ("Fred Federation", "delegation_missing"),
        ("Mona Moderator", "removed"),
    }


async def test_what_tells_of_bidders_is_found_for_nobody_who_may_not_know_them(
    world: World, superuser: Any, app_role: Any
) -> None:
    tender = await published_tender(world, lots=1)
    [supplier] = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await join(superuser, tender.moderator, supplier.organisation, "bid_manager")
    assert await findings_of(tender) == await findings_of(tender, tender.manager) == []
    await open_bids(world, tender)
    assert kinds_of(await findings_of(tender)) == {"member_of_bidder"}
    # the manager has not declared yet
    assert await findings_of(tender, tender.manager) == []
    await declare(tender.manager, tender)
    assert kinds_of(await findings_of(tender, tender.manager)) == {"member_of_bidder"}
    for person in (tender.moderator, supplier, tender.author):
        async with acting(app_role, person.id, person.organisation):
            for function in ("findings", "acts", "duties", "declarations", "connections"):
                rows = await app_role.fetch(
                    f"SELECT * FROM assurance_{function}($1)",  # noqa: S608  # named above
                    tender.id,
                )
                assert rows == [], (person.name, function)


async def test_the_functions_behind_the_report_are_granted_to_nobody(
    superuser: Any,
) -> None:
    inner = (
        "acts_in",
        "where_stood",
        "connections_of",
        "forbidden_pairs",
        "acts_out_of_duty",
        "acts_on_bids_amiss",
        "members_of_bidders",
        "helpers_that_bid",
        "duties_exercised",
        "decisions_about",
    )
    granted = await superuser.fetch(
        "SELECT proname FROM pg_proc WHERE proname = ANY ($1::text[])"
        " AND has_function_privilege('market_app', oid, 'EXECUTE')",
        list(inner),
    )
    assert granted == []


async def test_an_unmoved_recommendation_is_answered_for_too(world: World) -> None:
    lot = await recommended_lot(world)
    assert await findings_of(lot.tender) == []
    acts = {act["act"]: act for act in (await guarded_report(lot.tender))["acts"]}
    assert acts["recommended"]["sentence"].startswith(
        "Mona Moderator made 1 recommendation for lot 1, on "
    )
