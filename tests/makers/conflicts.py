"""What keeps duties apart, in tests: exemptions, decisions, delegations, the register."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec

from market.actor import Actor, Role
from market.people.commands import begin_session
from tests.makers.bids import declare
from tests.makers.direct import acting
from tests.makers.evaluation import EvaluatedLot, lot_to_score
from tests.makers.snapshots import remembered
from tests.makers.tenders import created_tender, market_time
from tests.makers.world import Person, World

WHY = "Nobody else in the three groups knows the subject."
DUTY = (
    "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A tender that has nobody in it but its manager and its guardian."""

    id: UUID
    manager: Person
    guardian: Person

    @property
    def path(self) -> str:
        """Where the tender is found."""
        return f"/tenders/{self.id}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status of an answer, and the last part of its problem's type, or nothing."""
    kind = answer.json().get("type", "") if answer.status_code >= 400 else ""
    return answer.status_code, str(kind).rpartition("/")[2]


def sees_name(answer: httpx.Response, *names: str) -> bool:
    """Whether one of the names is found anywhere in an answer."""
    return any(name in answer.text for name in names)


@remembered
async def draft(world: World) -> Draft:
    """A draft of Bedfordshire's with a manager and a guardian."""
    group = await world.organisation("06F")
    manager = await world.person("Lena Lead", group, Role.PROCUREMENT_LEAD)
    guardian = await world.person("Gil Guard", group, Role.CONFLICTS_GUARDIAN)
    tender = UUID((await created_tender(manager))["id"])
    given = await give(manager, tender, guardian, "guardian")
    assert given.status_code == 201, given.text
    return Draft(id=tender, manager=manager, guardian=guardian)


async def colleague(world: World, name: str = "Cora Colleague", ods: str = "06F") -> Person:
    """Somebody else of a group."""
    return await world.person(name, await world.organisation(ods), Role.COMMISSIONER)


async def give(
    manager: Person, tender: UUID | str, person: Person, duty: str, **options: Any
) -> httpx.Response:
    """Ask for a duty to be given; where it was, its holder declares what the register says."""
    body = {"person": str(person.id), "organisation": str(person.organisation), "duty": duty}
    given = await manager.post(f"/tenders/{tender}/duties", body, **options)
    if given.status_code == 201:
        taken = await declare_on_duty(person, tender)
        if taken.status_code != 201:
            taken = await declare_on_duty(person, tender, "as_registered")
        assert taken.status_code == 201, taken.text
    return given


async def declare_on_duty(
    person: Person, tender: UUID | str, statement: str = "nothing_to_declare", **options: Any
) -> httpx.Response:
    """Declare on taking up one's duties, whatever the answer."""
    body = {"statement": statement, "details": ""}
    return await person.post(f"/tenders/{tender}/duty-declarations", body, **options)


async def release(manager: Person, tender: UUID | str, person: Person, duty: str) -> httpx.Response:
    """Release somebody from a duty, whatever the answer."""
    held = (await manager.get(f"/tenders/{tender}/duties")).json()
    (found,) = [
        one["id"] for one in held if one["person"] == str(person.id) and one["duty"] == duty
    ]
    return await manager.delete(f"/tenders/{tender}/duties/{found}")


# -- exemptions ------------------------------------------------------------------------------------


async def exempt(
    world: World,
    guardian: Person,
    tender: UUID | str,
    who: Person,
    *duties: str,
    **changes: Any,
) -> httpx.Response:
    """Ask for an exemption, whatever the answer; it lasts a year unless `changes` say otherwise."""
    body = {
        "person": str(who.id),
        "duties": list(duties),
        "reason": WHY,
        "expires_at": (await market_time(world) + timedelta(days=365)).isoformat(),
        **changes,
    }
    return await guardian.post(f"/tenders/{tender}/exemptions", body)


async def exempted(
    world: World,
    guardian: Person,
    tender: UUID | str,
    who: Person,
    *duties: str,
    **changes: Any,
) -> str:
    """Grant an exemption, and give its id."""
    answer = await exempt(world, guardian, tender, who, *duties, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def revoke(guardian: Person, tender: UUID | str, exemption: str) -> httpx.Response:
    """Revoke an exemption, whatever the answer."""
    body = {"reason": "Another clinician has joined the panel."}
    return await guardian.post(f"/tenders/{tender}/exemptions/{exemption}/revocation", body)


# -- interests and what is decided about them ------------------------------------------------------


async def decide(
    guardian: Person,
    tender: UUID | str,
    who: Person,
    about: UUID,
    outcome: str,
    **changes: Any,
) -> httpx.Response:
    """Decide about an interest, whatever the answer."""
    body = {
        "person": str(who.id),
        "bidder": str(about),
        "outcome": outcome,
        "reason": "The holding is small, and she has no part in its management.",
        **changes,
    }
    return await guardian.post(f"/tenders/{tender}/conflict-decisions", body)


async def decided(
    guardian: Person, tender: UUID | str, who: Person, about: UUID, outcome: str
) -> None:
    """Decide about an interest; the answer must be good."""
    answer = await decide(guardian, tender, who, about, outcome)
    assert answer.status_code == 201, answer.text


# Of whatever else the table has, what is not given here stays NULL.
_INTEREST = """
INSERT INTO interest SELECT * FROM jsonb_populate_record(
    NULL::interest, $1::jsonb || jsonb_build_object('declared_at', market_now()))
"""
_ENDING = """
INSERT INTO interest_ending SELECT * FROM jsonb_populate_record(
    NULL::interest_ending, $1::jsonb || jsonb_build_object('recorded_at', market_now()))
"""


async def registered(superuser: Any, person: Person, **changes: Any) -> UUID:
    """Enter an interest in the register; `organisation` names the counterparty in the market."""
    interest = uuid4()
    row = {
        "id": interest,
        "origin": interest,
        "person": person.id,
        "for_organisation": person.organisation,
        "kind": "financial",
        "relationship": "shareholder",
        "counterparty": "A company",
        "nature": "Shares, bought before the tender.",
        "starts_on": date(2020, 1, 1),
        "aware_on": date(2020, 1, 1),
        "consents": True,
        "accurate": True,
        "entered_by": person.id,
        **changes,
    }
    async with acting(superuser, person.id, person.organisation):
        await superuser.execute(_INTEREST, msgspec.json.encode(row).decode())
    return interest


async def ended(superuser: Any, person: Person, interest: UUID, ended_on: date) -> None:
    """End an interest in the register."""
    row = {
        "id": uuid4(),
        "interest": interest,
        "ended_on": ended_on,
        "recorded_by": person.id,
    }
    async with acting(superuser, person.id, person.organisation):
        await superuser.execute(_ENDING, msgspec.json.encode(row).decode())


# -- lots whose guardian may decide ----------------------------------------------------------------


@remembered
async def evaluated(world: World, **given: Any) -> EvaluatedLot:
    """A lot with two bids to score, whose guardian has declared too."""
    lot = await lot_to_score(world, prices=("2.00", "1.00"), **given)
    await declare(lot.tender.guardian, lot.tender)
    return lot


def bidders(lot: EvaluatedLot) -> tuple[UUID, UUID]:
    """The two organisations that bid for it."""
    first, second = (supplier.organisation for supplier in lot.suppliers)
    return first, second


# -- memberships -----------------------------------------------------------------------------------


async def joins(superuser: Any, person: Person, organisation: UUID, *roles: Role) -> Person:
    """Make somebody a member of another organisation too, signed in for that one."""
    for role in roles or (Role.COMMISSIONER,):
        async with acting(superuser, person.id, person.organisation):
            await superuser.execute(
                "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
                uuid4(),
                person.id,
                organisation,
                role.value,
            )
    session = await begin_session(Actor(person=person.id), person.id, organisation, 3600)
    return msgspec.structs.replace(person, organisation=organisation, token=session.token)


async def leaves(superuser: Any, person: Person, organisation: UUID) -> None:
    """End all of somebody's memberships in an organisation."""
    async with acting(superuser, person.id, person.organisation):
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now()"
            " WHERE person = $1 AND organisation = $2 AND ended_at IS NULL",
            person.id,
            organisation,
        )


# -- delegations -----------------------------------------------------------------------------------


async def delegate(
    administrator: Person, to: UUID, starts: date, ends: date, **changes: Any
) -> httpx.Response:
    """Delegate the award duties of the administrator's organisation, whatever the answer."""
    body = {
        "delegate": str(to),
        "authority": "Governing body, 12 March, item 7: the federation's award team.",
        "starts_on": starts.isoformat(),
        "ends_on": ends.isoformat(),
        **changes,
    }
    path = f"/organisations/{administrator.organisation}/award-delegations"
    return await administrator.post(path, body)


async def end_delegation(administrator: Person, delegation: str) -> httpx.Response:
    """End a delegation before its time, whatever the answer."""
    path = f"/organisations/{administrator.organisation}/award-delegations/{delegation}/ending"
    return await administrator.post(path, {"reason": "The federation is dissolved."})


async def today(world: World) -> date:
    """The market's day, in London to within an hour: tests keep away from midnight by days."""
    moment: datetime = await market_time(world)
    return moment.date()
