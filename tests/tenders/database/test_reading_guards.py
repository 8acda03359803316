"""Who reads declarations, events and names: straight at the database, as the app role."""

from typing import Any
from uuid import UUID

from market.actor import Role
from tests.makers.bids import OpenedTender, confirm, declare, some_suppliers
from tests.makers.direct_bids import as_person, closed_with_declarations
from tests.makers.tenders import PublishedTender, assign
from tests.makers.world import Person, World


async def counted(connection: Any, reader: Person, query: str, *values: object) -> int:
    async with as_person(connection, reader):
        number: int = await connection.fetchval(query, *values)
    return number


async def test_declarations_are_read_by_the_guardian_and_by_the_manager_after_the_opening(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await closed_with_declarations(world, tender, bidder)
    query = "SELECT count(*) FROM declaration WHERE tender = $1"
    one, other = tender.openers
    assert await counted(app_role, tender.manager, query, tender.id) == 0
    assert await counted(app_role, tender.guardian, query, tender.id) == 2
    assert await counted(app_role, one, query, tender.id) == 1
    for opener in (one, other):
        assert (await confirm(opener, tender)).status_code == 201
    assert await counted(app_role, tender.manager, query, tender.id) == 2
    for person in (tender.moderator, *tender.quality_evaluators, bidder):
        assert await counted(app_role, person, query, tender.id) == 0, person.name


async def test_before_the_opening_events_that_tell_of_bids_are_read_by_guardian_and_actor(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    await closed_with_declarations(world, tender, bidder)
    one, other = tender.openers
    await declare(one, tender, "financial", "I hold shares in it.")
    assert (await confirm(one, tender)).status_code == 403
    declared = "SELECT count(*) FROM event WHERE tender = $1 AND action = 'interest.declared'"
    refused = "SELECT count(*) FROM event WHERE tender = $1 AND action = 'request.refused'"
    # not by a colleague of the same organisation either
    for person in (tender.manager, auditor, tender.moderator, bidder):
        for query in (declared, refused):
            assert await counted(app_role, person, query, tender.id) == 0, person.name
    assert await counted(app_role, tender.guardian, declared, tender.id) == 3
    assert await counted(app_role, tender.guardian, refused, tender.id) == 1
    assert await counted(app_role, one, declared, tender.id) == 2
    assert await counted(app_role, one, refused, tender.id) == 1
    assert await counted(app_role, other, declared, tender.id) == 1


async def test_no_event_joins_a_pseudonym_to_a_bidder_for_those_who_may_score(
    world: World, opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    tender = opened.tender
    organisation = tender.manager.organisation
    auditor = await world.person("Audrey", organisation, Role.AUDITOR)
    scoring = await world.person("Ada", organisation, Role.AUDITOR)
    await declare(tender.manager, tender)
    given = await assign(tender.manager, tender.id, scoring, "quality_evaluator")
    assert given.status_code == 201, given.text
    joined = (
        "SELECT count(*) FROM event e JOIN manifest_entry m ON m.bid = e.subject"
        " WHERE e.tender = $1 AND e.organisation IS NOT NULL"
    )
    acts = "SELECT count(*) FROM event WHERE tender = $1 AND action LIKE 'bid.%'"
    assert await superuser.fetchval(acts, tender.id) == 4
    for person in (auditor, scoring, *tender.quality_evaluators, tender.moderator, *tender.openers):
        for query in (joined, acts):
            assert await counted(app_role, person, query, tender.id) == 0, person.name
    for person in (tender.manager, tender.guardian):
        assert await counted(app_role, person, acts, tender.id) == 4, person.name
    # a bidder has its own, and no rival's
    assert await counted(app_role, opened.suppliers[0], acts, tender.id) == 2
    (rival,) = await some_suppliers(world, 1)
    assert await counted(app_role, rival, acts, tender.id) == 0


async def test_until_quality_is_locked_openers_and_guardian_alone_see_whose_bid_is_whose(
    opened: OpenedTender, app_role: Any
) -> None:
    tender = opened.tender
    lot: UUID = tender.lots[1]
    bids = "SELECT count(*) FROM bid WHERE lot = $1"
    for person in (*tender.openers, tender.guardian):
        assert await counted(app_role, person, bids, lot) == 2, person.name
    for person in set(tender.everybody()) - {*tender.openers, tender.guardian}:
        assert await counted(app_role, person, bids, lot) == 0, person.name


async def test_who_ever_had_a_blind_duty_does_not_see_whose_bid_is_whose_as_opener(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    """A released evaluator who is given the opener's duty afterwards."""
    tender = opened.tender
    evaluator = tender.quality_evaluators[0]
    held = await superuser.fetchval(
        "SELECT id FROM duty WHERE tender = $1 AND person = $2", tender.id, evaluator.id
    )
    await declare(tender.manager, tender)
    gone = await tender.manager.delete(f"{tender.path}/duties/{held}")
    assert gone.status_code == 200, gone.text
    for duty in ("opener", "contract_manager"):
        given = await assign(tender.manager, tender.id, evaluator, duty)
        assert given.status_code == 201, given.text
    lot: UUID = tender.lots[1]
    assert await counted(app_role, evaluator, "SELECT count(*) FROM bid WHERE lot = $1", lot) == 0
    async with as_person(app_role, evaluator):
        assert not await app_role.fetchval("SELECT sees_identity($1)", lot)
