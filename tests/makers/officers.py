"""Tenders whose keys officers keep, and the officers at their desks."""

from typing import Any

import httpx
import msgspec

from market.actor import Role
from market.cli.officer_desk import OfficerDesk
from market.sealing import KeyPair, new_key_pair
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.snapshots import remembered
from tests.makers.tenders import PublishedTender, approved_tender, assign
from tests.makers.world import Person, World


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    """An opener with the key that is on their own machine."""

    person: Person
    pair: KeyPair

    @property
    def desk(self) -> OfficerDesk:
        """The officer at the command line of their machine."""
        return OfficerDesk(self.person.client, self.person.token, self.pair.private)


def agreed(_: str) -> bool:
    """Whatever is asked, go on."""
    return True


async def with_key(person: Person) -> Officer:
    """Let somebody make and register a key."""
    officer = Officer(person=person, pair=new_key_pair())
    await officer.desk.register()
    return officer


async def publish_with_officers(tender: PublishedTender) -> httpx.Response:
    """Publish an approved tender whose keys officers are to keep, whatever the answer."""
    view = await tender.manager.get(tender.path)
    return await tender.manager.post(
        f"{tender.path}/publication", {"custody": "officers"}, version=view.json()["version"]
    )


@remembered
async def tender_with_three_openers(
    world: World, **given: Any
) -> tuple[PublishedTender, tuple[Person, Person, Person]]:
    """An approved tender with a third opener, and its openers."""
    tender = await approved_tender(world, **given)
    third = await world.person("Ophelia Opener", await world.organisation("06F"), Role.COMMISSIONER)
    answer = await assign(tender.manager, tender.id, third, "opener")
    assert answer.status_code == 201, answer.text
    return tender, (*tender.openers, third)


@remembered
async def tender_of_officers(
    world: World, **given: Any
) -> tuple[PublishedTender, tuple[Officer, Officer, Officer]]:
    """A published tender whose keys its three openers keep."""
    tender, openers = await tender_with_three_openers(world, **given)
    first, second, third = [await with_key(person) for person in openers]
    answer = await publish_with_officers(tender)
    assert answer.status_code == 200, answer.text
    tender.lots = {lot["number"]: lot["id"] for lot in answer.json()["lots"]}
    tender.version = answer.json()["version"]
    return tender, (first, second, third)


async def confirmed(
    world: World, tender: PublishedTender, officers: tuple[Officer, Officer, Officer]
) -> None:
    """Let the deadline pass, every officer declare, and two openers confirm the opening."""
    await close_bidding(world, tender)
    for officer in officers:
        await declare(officer.person, tender)
    for opener in tender.openers:
        answer = await confirm(opener, tender)
        assert answer.status_code == 201, answer.text


async def resumed(person: Person, tender: PublishedTender) -> httpx.Response:
    """Go on with the opening, whatever the answer."""
    return await person.post(f"{tender.path}/opening")


async def bid_on(world: World, tender: PublishedTender, count: int = 2) -> tuple[Person, ...]:
    """Let so many suppliers bid for every lot."""
    suppliers = await some_suppliers(world, count)
    for person in suppliers:
        for lot in tender.lots:
            await submit(person, tender, lot)
    return suppliers


async def released(tender: PublishedTender, first: Officer, second: Officer) -> list[str]:
    """What two officers are told who release what is due, one after the other."""
    said = await first.desk.release(tender.id, agreed)
    return said + await second.desk.release(tender.id, agreed)
