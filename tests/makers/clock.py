"""The market's operator in tests, and time that passes."""

from datetime import datetime
from uuid import UUID

from market.actor import Actor
from market.people.commands import create_operator
from market.people.rules import OPERATOR
from tests.makers.world import PASSWORD, Person, World


async def registrar(world: World) -> Person:
    """The market's registrar, signed in for the operator: one in each world, made once."""
    if world.keeper is not None:
        return world.keeper
    email, name = "registrar@market.example", "Rita Gist"
    invitation = await create_operator(Actor(), email, 3600, world.vault)
    assert invitation is not None
    accepted = await world.client.post(
        "/api/v1/invitation-acceptances",
        json={"secret": invitation.secret, "name": name, "password": PASSWORD},
    )
    assert accepted.status_code == 201, accepted.text
    person = await signed_in(world, name, email)
    assert person.organisation == OPERATOR
    world.keeper = person
    return person


async def signed_in(world: World, name: str, email: str, password: str = PASSWORD) -> Person:
    """Somebody who is registered, signed in for the organisation they first belonged to."""
    answer = await world.client.post(
        "/api/v1/sessions", json={"email": email, "password": password}
    )
    assert answer.status_code == 201, answer.text
    session = answer.json()
    return Person(
        id=UUID(session["person"]),
        name=name,
        email=email,
        organisation=UUID(session["organisation"]),
        token=session["token"],
        client=world.client,
    )


async def advance_to(world: World, instant: datetime) -> None:
    """Move the sandbox's clock forward to an instant, as its registrar does."""
    keeper = await registrar(world)
    shifted = await keeper.post("/clock/shifts", {"forward_to": instant.isoformat()})
    assert shifted.status_code == 201, shifted.text
