"""The people of the access matrix: one of every kind, each signed in, and the tender they serve."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from pwdlib.hashers.argon2 import Argon2Hasher

from market.actor import Actor, Role
from market.command import command
from market.events.commands import record
from market.organisations.rules import OrganisationKind
from market.people.commands import NewPerson, begin_session, grant_role, register
from tests.access.kinds import (
    HOLDERS,
    INTERESTED,
    KINDS,
    SYSTEMS,
    WITHOUT,
    Interest,
    Kind,
    Of,
    Standing,
)
from tests.makers.clock import advance_to, registrar
from tests.makers.interests import BREACH, GIFT, INTEREST, REFUSED
from tests.makers.ownership import entity, person
from tests.makers.ownership import send as import_statements
from tests.makers.suppliers import admitted_supplier, application, apply
from tests.makers.systems import api_key, by_credential, client_body, clients_path, key_pair
from tests.makers.tenders import (
    PublishedTender,
    assign,
    created_tender,
    market_time,
    offer,
    requirement_of,
    set_timetable,
    write_requirement,
)
from tests.makers.webhooks import webhook
from tests.makers.world import PASSWORD, Person, World

PRICES = {"winner": "7311.37", "loser": "8422.41", "failing": "6533.29"}
"""The unit prices of the bids: figures that stand in no answer by chance."""

YEARS = timedelta(days=5 * 365)
"""Longer than any state lasts, and no longer than an exemption may be granted for."""
WEBHOOK = "https://hooks.halcyon.example/market"
INVITED = "ivy.invited@market.example"


class Cast(msgspec.Struct, kw_only=True):
    """Everybody, by the name of their kind, the tender, and what else requests are about."""

    people: dict[str, Person] = {}  # msgspec copies an empty default for each instance
    organisations: dict[str, UUID] = {}
    sessions: dict[str, str] = {}
    path: dict[str, str] = {}
    """What stands in paths, by the name of the parameter."""
    body: dict[str, str] = {}
    """What stands in bodies, by a name of its own."""
    tender: PublishedTender | None = None

    def __getitem__(self, kind: str) -> Person:
        """Somebody, by the name of their kind."""
        return self.people[kind]

    @property
    def running(self) -> PublishedTender:
        """The tender, from the draft on."""
        assert self.tender is not None
        return self.tender

    @property
    def bidders(self) -> tuple[Person, ...]:
        """The bid managers of those who bid."""
        return tuple(self.people[name] for name in PRICES)


@command
async def _registered(actor: Actor, email: str, name: str) -> UUID:
    """Register somebody whose password costs almost nothing to check, unlike a real one."""
    hashed = Argon2Hasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
    new = NewPerson(id=uuid4(), email=email, name=name, password_hash=hashed)
    await register(actor, new)
    return new.id


@command
async def _joined(actor: Actor, person: UUID, organisation: UUID, *roles: Role) -> None:
    for role in roles:
        await grant_role(actor, person, organisation, role)
    await record(actor, "membership.granted", "person", person)


async def _somebody(world: World, name: str, organisation: UUID, *roles: Role) -> Person:
    """Somebody who can also confirm by their password who they are."""
    email = f"{uuid4().hex[:8]}@market.example"
    person = await _registered(Actor(), email, name)
    await _joined(Actor(), person, organisation, *roles)
    session = await begin_session(Actor(person=person), person, organisation, 8 * 3600)
    return Person(
        id=person,
        name=name,
        email=email,
        organisation=organisation,
        token=session.token,
        client=world.client,
    )


async def assembled(world: World) -> Cast:
    """Bring everybody into the market, and the tender to a draft in which every duty is given."""
    cast = Cast()
    await _bring_organisations(world, cast)
    await _bring_people(world, cast)
    await _begin(world, cast)
    await _delegate(cast)
    await _give_duties(world, cast)
    await _suspend(world, cast)
    await write_requirement(cast.running)
    await set_timetable(cast.running)
    await _add_what_is_acted_on(cast)
    for name, somebody in cast.people.items():
        if somebody.token.startswith("mka_"):
            continue
        sessions = await somebody.get("/sessions")
        assert sessions.status_code == 200, sessions.text
        cast.sessions[name] = sessions.json()[0]["id"]
    return cast


async def _bring_organisations(world: World, cast: Cast) -> None:
    cast.people["registrar"] = await registrar(world)
    for name, of in (("winner", Of.WINNER), ("loser", Of.LOSER), ("failing", None)):
        person = await admitted_supplier(world, f"Halcyon {name.title()} Partners")
        cast.people[name] = person
        if of is not None:
            cast.organisations[of] = person.organisation
    cast.people["supplier without a bid"] = await admitted_supplier(world, "Idle Analytics")
    cast.people["helping unit"] = await admitted_supplier(
        world, "A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT
    )
    cast.organisations |= {
        Of.BUYER: await world.organisation("06F"),
        Of.OTHER: await world.organisation("06P"),
        Of.SUPPLIER: cast["supplier without a bid"].organisation,
        Of.HELPER: cast["helping unit"].organisation,
        "third group": await world.organisation("00L"),
        "fourth group": await world.organisation("00N"),
    }


async def _bring_people(world: World, cast: Cast) -> None:
    body = application("Hopeful Insights")
    applied = await apply(world, body)
    assert applied.status_code == 201, applied.text
    given = {"email": body["applicant"]["email"], "password": PASSWORD}
    session = (await world.client.post("/api/v1/sessions", json=given)).json()
    cast.people["applicant"] = Person(
        id=UUID(session["person"]),
        name=body["applicant"]["name"],
        email=given["email"],
        organisation=UUID(int=0),
        token=session["token"],
        client=world.client,
    )
    cast.path["application_id"] = applied.json()["id"]
    await _registered(Actor(), INVITED, "Ivy Invited")
    for kind in KINDS:
        if kind.name in cast.people or kind.of is Of.NOBODY or kind.system_of:
            continue
        of = Of.BUYER if kind.of is Of.THEMSELVES else kind.of
        roles = [Role(role) for role in kind.roles] or [Role.LAY_MEMBER]
        named = "".join(char if char.isalpha() else " " for char in kind.name).title()
        cast.people[kind.name] = await _somebody(world, named, cast.organisations[of], *roles)
        if kind.interest is Interest.MEMBER:
            member = cast[kind.name].id
            await _joined(Actor(), member, cast.organisations[Of.WINNER], Role.ADMINISTRATOR)


async def _begin(world: World, cast: Cast) -> None:
    """Let the manager begin the tender; the makers know everybody in it by their duty."""
    view = await created_tender(cast["tender_manager"])
    cast.tender = PublishedTender(
        id=UUID(view["id"]),
        reference=view["reference"],
        version=view["version"],
        manager=cast["tender_manager"],
        author=cast["author"],
        reviewer=cast["reviewer"],
        openers=(cast["opener"], cast["second opener"]),
        quality_evaluators=(cast["quality_evaluator"], cast["exempted evaluator"]),
        price_evaluator=cast["price_evaluator"],
        moderator=cast["moderator"],
        approvers=(cast["award_approver"], cast["lay approver"]),
        guardian=cast["guardian"],
        contract_manager=cast["contract_manager"],
        requirement=requirement_of(1),
        deadline=await market_time(world) + timedelta(days=60),
    )


async def _delegate(cast: Cast) -> None:
    """Let the buyer delegate its award duties to two groups; the first is ended later."""
    for delegate, ending in (("third group", "2058-12-31"), (Of.OTHER, "2059-12-31")):
        body = {
            "delegate": str(cast.organisations[delegate]),
            "authority": "Governing body, item 7.",
            "starts_on": "2020-01-01",
            "ends_on": ending,
        }
        path = f"/organisations/{cast.organisations[Of.BUYER]}/award-delegations"
        made = await cast["buyer's administrator"].post(path, body)
        assert made.status_code == 201, made.text
        cast.body[f"delegation to {delegate}"] = made.json()["id"]
    cast.path["delegation_id"] = cast.body["delegation to third group"]


async def _give_duties(world: World, cast: Cast) -> None:
    tender = cast.running
    await _given(tender, cast["guardian"], "guardian")
    now = await market_time(world)
    soon, later = (now + timedelta(minutes=10)).isoformat(), (now + YEARS).isoformat()
    for name, until in (("exempted evaluator", later), ("expired exemption", soon)):
        body = {
            "person": str(cast[name].id),
            "duties": ["author", "quality_evaluator"],
            "reason": "Nobody else can judge the medicines.",
            "expires_at": until,
        }
        exempted = await cast["guardian"].post(f"{tender.path}/exemptions", body)
        assert exempted.status_code == 201, exempted.text
        cast.path.setdefault("exemption_id", exempted.json()["id"])
    for kind in (*HOLDERS, *WITHOUT, *INTERESTED):
        for duty in kind.duties:
            if kind.name not in {"tender_manager", "guardian"}:
                await _begun(cast, kind, duty)


async def _begun(cast: Cast, kind: Kind, duty: str) -> None:
    if kind.standing is not Standing.OFFERED:
        await _given(cast.running, cast[kind.name], duty)
        return
    given = await offer(cast.running.manager, cast.running.id, cast[kind.name], duty)
    assert given.status_code == 201, given.text
    cast.path["duty_id"] = given.json()["id"]


async def _given(tender: PublishedTender, person: Person, duty: str) -> None:
    answer = await assign(tender.manager, tender.id, person, duty)
    assert answer.status_code == 201, (person.name, duty, answer.text)


async def _suspend(world: World, cast: Cast) -> None:
    """Take away what some duties rest on: holder, exemption, delegation, membership."""
    duties = (await cast["tender_manager"].get(f"{cast.running.path}/duties")).json()
    for kind in WITHOUT:
        if kind.standing is Standing.RELEASED:
            held = [one["id"] for one in duties if one["person"] == str(cast[kind.name].id)]
            released = await cast["tender_manager"].delete(f"{cast.running.path}/duties/{held[0]}")
            assert released.status_code == 200, released.text
    await advance_to(world, await market_time(world) + timedelta(minutes=20))
    ended = await cast["buyer's administrator"].post(
        f"/organisations/{cast.organisations[Of.BUYER]}/award-delegations"
        f"/{cast.body[f'delegation to {Of.OTHER}']}/ending",
        {"reason": "The federation has its own team again."},
    )
    assert ended.status_code == 201, ended.text
    membership = await _membership(cast, cast["ended membership"])
    left = await cast["buyer's administrator"].delete(f"/memberships/{membership}")
    assert left.status_code == 204, left.text


async def _membership(cast: Cast, person: Person) -> str:
    mine = await person.get("/me")
    assert mine.status_code == 200, mine.text
    found: list[dict[str, Any]] = mine.json()["memberships"]
    buyer = str(cast.organisations[Of.BUYER])
    return next(str(one["id"]) for one in found if one["organisation"] == buyer)


async def _add_what_is_acted_on(cast: Cast) -> None:
    """What requests are about beside the tender: of each thing one, and names of none."""
    invited = await _made(
        cast["buyer's administrator"],
        f"/organisations/{cast.organisations[Of.BUYER]}/invitations",
        {"email": INVITED, "roles": ["commissioner"]},
    )
    cast.body |= {
        "secret": invited["secret"],
        "deadline": cast.running.deadline.isoformat(),
    }
    cast.path |= {
        "organisation_id": str(cast.organisations[Of.BUYER]),
        "person_id": str(cast["buyer's lay_member"].id),
        "membership_id": await _membership(cast, cast["buyer's lay_member"]),
        "invitation_id": invited["id"],
        "tender_id": str(cast.running.id),
        "lot_number": "1",
        "number": "1",
        "pseudonym": "Bidder A",
        "chart_file": "totals.svg",
        "notice_id": str(uuid4()),
        "bid_id": str(uuid4()),
        "document_id": str(uuid4()),
        "identity_id": str(uuid4()),
        "authenticator_id": str(uuid4()),
    }
    await _add_systems(cast)
    saved = await _made(cast["supplier without a bid"], "/saved-searches", {"name": "Dashboards"})
    cast.path["search_id"] = saved["id"]
    await _add_entries(cast)
    await _add_ownership(cast)


async def _made(person: Person, path: str, body: Any, **options: Any) -> dict[str, Any]:
    answer = await person.post(path, body, **options)
    assert answer.status_code == 201, (path, answer.text)
    given: dict[str, Any] = answer.json()
    return given


async def _add_systems(cast: Cast) -> None:
    """The keys of those who are systems; a key, a client and a webhook to be acted on."""
    administrator = cast["buyer's administrator"]
    for kind in SYSTEMS:
        made = await api_key(cast[kind.system_of], scopes=[*(kind.scopes or ())])
        cast.people[kind.name] = by_credential(cast[kind.system_of], made["key"])
    cast.path["key_id"] = (await api_key(administrator))["id"]
    client = await _made(administrator, clients_path(administrator), client_body(key_pair()))
    cast.path["client_id"] = client["id"]
    cast.path["webhook_id"] = (await webhook(administrator, WEBHOOK))["id"]
    cast.path["delivery_id"] = str(uuid4())
    cast.path["proposal_id"] = str(uuid4())
    cast.path |= {"position": "1", "old_size": "1", "event_id": str(uuid4())}  # of the log


async def _add_entries(cast: Cast) -> None:
    """An interest and a gift, whose publication their holder refuses, and a breach."""
    holder, guardian = cast["buyer's commissioner"], cast["buyer's conflicts_guardian"]
    registers = f"/organisations/{cast.organisations[Of.BUYER]}"
    interest = await _made(holder, f"{registers}/interests", INTEREST | REFUSED)
    gift = await _made(holder, f"{registers}/gifts", GIFT | REFUSED)
    breach = await _made(guardian, f"{registers}/conflict-breaches", BREACH)
    cast.path |= {
        "interest_id": interest["id"],
        "gift_id": gift["id"],
        "breach_id": breach["id"],
    }


async def _add_ownership(cast: Cast) -> None:
    """Two people of the statements, one of them matched, and a link that the registrar stated."""
    keeper = cast["registrar"]
    answer = await import_statements(keeper, [entity(1_234_567), person(1), person(2)])
    assert answer.status_code == 201, answer.text
    parties = (await keeper.get("/ownership/parties?words=Person")).json()["items"]
    free, taken = (one["id"] for one in parties)
    matched = await _made(
        keeper,
        "/ownership/people",
        {
            "person": str(cast["buyer's lay_member"].id),
            "party": taken,
            "reason": "They said so themselves.",
        },
    )
    link = await _made(
        keeper,
        "/ownership/links",
        {
            "holder": {"party": free},
            "subject": {
                "registered": {"scheme": "GB-COH", "identifier": "01234567", "name": "B Ltd"}
            },
            "kind": "directorship",
            "starts_on": "2024-04-01",
            "source": "Companies House, officers of 01234567.",
        },
    )
    cast.body["party"] = free
    cast.path |= {"match_id": matched["id"], "link_id": link["id"]}
