"""The people of a commissioning group's registers, and what they declare, over HTTP."""

from typing import Any
from uuid import UUID

import msgspec

from market.actor import Role
from tests.makers.snapshots import remembered
from tests.makers.world import Person, World

INTEREST: dict[str, Any] = {
    "kind": "financial",
    "relationship": "shareholder",
    "counterparty": "Delta Data Limited",
    "business": "Health informatics",
    "nature": "Founding shareholder.",
    "share": "12.5",
    "starts_on": "2019-04-01",
    "aware_on": "2019-04-01",
    "consents": True,
    "accurate": True,
}
GIFT: dict[str, Any] = {
    "kind": "meal",
    "source": "supplier",
    "detail": "Dinner after a conference",
    "value": {"amount": "32.50"},
    "estimated": True,
    "offered_on": "2018-03-14",
    "received_on": "2018-03-14",
    "offeror": "Delta Data Limited",
    "accepted": True,
    "reason": "Every speaker was invited.",
    "consents": True,
    "accurate": True,
}
BREACH: dict[str, Any] = {
    "happened_on": "2017-02-07",
    "what": "Bo Smith stayed in the room for an item about their practice.",
    "other_names": ["Bo Smith"],
    "done": "The decision was taken again.",
    "lessons": "The register is read out before each item.",
}
REFUSED = {"consents": False, "consent_refused_because": "It would let somebody find us."}


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A commissioning group with somebody in each role that the registers know."""

    id: UUID
    member: Person
    colleague: Person
    guardian: Person
    auditor: Person
    lay_member: Person
    administrator: Person

    @property
    def path(self) -> str:
        """Where the organisation's registers are."""
        return f"/organisations/{self.id}"


@remembered
async def body_with_registers(world: World, ods_code: str = "06F") -> Body:
    """A commissioning group and its people."""
    group = await world.organisation(ods_code)
    return Body(
        id=group,
        member=await world.person("Mia Member", group, Role.COMMISSIONER),
        colleague=await world.person("Cy Colleague", group, Role.COMMISSIONER),
        guardian=await world.person("Gil Guardian", group, Role.CONFLICTS_GUARDIAN),
        auditor=await world.person("Aud Auditor", group, Role.AUDITOR),
        lay_member=await world.person("Lou Lay", group, Role.LAY_MEMBER),
        administrator=await world.person("Ada Admin", group, Role.ADMINISTRATOR),
    )


async def declared(by: Person, **changes: Any) -> dict[str, Any]:
    """An interest that somebody declared in the register of the organisation they act for."""
    return await made(by, f"/organisations/{by.organisation}/interests", INTEREST, changes)


async def offered(by: Person, **changes: Any) -> dict[str, Any]:
    """An offer that somebody declared."""
    return await made(by, f"/organisations/{by.organisation}/gifts", GIFT, changes)


async def made(
    by: Person, path: str, body: dict[str, Any], changes: dict[str, Any]
) -> dict[str, Any]:
    """What a POST of a body with some changes made; a value of None leaves a field out."""
    sent = {key: value for key, value in (body | changes).items() if value is not None}
    answer = await by.post(path, sent)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view
