"""Exemptions through HTTP: granted by the guardian alone, published, over at once when revoked."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.clock import advance_to
from tests.makers.conflicts import (
    Draft,
    colleague,
    draft,
    exempt,
    exempted,
    give,
    problem,
    release,
    revoke,
    sees_name,
)
from tests.makers.evaluation import lot_to_score
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import drafted_tender, market_time, offer, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> Draft:
    return await draft(world)


async def duties(person: Person, tender: Draft) -> list[str]:
    found: list[str] = (await person.get(tender.path)).json()["my_duties"]
    return found


async def both(world: World, tender: Draft, person: Person) -> str:
    """Exempt somebody to review and to moderate, and let them take both up; the exemption's id."""
    exemption = await exempted(world, tender.guardian, tender.id, person, "moderator", "reviewer")
    for duty in ("reviewer", "moderator"):
        assert (await give(tender.manager, tender.id, person, duty)).status_code == 201
    return exemption


# -- granting --------------------------------------------------------------------------------------


async def test_an_exemption_says_who_what_why_until_when_and_by_whom(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await colleague(world)
    expires = await market_time(world) + timedelta(days=30)
    answer = await exempt(
        world,
        tender.guardian,
        tender.id,
        person,
        "reviewer",
        "moderator",
        expires_at=expires.isoformat(),
    )
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert view["person"] == str(person.id)
    assert view["duties"] == ["moderator", "reviewer"]
    assert view["granted_by"] == str(tender.guardian.id)
    assert view["reason"]
    assert view["in_force"] is True
    assert view["revoked_at"] is None
    event = await superuser.fetchrow(
        "SELECT person, tender, details::text AS details FROM event"
        " WHERE action = 'exemption.granted'"
    )
    assert (event["person"], event["tender"]) == (tender.guardian.id, tender.id)
    assert str(person.id) in event["details"]


@pytest.mark.parametrize(
    ("pair", "slug"),
    [
        (("author", "opener"), "not-exemptible"),
        (("guardian", "contract_manager"), "not-exemptible"),
        (("moderator", "moderator"), "not-exemptible"),
        (("opener", "moderator"), "not-exemptible"),
        (("opener", "king"), "malformed"),
        (("opener",), "malformed"),
        (("author", "quality_evaluator", "opener"), "malformed"),
    ],
)
async def test_what_is_on_the_floor_or_needs_no_exemption_gets_none(
    world: World, tender: Draft, pair: tuple[str, ...], slug: str
) -> None:
    person = await colleague(world)
    answer = await exempt(world, tender.guardian, tender.id, person, *pair)
    assert problem(answer) == (403 if slug == "not-exemptible" else 400, slug)
    if slug == "not-exemptible":
        assert [error["field"] for error in answer.json()["errors"]] == ["duties"]


async def test_the_guardian_alone_exempts_and_revokes(world: World, tender: Draft) -> None:
    person = await colleague(world)
    exemption = await both(world, tender, person)
    stranger = await colleague(world, "Sue Other", "04F")
    for who, expected in (
        (tender.manager, (403, "duty-needed")),
        (person, (403, "duty-needed")),
        (await colleague(world), (403, "duty-needed")),
        (stranger, (404, "not-found")),
    ):
        pair = "author", "quality_evaluator"
        assert problem(await exempt(world, who, tender.id, person, *pair)) == expected
        assert problem(await revoke(who, tender.id, exemption)) == expected
    group = await world.organisation("06F")
    other = await world.person("Gus Guard", group, Role.CONFLICTS_GUARDIAN)
    pair = "author", "quality_evaluator"
    assert problem(await exempt(world, other, tender.id, person, *pair)) == (404, "not-found")


async def test_a_guardian_who_has_not_declared_exempts_nobody(world: World) -> None:
    tender = await draft(world)
    person, second = await colleague(world), await colleague(world, "Gwen Guard")
    assert (await offer(tender.manager, tender.id, second, "guardian")).status_code == 201
    answer = await exempt(world, second, tender.id, person, "reviewer", "moderator")
    assert problem(answer) == (403, "duty-not-taken-up")


@pytest.mark.parametrize(
    ("changes", "expected", "field"),
    [
        ({"expires_at": "2001-01-01T00:00:00Z"}, (400, "exemption-faulty"), "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, (400, "exemption-faulty"), "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, (400, "exemption-faulty"), "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, (400, "malformed"), None),
        ({"expires_at": "tomorrow"}, (400, "malformed"), None),
        ({"person": str(uuid4())}, (404, "not-found"), "person"),
        ({"person": "me"}, (400, "malformed"), None),
        ({"reason": "   "}, (400, "malformed"), None),
        ({"reason": "x" * 100_000}, (400, "malformed"), None),
        ({"reason": "Because\x00of this."}, (400, "malformed"), None),
        ({"until": "2030-01-01"}, (400, "malformed"), None),
    ],
)
async def test_a_faulty_exemption_is_refused_and_says_where(
    world: World,
    tender: Draft,
    changes: dict[str, Any],
    expected: tuple[int, str],
    field: str | None,
) -> None:
    person = await colleague(world)
    answer = await exempt(
        world, tender.guardian, tender.id, person, "reviewer", "moderator", **changes
    )
    assert problem(answer) == expected, answer.text
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]


# -- the end of one --------------------------------------------------------------------------------


async def test_revoking_suspends_both_duties_at_once_and_another_exemption_restores_them(
    world: World, tender: Draft
) -> None:
    person = await colleague(world)
    exemption = await both(world, tender, person)
    assert await duties(person, tender) == ["moderator", "reviewer"]
    revoked = await revoke(tender.guardian, tender.id, exemption)
    assert revoked.status_code == 201, revoked.text
    assert revoked.json()["in_force"] is False
    assert revoked.json()["revoked_because"]
    # a draft that one has no duty in any more is not there
    assert (await person.get(f"{tender.path}/duties")).status_code == 404
    again = await revoke(tender.guardian, tender.id, exemption)
    assert problem(again) == (409, "exemption-over")
    # nor does releasing one of the two bring the other back
    assert (await release(tender.manager, tender.id, person, "reviewer")).status_code == 200
    assert (await person.get(f"{tender.path}/duties")).status_code == 404
    await exempted(world, tender.guardian, tender.id, person, "reviewer", "moderator")
    assert await duties(person, tender) == ["moderator"]


async def test_an_exemption_that_expires_suspends_as_one_that_is_revoked(
    world: World, tender: Draft
) -> None:
    person = await colleague(world)
    expires = await market_time(world) + timedelta(days=10)
    exemption = await exempted(
        world,
        tender.guardian,
        tender.id,
        person,
        "opener",
        "award_approver",
        expires_at=expires.isoformat(),
    )
    for duty in ("opener", "award_approver"):
        assert (await give(tender.manager, tender.id, person, duty)).status_code == 201
    await advance_to(world, expires - timedelta(hours=1))
    assert await duties(person, tender) == ["award_approver", "opener"]
    await advance_to(world, expires + timedelta(seconds=1))
    assert (await person.get(f"{tender.path}/duties")).status_code == 404
    assert problem(await revoke(tender.guardian, tender.id, exemption)) == (409, "exemption-over")
    (listed,) = (await tender.guardian.get(f"{tender.path}/exemptions")).json()
    assert (listed["in_force"], listed["revoked_at"]) == (False, None)
    # with the old one over, a third person's like pair is refused, and a new exemption lets it be
    other = await colleague(world)
    assert (await offer(tender.manager, tender.id, other, "opener")).status_code == 201
    clash = await offer(tender.manager, tender.id, other, "award_approver")
    assert problem(clash) == (403, "duty-clash")
    await exempted(world, tender.guardian, tender.id, person, "opener", "award_approver")
    assert await duties(person, tender) == ["award_approver", "opener"]


async def test_after_a_revocation_the_other_duty_of_the_pair_is_not_given_either(
    world: World, tender: Draft
) -> None:
    person = await colleague(world)
    exemption = await exempted(world, tender.guardian, tender.id, person, "moderator", "reviewer")
    assert (await give(tender.manager, tender.id, person, "reviewer")).status_code == 201
    await revoke(tender.guardian, tender.id, exemption)
    assert await duties(person, tender) == ["reviewer"]
    answer = await give(tender.manager, tender.id, person, "moderator")
    assert problem(answer) == (403, "duty-clash")


async def test_of_two_exemptions_for_one_pair_the_one_left_holds(
    world: World, tender: Draft
) -> None:
    person = await colleague(world)
    first = await both(world, tender, person)
    await exempted(world, tender.guardian, tender.id, person, "reviewer", "moderator")
    await revoke(tender.guardian, tender.id, first)
    assert await duties(person, tender) == ["moderator", "reviewer"]


async def test_every_act_of_both_duties_is_refused_as_suspended(world: World) -> None:
    """An author who evaluates by exemption: through to the scores, and then revoked."""
    exemption = ""
    person: Person

    async def author_scores(published: Any, _: object) -> None:
        nonlocal exemption, person
        person = published.author
        exemption = await exempted(
            world, published.guardian, published.id, person, "author", "quality_evaluator"
        )
        given = await give(published.manager, published.id, person, "quality_evaluator")
        assert given.status_code == 201, given.text

    lot = await lot_to_score(world, prices=("1.00",), before_opening=author_scores)
    path = f"{lot.tender.path}/declarations"
    (bidder,) = (await person.get(f"{lot.tender.path}/bidders")).json()
    none = {"bidder": bidder["organisation"], "interest": "none", "details": ""}
    assert (await person.post(path, {"declarations": [none]})).status_code == 201
    assert (await lot.score(person, 0, "Q1.1", "5")).status_code == 201
    early = await revoke(lot.tender.guardian, lot.tender.id, exemption)
    assert problem(early) == (403, "declaration-missing")
    await _guardian_declares(lot)
    revoked = await revoke(lot.tender.guardian, lot.tender.id, exemption)
    assert revoked.status_code == 201, revoked.text
    for answer in (
        await lot.score(person, 0, "Q1.2", "5"),
        await lot.lock(person),
        await person.get(f"{lot.path}/evaluation/bids"),
        await person.get(f"{lot.path}/evaluation/scores"),
    ):
        assert problem(answer) == (403, "duty-suspended"), answer.text
    for path in ("/bidders", "/declarations", "/opening"):
        answer = await person.get(f"{lot.tender.path}{path}")
        assert answer.status_code == 403
        assert not sees_name(answer, bidder["name"])
    # what the suspended evaluator gave stays on record, and the others finish without it
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator, ({"Q1.1": "5", "Q1.2": "5", "Q2": "5"},))
        assert (await lot.lock(evaluator)).status_code == 201
    agreed = await lot.score(lot.tender.moderator, 0, "Q1.1", "5", kind="agreed-scores")
    assert agreed.status_code == 201, agreed.text


async def _guardian_declares(lot: Any) -> None:
    guardian, path = lot.tender.guardian, lot.tender.path
    bidders = (await guardian.get(f"{path}/bidders")).json()
    said = [{"bidder": one["organisation"], "interest": "none"} for one in bidders]
    answer = await guardian.post(f"{path}/declarations", {"declarations": said})
    assert answer.status_code == 201, answer.text


async def test_once_the_bids_are_open_a_guardian_exempts_only_after_declaring(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    guardian, person = lot.tender.guardian, await colleague(world)
    pair = "reviewer", "moderator"
    early = await exempt(world, guardian, lot.tender.id, person, *pair)
    assert problem(early) == (403, "declaration-missing")
    await _guardian_declares(lot)
    assert (await exempt(world, guardian, lot.tender.id, person, *pair)).status_code == 201


async def test_an_author_by_exemption_edits_while_it_lasts(world: World) -> None:
    tender = await drafted_tender(world, lots=1)
    person = tender.author
    exemption = await exempted(
        world, tender.guardian, tender.id, person, "author", "quality_evaluator"
    )
    assert (await give(tender.manager, tender.id, person, "quality_evaluator")).status_code == 201

    async def write() -> Any:
        version = (await tender.manager.get(tender.path)).json()["version"]
        return await person.put(f"{tender.path}/requirement", tender.requirement, version=version)

    assert (await write()).status_code == 200
    assert (await revoke(tender.guardian, tender.id, exemption)).status_code == 201
    assert (await write()).status_code in {403, 404}


# -- who reads them --------------------------------------------------------------------------------


async def test_exemptions_are_the_house_s_until_publication_and_everybody_s_after(
    world: World,
) -> None:
    supplier = await admitted_supplier(world, "A supplier")
    tender = await drafted_tender(world, lots=1)
    path = f"{tender.path}/exemptions"
    person = await colleague(world)
    await exempted(world, tender.guardian, tender.id, person, "reviewer", "moderator")
    stranger = await colleague(world, "Sue Other", "04F")
    offered = await colleague(world, "Olga Offered", "04F")
    assert (await offer(tender.manager, tender.id, offered, "contract_manager")).status_code == 201
    for reader in (*tender.everybody(), await colleague(world)):
        (listed,) = (await reader.get(path)).json()
        assert listed["person"] == str(person.id)
    for outsider in (stranger, supplier):
        assert (await outsider.get(path)).status_code == 404
    assert problem(await offered.get(path)) == (403, "duty-not-taken-up")
    assert (await world.public(path)).status_code == 404
    published = await published_tender(world, lots=1)
    path = f"{published.path}/exemptions"
    assert (await world.public(path)).json() == []
    exemption = await exempted(
        world, published.guardian, published.id, person, "reviewer", "moderator"
    )
    await revoke(published.guardian, published.id, exemption)
    for answer in (
        await world.public(path),
        await supplier.get(path),
        await stranger.get(path),
    ):
        (listed,) = answer.json()
        assert listed["reason"]
        assert listed["revoked_because"]
        assert listed["in_force"] is False


async def test_an_exemption_is_revoked_in_its_own_tender(world: World) -> None:
    one, other = await draft(world), await draft(world)
    exemption = await exempted(
        world, one.guardian, one.id, await colleague(world), "reviewer", "moderator"
    )
    assert (await revoke(other.guardian, other.id, exemption)).status_code == 404
    assert (await revoke(other.guardian, other.id, str(uuid4()))).status_code == 404
    assert (await revoke(one.guardian, one.id, exemption)).status_code == 201


async def test_a_repeated_request_grants_one_exemption(world: World, superuser: Any) -> None:
    tender = await draft(world)
    body = {
        "person": str((await colleague(world)).id),
        "duties": ["reviewer", "moderator"],
        "reason": "There is nobody else who knows it.",
        "expires_at": (await market_time(world) + timedelta(days=1)).isoformat(),
    }
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"{tender.path}/exemptions"
    answers = [await tender.guardian.post(path, body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.content for answer in answers}) == 1
    assert await superuser.fetchval("SELECT count(*) FROM exemption") == 1
