"""Who takes part in a bid beside its lead: named with it, known with the names, found by guards."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from market.organisations.rules import OrganisationKind
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    open_bids,
    some_suppliers,
)
from tests.makers.conflicts import (
    colleague,
    decide,
    decided,
    give,
    joins,
    problem,
    registered,
    sees_name,
)
from tests.makers.participants import bid_with as bid
from tests.makers.participants import consortium_member as member
from tests.makers.participants import subcontracted
from tests.makers.participants import subcontractor as named
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, drafted_tender, publish, published_tender
from tests.makers.tenders import approve as approve_requirement
from tests.makers.world import Person, World

ROLES = {"consortium_member": {"role": "consortium_member", "share": None}, "subcontractor": {}}
HELPER = (403, "helper-may-not-bid")
CONFLICT = (403, "conflict-of-interest")


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


@pytest.fixture
async def suppliers(world: World) -> tuple[Person, ...]:
    """A lead, and two more."""
    return await some_suppliers(world, 3)


async def replaced(
    person: Person, tender: PublishedTender, given: httpx.Response, *participants: Any
) -> httpx.Response:
    body = bid_body(asked(tender, 1)) | {"participants": list(participants)}
    headers = {"Idempotency-Key": str(uuid4())}
    last = given.json()
    return await person.put(f"/bids/{last['bid']}", body, version=last["version"], headers=headers)


# -- naming them -----------------------------------------------------------------------------------


async def test_members_and_subcontractors_are_named_and_one_s_own_view_shows_them(
    tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    lead, other, third = suppliers
    given = await bid(
        lead, tender, member(other.organisation), named("Small Analytics Ltd", "1234567")
    )
    assert given.status_code == 201, given.text
    view = (await lead.get(f"/bids/{given.json()['bid']}")).json()
    (version,) = view["versions"]
    assert sorted(version["participants"], key=lambda one: one["role"]) == [
        {
            "role": "consortium_member",
            "organisation": str(other.organisation),
            "name": "Supplier 2",
            "scheme": None,
            "identifier": None,
            "share": None,
            "exclusion_grounds": "no_grounds",
            "details": "",
        },
        {
            "role": "subcontractor",
            "organisation": None,
            "name": "Small Analytics Ltd",
            "scheme": "GB-COH",
            "identifier": "01234567",
            "share": "1.5",
            "exclusion_grounds": "no_grounds",
            "details": "",
        },
    ]
    # those who are named see nothing of it, and nobody else does
    assert (await other.get("/bids")).json()["items"] == []
    for stranger in (other, third, tender.manager):
        assert (await stranger.get(f"/bids/{given.json()['bid']}")).status_code == 404


async def test_a_replaced_bid_has_the_participants_of_its_last_version(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    lead, other, _ = suppliers
    given = await bid(lead, tender, member(other.organisation), named("Leaving Ltd"))
    given = await replaced(lead, tender, given, named("Coming Ltd"))
    assert given.status_code == 200, given.text
    view = (await lead.get(f"/bids/{given.json()['bid']}")).json()
    names = [[one["name"] for one in version["participants"]] for version in view["versions"]]
    assert sorted(map(sorted, names)) == [["Coming Ltd"], ["Leaving Ltd", "Supplier 2"]]
    await close_bidding(world, tender)
    (bidder,) = (await tender.guardian.get(f"{tender.path}/bidders")).json()
    assert [one["name"] for one in bidder["participants"]] == ["Coming Ltd"]
    # whoever left the bid is connected with it no more
    assert not sees_name(await tender.guardian.get(f"{tender.path}/bidders"), "Leaving")


async def test_a_withdrawn_bid_names_nobody(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead, other, third = suppliers
    given = await bid(lead, tender, member(other.organisation))
    assert (await bid(third, tender)).status_code == 201
    await joins(superuser, tender.openers[0], other.organisation)
    gone = await lead.delete(
        f"/bids/{given.json()['bid']}", version=1, headers={"Idempotency-Key": str(uuid4())}
    )
    assert gone.status_code == 200
    await close_bidding(world, tender)
    opener = tender.openers[0]
    answer = await opener.get(f"{tender.path}/bidders")
    assert not sees_name(answer, "Supplier 1", "Supplier 2")
    await declare(opener, tender)
    assert (await confirm(opener, tender)).status_code == 201


@pytest.mark.parametrize(
    ("participants", "field"),
    [
        ([member(UUID(int=7))], "participants[0].organisation"),
        ([named("Ltd A"), named("Ltd A")], "participants[1]"),
        ([named("A", "1234567"), named("B", "01234567")], "participants[1]"),
        ([named("A", "not a number")], "participants[0].identifier.value"),
        ([named("A", "123456789")], "participants[0].identifier.value"),
        ([named("A") | {"name": None}], "participants[0]"),
        (
            [named("A", "1") | {"name": None}],
            "participants[0]",
        ),
    ],
)
async def test_a_participant_who_cannot_be_told_is_refused_and_said_which(
    tender: PublishedTender,
    suppliers: tuple[Person, ...],
    participants: list[dict[str, Any]],
    field: str,
) -> None:
    answer = await bid(suppliers[0], tender, *participants)
    assert problem(answer) == (400, "participants-faulty"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_lead_is_no_participant_and_nobody_is_named_twice_or_in_two_ways(
    tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    lead, other, _ = suppliers
    both = member(other.organisation) | {"name": "Supplier 2"}
    twice = subcontracted(other.organisation)
    answer = await bid(
        lead, tender, member(lead.organisation), both, twice, member(uuid4()), named("A", "?")
    )
    assert problem(answer) == (400, "participants-faulty")
    assert {error["field"] for error in answer.json()["errors"]} == {
        "participants[0].organisation",
        "participants[1]",
        "participants[2]",
        "participants[3].organisation",
        "participants[4].identifier.value",
    }
    assert (await lead.get("/bids")).json()["items"] == []


async def test_the_lead_is_not_named_by_its_public_number_either(
    tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead = suppliers[0]
    own = await superuser.fetchval(
        "SELECT identifier FROM organisation_identifier WHERE organisation = $1"
        " AND scheme = 'GB-COH'",
        lead.organisation,
    )
    answer = await bid(lead, tender, named("Some other name", own))
    assert problem(answer) == (400, "participants-faulty"), answer.text


@pytest.mark.parametrize(
    "participant",
    [
        named(""),
        named(" "),
        named("A\x00B"),
        named("A\nB"),
        named("x" * 301),
        named("A", role="friend"),
        named("A", share=50),
        named("A") | {"identifier": {"scheme": "XX-NOT", "value": "1"}},
        named("A") | {"identifier": "01234567"},
        member("them"),
        "Small Analytics Ltd",
        None,
    ],
)
async def test_a_malformed_participant_is_refused(
    tender: PublishedTender, suppliers: tuple[Person, ...], participant: Any
) -> None:
    answer = await bid(suppliers[0], tender, participant)
    assert problem(answer) == (400, "malformed"), answer.text


async def test_fifty_take_part_and_not_one_more(
    tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    many = [named(f"Company {number}", f"{number:08d}") for number in range(1, 52)]
    assert problem(await bid(suppliers[0], tender, *many)) == (400, "malformed")
    assert (await bid(suppliers[0], tender, *many[:50])).status_code == 201
    assert await superuser.fetchval("SELECT count(*) FROM bid_participant") == 50


# -- helpers take no part --------------------------------------------------------------------------


async def test_whoever_buys_or_helps_takes_no_part_however_it_is_named(
    world: World, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead = suppliers[0]
    draft = await drafted_tender(world, lots=1)
    unit = await admitted_supplier(world, "A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    helper = suppliers[2]
    for person, duty in ((unit, "contract_manager"), (helper, "author")):
        assert (await give(draft.manager, draft.id, person, duty)).status_code == 201
    await approve_requirement(draft)
    await publish(draft)
    number = await superuser.fetchval(
        "SELECT identifier FROM organisation_identifier WHERE organisation = $1"
        " AND scheme = 'GB-COH'",
        helper.organisation,
    )
    luton = await world.organisation("06P")  # the reviewer's
    for participant in (
        member(draft.manager.organisation),
        member(luton),
        member(unit.organisation),
        member(helper.organisation),
        subcontracted(helper.organisation),
        named("Quite another name", number),
        named("The group", identifier={"scheme": "GB-NHS", "value": "06F"}),
        named("The unit", identifier={"scheme": "GB-NHS", "value": "0AD"}),
    ):
        answer = await bid(lead, draft, participant)
        assert problem(answer) == HELPER, (participant, answer.text)
    assert (await bid(lead, draft, member(suppliers[1].organisation))).status_code == 201


async def test_a_helper_is_not_brought_in_by_a_replacement(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    given = await bid(suppliers[0], tender, member(suppliers[1].organisation))
    luton = await world.organisation("06P")
    assert problem(await replaced(suppliers[0], tender, given, member(luton))) == HELPER
    view = (await suppliers[0].get(f"/bids/{given.json()['bid']}")).json()
    assert view["version"] == 1


# -- when the names are known ----------------------------------------------------------------------


async def test_participants_are_known_with_the_bidders_and_no_earlier(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    lead, other, _ = suppliers
    given = await bid(lead, tender, member(other.organisation), named("Small Analytics Ltd"))
    assert given.status_code == 201
    names = ("Supplier 1", "Supplier 2", "Small Analytics")
    everybody = (*tender.everybody(), other)
    paths = ("", "/bidders", "/record?limit=200", "/declarations", "/opening", "/duties")

    async def knowing() -> set[str]:
        return {
            person.name
            for person in everybody
            for path in paths
            if sees_name(await person.get(tender.path + path), *names)
        }

    assert await knowing() == set()
    await close_bidding(world, tender)
    assert await knowing() == {person.name for person in (*tender.openers, tender.guardian)}
    (bidder,) = (await tender.guardian.get(f"{tender.path}/bidders")).json()
    assert sorted(one["name"] for one in bidder["participants"]) == [
        "Small Analytics Ltd",
        "Supplier 2",
    ]
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    known = await knowing()
    assert {tender.moderator.name, tender.approvers[0].name, tender.manager.name} <= known
    assert not known & {tender.author.name, tender.reviewer.name, other.name}


# -- whoever is connected with a participant -------------------------------------------------------


async def test_a_member_of_a_consortium_member_is_out_and_never_excused(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead, other, _ = suppliers
    opener, guardian = tender.openers[0], tender.guardian
    await joins(superuser, opener, other.organisation)
    assert (await bid(lead, tender, member(other.organisation))).status_code == 201
    await close_bidding(world, tender)
    await declare(opener, tender)
    await declare(guardian, tender)
    assert problem(await confirm(opener, tender)) == CONFLICT
    for outcome in ("no_action", "may_discuss"):
        answer = await decide(guardian, tender.id, opener, lead.organisation, outcome)
        assert problem(answer) == (403, "never-excusable")
    assert problem(await confirm(opener, tender)) == CONFLICT


async def test_a_member_of_a_subcontractor_is_out_until_it_is_decided(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead, other, _ = suppliers
    opener, guardian = tender.openers[0], tender.guardian
    await joins(superuser, opener, other.organisation)
    participant = subcontracted(other.organisation)
    assert (await bid(lead, tender, participant)).status_code == 201
    await close_bidding(world, tender)
    await declare(opener, tender)
    await declare(guardian, tender)
    assert problem(await confirm(opener, tender)) == CONFLICT
    await decided(guardian, tender.id, opener, lead.organisation, "no_action")
    assert (await confirm(opener, tender)).status_code == 201


@pytest.mark.parametrize("role", ["consortium_member", "subcontractor"])
async def test_an_interest_in_a_participant_known_by_number_alone_is_found(
    world: World,
    tender: PublishedTender,
    suppliers: tuple[Person, ...],
    superuser: Any,
    role: str,
) -> None:
    opener, guardian, lead = tender.openers[0], tender.guardian, suppliers[0]
    await registered(superuser, opener, scheme="GB-COH", identifier="07654321")
    given = await bid(lead, tender, named("Small Analytics Ltd", "7654321") | ROLES[role])
    assert given.status_code == 201, given.text
    await close_bidding(world, tender)
    await declare(opener, tender)
    await declare(guardian, tender)
    assert problem(await confirm(opener, tender)) == CONFLICT
    await decided(guardian, tender.id, opener, lead.organisation, "no_action")
    assert (await confirm(opener, tender)).status_code == 201


async def test_once_open_no_member_of_a_consortium_gets_a_duty(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...], superuser: Any
) -> None:
    lead, other, _ = suppliers
    assert (await bid(lead, tender, member(other.organisation))).status_code == 201
    await open_bids(world, tender)
    await declare(tender.manager, tender)
    person = await colleague(world)
    await joins(superuser, person, other.organisation)
    answer = await give(tender.manager, tender.id, person, "contract_manager")
    assert problem(answer) == (403, "suppliers-may-not-hold-duties")
