"""Tenders as far as a test needs them, made through HTTP by the people whose duty each step is."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from market.actor import Role
from tests.makers.snapshots import remembered
from tests.makers.world import Person, World
from tests.tenders.rules.documents import lot_document, requirement_document


class PublishedTender(msgspec.Struct, kw_only=True):
    """A tender and everybody who holds a duty in it. `version` is as of the last step made here."""

    id: UUID
    reference: str
    version: int
    manager: Person
    author: Person
    reviewer: Person
    openers: tuple[Person, Person]
    quality_evaluators: tuple[Person, Person]
    price_evaluator: Person
    moderator: Person
    approvers: tuple[Person, Person]
    guardian: Person
    contract_manager: Person
    requirement: dict[str, Any]
    deadline: datetime
    lots: dict[int, UUID] = {}  # msgspec copies an empty default for each instance

    @property
    def path(self) -> str:
        """Where the tender is found."""
        return f"/tenders/{self.id}"

    @property
    def lay_member(self) -> Person:
        """The approver who is a lay member of the buyer."""
        return self.approvers[1]

    def everybody(self) -> tuple[Person, ...]:
        """Each person with a duty, once."""
        return (
            self.manager,
            self.author,
            self.reviewer,
            *self.openers,
            *self.quality_evaluators,
            self.price_evaluator,
            self.moderator,
            *self.approvers,
            self.guardian,
            self.contract_manager,
        )

    async def act(self, person: Person, path: str, json: Any = None) -> httpx.Response:
        """Post to a path below the tender on its present version; the answer must be good."""
        view = await person.get(self.path)
        assert view.status_code == 200, view.text
        answer = await person.post(f"{self.path}{path}", json, version=view.json()["version"])
        assert answer.status_code in {200, 201}, answer.text
        self.version = answer.json()["version"]
        return answer


def requirement_of(lots: int, /, **changes: Any) -> dict[str, Any]:
    """A faultless requirement with a number of lots, and top-level members replaced."""
    return {
        **requirement_document(),
        "lots": [lot_document(number) for number in range(1, lots + 1)],
        **changes,
    }


async def market_time(world: World) -> datetime:
    """What time the market has."""
    answer = await world.public("/clock")
    assert answer.status_code == 200, answer.text
    return datetime.fromisoformat(answer.json()["now"])


async def created_tender(manager: Person, **given: Any) -> dict[str, Any]:
    """Begin a tender and give its view."""
    body = {"title": "Business intelligence", **given}
    answer = await manager.post("/tenders", body)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    taken = await take_up(manager, view["id"])
    assert taken.status_code == 201, taken.text
    return {**view, "my_duties": ["tender_manager"]}


async def take_up(
    person: Person, tender: UUID | str, statement: str = "nothing_to_declare"
) -> httpx.Response:
    """Declare on taking up one's duties, whatever the answer."""
    return await person.post(f"/tenders/{tender}/duty-declarations", {"statement": statement})


async def offer(manager: Person, tender: UUID | str, person: Person, duty: str) -> httpx.Response:
    """Ask for a duty to be given; whether it was is for the caller to see."""
    body = {"person": str(person.id), "organisation": str(person.organisation), "duty": duty}
    return await manager.post(f"/tenders/{tender}/duties", body)


async def assign(manager: Person, tender: UUID | str, person: Person, duty: str) -> httpx.Response:
    """Ask for a duty to be given, whatever the answer; where it was, its holder takes it up."""
    given = await offer(manager, tender, person, duty)
    if given.status_code == 201:
        taken = await take_up(person, tender)
        assert taken.status_code == 201, taken.text
    return given


@remembered
async def drafted_tender(
    world: World,
    *,
    lots: int = 2,
    deadline: timedelta = timedelta(days=40),
    requirement: dict[str, Any] | None = None,
    **given: Any,
) -> PublishedTender:
    """A draft with requirement and timetable, in which every duty is given."""
    bedfordshire, luton = await world.organisation("06F"), await world.organisation("06P")

    async def somebody(name: str, role: Role = Role.COMMISSIONER) -> Person:
        return await world.person(name, bedfordshire, role)

    manager = await somebody("Mary Manager", Role.PROCUREMENT_LEAD)
    view = await created_tender(manager, **given)
    now = await market_time(world)
    tender = PublishedTender(
        id=UUID(view["id"]),
        reference=view["reference"],
        version=view["version"],
        manager=manager,
        author=await somebody("Arthur Author"),
        reviewer=await world.person("Ruth Reviewer", luton, Role.COMMISSIONER),
        openers=(await somebody("Olive Opener"), await somebody("Oscar Opener")),
        quality_evaluators=(await somebody("Eve Evaluator"), await somebody("Emil Evaluator")),
        price_evaluator=await somebody("Petra Price"),
        moderator=await somebody("Mona Moderator"),
        approvers=(await somebody("Alan Approver"), await somebody("Lily Lay", Role.LAY_MEMBER)),
        guardian=await somebody("Grace Guardian", Role.CONFLICTS_GUARDIAN),
        contract_manager=await somebody("Colin Contract"),
        requirement=requirement_of(lots) if requirement is None else requirement,
        deadline=now + deadline,
    )
    for person, duty in _duties(tender):
        answer = await assign(manager, tender.id, person, duty)
        assert answer.status_code == 201, answer.text
    await write_requirement(tender)
    await set_timetable(tender)
    return tender


def _duties(tender: PublishedTender) -> list[tuple[Person, str]]:
    return [
        (tender.author, "author"),
        (tender.reviewer, "reviewer"),
        *((person, "opener") for person in tender.openers),
        *((person, "quality_evaluator") for person in tender.quality_evaluators),
        (tender.price_evaluator, "price_evaluator"),
        (tender.moderator, "moderator"),
        *((person, "award_approver") for person in tender.approvers),
        (tender.guardian, "guardian"),
        (tender.contract_manager, "contract_manager"),
    ]


async def write_requirement(tender: PublishedTender) -> None:
    """Let the author write the tender's requirement."""
    answer = await tender.author.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert answer.status_code == 200, answer.text
    tender.version = answer.json()["version"]


async def set_timetable(tender: PublishedTender) -> None:
    """Let the manager set the tender's timetable."""
    body = {
        "clarifications_until": (tender.deadline - timedelta(days=1)).isoformat(),
        "deadline": tender.deadline.isoformat(),
        "contract_starts": (tender.deadline + timedelta(days=90)).date().isoformat(),
    }
    answer = await tender.manager.put(f"{tender.path}/timetable", body, version=tender.version)
    assert answer.status_code == 200, answer.text
    tender.version = answer.json()["version"]


async def approve(tender: PublishedTender) -> None:
    """Let the manager ask for the review and the reviewer approve."""
    await tender.act(tender.manager, "/review-requests")
    review = {"outcome": "approved", "comments": "It favours nobody."}
    await tender.act(tender.reviewer, "/reviews", review)


async def publish(tender: PublishedTender) -> None:
    """Let the manager publish, and note the lots."""
    answer = await tender.act(tender.manager, "/publication")
    tender.lots = {lot["number"]: UUID(lot["id"]) for lot in answer.json()["lots"]}


@remembered
async def approved_tender(world: World, **given: Any) -> PublishedTender:
    """A tender whose requirement a reviewer approved; `given` as for `drafted_tender`."""
    tender = await drafted_tender(world, **given)
    await approve(tender)
    return tender


@remembered
async def published_tender(world: World, **given: Any) -> PublishedTender:
    """A published tender, open for bids; `given` as for `drafted_tender`."""
    tender = await approved_tender(world, **given)
    await publish(tender)
    return tender
