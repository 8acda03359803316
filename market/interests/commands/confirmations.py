"""Confirming one's interests: that the register is complete, or that there is nothing in it."""

from uuid import uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Malformed, NotFound
from market.events.commands import record
from market.interests.errors import ConfirmationContradicted
from market.interests.queries.confirmations import confirmation_of
from market.interests.queries.facts import ensure_register, hold_person, is_member
from market.interests.rules.interests import accuracy_faults
from market.interests.schemas.interests import ConfirmationView, ConfirmInterests


@command
async def confirm_interests(actor: Actor, given: ConfirmInterests) -> ConfirmationView:
    """Confirm one's entries in the register of the organisation one acts for.

    Raises:
        NotFound: the actor acts for no organisation.
        NoRegister: it keeps no registers.
        ConfirmationContradicted: "nothing" is said where something stands, or the other way round.
        Malformed: it is not stated to be accurate.
    """
    if actor.person is None or actor.organisation is None:
        raise NotFound
    await ensure_register(actor.organisation)
    faults = list(accuracy_faults(accurate=given.accurate))
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    # somebody who declares at this moment is waited for, or waits
    await hold_person(actor.person)
    if not await is_member(actor.person, actor.organisation):
        raise NotFound
    standing: int = await fetch_value(
        "SELECT count(*) FROM interests_standing($1, $2)", actor.person, actor.organisation
    )
    if given.nothing_to_declare and standing:
        message = f"You have {standing} on the register: end what has ended, or confirm them."
        raise ConfirmationContradicted(message)
    if not given.nothing_to_declare and not standing:
        message = "Nothing of yours is on the register: declare it, or say that there is nothing."
        raise ConfirmationContradicted(message)
    confirmation = uuid4()
    await execute(
        "INSERT INTO interest_confirmation (id, person, organisation, nothing_to_declare)"
        " VALUES ($1, $2, $3, $4)",
        confirmation,
        actor.person,
        actor.organisation,
        given.nothing_to_declare,
    )
    await record(actor, "interests.confirmed", "interest_confirmation", confirmation)
    return await confirmation_of(actor.person, actor.organisation)
