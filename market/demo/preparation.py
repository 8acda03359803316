"""The first half: buyers and suppliers come in, the requirement is written, reviewed, published."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from market.demo.bidders import BIDDERS, Bidder
from market.demo.cast import BUYERS, JOINT_GROUPS, REGISTRAR, Cast
from market.demo.desk import DemonstrationFailed, Desk, Office
from market.demo.requirement import OPEN_DAYS, REQUIREMENT, RULE_SET_DATE

Tell = Callable[[str], None]
Chapter = tuple[str, Callable[[], Awaitable[None]]]
GROUP_NAMES = {
    "06F": "NHS Bedfordshire CCG",
    "06P": "NHS Luton CCG",
    "04F": "NHS Milton Keynes CCG",
}


class Preparation:
    """One performance. What was learnt on the way is kept for the artefacts."""

    def __init__(self, office: Office, invitation: str | None, tell: Tell) -> None:
        """`invitation` is the registrar's, where the market has no registrar yet."""
        self.office = office
        self.invitation = invitation
        self.tell = tell
        self.desks: dict[str, Desk] = {}
        self.groups: dict[str, str] = {}
        self.tender = ""
        self.version = 0
        self.receipts: dict[str, Any] = {}
        self.charts: dict[str, str] = {}
        self.letters: dict[str, bytes] = {}
        self.kept: dict[str, Any] = {}

    def until_published(self) -> list[Chapter]:
        """What happens before suppliers can bid."""
        return [
            ("Buyers take their seats", self.seat_buyers),
            ("Suppliers of three kinds apply and are admitted", self.admit_suppliers),
            ("The author drafts the requirement", self.draft),
            ("Duties are given, and a forbidden one refused", self.give_duties),
            ("An independent reviewer approves", self.review),
            ("The lead publishes", self.publish),
        ]

    # -- people ---------------------------------------------------------------------------------

    async def _seat(self, person: Cast, inviter: Desk) -> None:
        desk = await self.office.sign_in(person.email)
        if desk is None:
            group = self.groups[person.group]
            offer = {"email": person.email, "roles": list(person.roles)}
            invitation = await inviter.post(f"/organisations/{group}/invitations", offer)
            name = f"{person.name} (demonstration)"
            desk = await self.office.join(invitation["secret"], name, person.email)
        self.desks[person.key] = desk

    async def seat_buyers(self) -> None:
        """The registrar brings in each group's administrator, who brings in the others."""
        if self.invitation is not None:
            registrar = await self.office.join(self.invitation, REGISTRAR.name, REGISTRAR.email)
        else:
            found = await self.office.sign_in(REGISTRAR.email)
            if found is None:
                message = (
                    "The registrar of the demonstration cannot sign in: begin with a new home."
                )
                raise DemonstrationFailed(message)
            registrar = found
        self.desks[REGISTRAR.key] = registrar
        for code, name in GROUP_NAMES.items():
            found_groups = await registrar.get(f"/organisations?q={name.replace(' ', '%20')}")
            self.groups[code] = found_groups["items"][0]["id"]
        for person in sorted(BUYERS, key=lambda cast: "administrator" not in cast.roles):
            administrator = next(
                one.key
                for one in BUYERS
                if one.group == person.group and "administrator" in one.roles
            )
            await self._seat(person, self.desks.get(administrator, registrar))
        self.tell(f"{len(BUYERS)} people of {len(GROUP_NAMES)} groups signed in.")

    async def admit_suppliers(self) -> None:
        """Each supplier applies in public; the registrar admits it with a reason."""
        registrar = self.desks[REGISTRAR.key]
        for bidder in BIDDERS:
            desk = await self.office.sign_in(bidder.email)
            if desk is None:
                await self._admit(bidder, registrar)
                desk = await self.office.sign_in(bidder.email)
            if desk is None:
                message = f"{bidder.name} was admitted and cannot sign in."
                raise DemonstrationFailed(message)
            self.desks[bidder.key] = desk
        kinds = sorted({bidder.kind.replace("_", " ") for bidder in BIDDERS})
        self.tell(f"{len(BIDDERS)} suppliers admitted: {', '.join(kinds)}.")

    async def _admit(self, bidder: Bidder, registrar: Desk) -> None:
        application = await self.office.send(
            "POST",
            "/supplier-applications",
            body={
                "organisation": {
                    "kind": bidder.kind,
                    "name": bidder.name,
                    "address": None,
                    "identifiers": [{"scheme": bidder.scheme, "identifier": bidder.identifier}],
                },
                "service_lines": list(bidder.service_lines),
                "statement": "An application made for the demonstration.",
                "applicant": {
                    "email": bidder.email,
                    "name": f"{bidder.manager} (demonstration)",
                    "password": self.office.password,
                },
                "demonstration": bidder.invented,
            },
        )
        decision = {"outcome": "admitted", "reason": "Identifiers checked; demonstration."}
        await registrar.post(
            f"/supplier-applications/{application.json()['id']}/decision", decision
        )

    # -- before publication ---------------------------------------------------------------------

    async def _now(self) -> datetime:
        clock = (await self.office.send("GET", "/clock")).json()
        return datetime.fromisoformat(clock["now"])

    async def _advance_to(self, instant: datetime) -> None:
        body = {"forward_to": instant.isoformat()}
        await self.desks[REGISTRAR.key].post("/clock/shifts", body)

    async def _take_up(self, desk: Desk) -> None:
        """Nobody's duty is in force before they have declared their interests on taking it."""
        registered = (await desk.get("/me/interests"))["items"]
        declaration = {"statement": "as_registered" if registered else "nothing_to_declare"}
        await desk.post(f"/tenders/{self.tender}/duty-declarations", declaration)

    async def _reread(self, desk: Desk) -> dict[str, Any]:
        view: dict[str, Any] = await desk.get(f"/tenders/{self.tender}")
        self.version = view["version"]
        return view

    async def draft(self) -> None:
        """Tender, joint buyers, requirement and timetable, all as drafts."""
        lead, author = self.desks["lead"], self.desks["author"]
        created = await lead.post(
            "/tenders",
            {
                "title": REQUIREMENT["title"],
                "demonstration": True,
                "rule_set_date": RULE_SET_DATE,
            },
        )
        self.tender, self.version = created["id"], created["version"]
        await self._take_up(lead)
        for code in JOINT_GROUPS:
            body = {"organisation": self.groups[code]}
            await lead.post(f"/tenders/{self.tender}/buyers", body, version=self.version)
            await self._reread(lead)
        await lead.post(
            f"/tenders/{self.tender}/duties",
            {
                "person": author.person,
                "organisation": author.organisation,
                "duty": "author",
            },
        )
        await self._take_up(author)
        await self._reread(author)
        await author.put(f"/tenders/{self.tender}/requirement", REQUIREMENT, version=self.version)
        await self._reread(lead)
        deadline = await self._now() + timedelta(days=OPEN_DAYS)
        await lead.put(
            f"/tenders/{self.tender}/timetable",
            {
                "clarifications_until": (deadline - timedelta(days=10)).isoformat(),
                "deadline": deadline.isoformat(),
                "contract_starts": (deadline + timedelta(days=120)).date().isoformat(),
            },
            version=self.version,
        )
        view = await self._reread(lead)
        shares = ", ".join(f"{buyer['name']} {buyer['share']} %" for buyer in view["buyers"])
        self.kept["tender"] = view
        self.tell(f"Tender {view['reference']}; costs shared by population: {shares}.")

    async def give_duties(self) -> None:
        """Every duty to a different person; the author asks to approve the award and may not."""
        lead = self.desks["lead"]
        for person in BUYERS:
            for duty in person.duties:
                if duty == "author":
                    continue
                desk = self.desks[person.key]
                await lead.post(
                    f"/tenders/{self.tender}/duties",
                    {"person": desk.person, "organisation": desk.organisation, "duty": duty},
                )
                await self._take_up(desk)
        author = self.desks["author"]
        why = await lead.refused(
            "POST",
            f"/tenders/{self.tender}/duties",
            {
                "person": author.person,
                "organisation": author.organisation,
                "duty": "award_approver",
            },
        )
        self.kept["refused_duty"] = why
        self.tell(f"The author asked to approve the award: {why}")

    async def review(self) -> None:
        """The lead asks for the review; another group's clinician gives it."""
        await self._reread(self.desks["lead"])
        await self.desks["lead"].post(
            f"/tenders/{self.tender}/review-requests", version=self.version
        )
        await self._reread(self.desks["reviewer"])
        await self.desks["reviewer"].post(
            f"/tenders/{self.tender}/reviews",
            {
                "outcome": "approved",
                "comments": "The needs are stated without favouring any supplier or product.",
            },
            version=self.version,
        )
        self.tell("Dr Ruth Penhale of NHS Luton CCG, who wrote none of it, approves.")

    async def publish(self) -> None:
        """Publication freezes the requirement and makes the keys to which bids are sealed."""
        await self._reread(self.desks["lead"])
        await self.desks["lead"].post(f"/tenders/{self.tender}/publication", version=self.version)
        self.kept["tender"] = (await self.office.send("GET", f"/tenders/{self.tender}")).json()
        requirement = await self.office.send("GET", f"/tenders/{self.tender}/requirement")
        self.kept["requirement"] = requirement.json()
        lots = self.kept["tender"]["lots"]
        self.tell(f"{len(lots)} lots published under {self.kept['tender']['rule_set']}.")
