"""Rows of the registers, inserted straight into the database, past every rule in Python."""

from typing import Any
from uuid import UUID, uuid4

from tests.makers.direct import acting
from tests.makers.interests import Body
from tests.makers.world import Person

TABLES = (
    "interest",
    "interest_ending",
    "interest_mitigation",
    "interest_confirmation",
    "gift",
    "gift_review",
    "consent_decision",
    "conflict_breach",
    "conflict_breach_person",
    "conflict_breach_publication",
)
_INTEREST: dict[str, Any] = {
    "kind": "financial",
    "relationship": "director",
    "counterparty": "Delta Data Limited",
    "nature": "Director.",
    "consents": True,
    "accurate": True,
}
_GIFT: dict[str, Any] = {
    "kind": "meal",
    "source": "supplier",
    "detail": "Dinner",
    "value": 30,
    "estimated": True,
    "offeror": "Delta Data Limited",
    "accepted": True,
    "on_behalf_of_organisation": False,
    "reason": "Everybody was invited.",
    "consents": True,
    "accurate": True,
}


async def insert(connection: Any, table: str, **row: Any) -> UUID:
    """Insert a row, with an id of its own, and give that."""
    row = {"id": uuid4()} | row
    names, places = ", ".join(row), ", ".join(f"${number + 1}" for number in range(len(row)))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  # the test's own names
    await connection.execute(statement, *row.values())
    made_id: UUID = row["id"]
    return made_id


async def day_of(connection: Any, days: int = 0) -> Any:
    """The market's day in London, or one so many days from it."""
    return await connection.fetchval("SELECT register_day(market_now()) + $1::integer", days)


async def insert_interest(connection: Any, person: Person, **changes: Any) -> UUID:
    """An interest declared today."""
    row = _INTEREST | {
        "person": person.id,
        "for_organisation": person.organisation,
        "aware_on": await day_of(connection),
    }
    return await insert(connection, "interest", **(row | changes))


async def insert_gift(connection: Any, person: Person, **changes: Any) -> UUID:
    """An offer made today."""
    row = _GIFT | {
        "person": person.id,
        "for_organisation": person.organisation,
        "offered_on": await day_of(connection),
    }
    return await insert(connection, "gift", **(row | changes))


def in_name_of(connection: Any, person: Person) -> Any:
    """A transaction in the name of somebody who acts for their organisation."""
    return acting(connection, person.id, person.organisation)


async def a_year_ago(connection: Any) -> Any:
    """An instant a year ago."""
    return await connection.fetchval("SELECT now() - interval '1 year'")


async def insert_confirmation(
    connection: Any, person: Person, organisation: UUID, *, nothing: bool = True
) -> UUID:
    """A confirmation of somebody's interests."""
    return await insert(
        connection,
        "interest_confirmation",
        person=person.id,
        organisation=organisation,
        nothing_to_declare=nothing,
    )


async def insert_ending(connection: Any, interest: UUID, days: int = 0, **changes: Any) -> UUID:
    """That an interest ended today, or so many days from it."""
    day = await day_of(connection, days)
    row = {"interest": interest, "ended_on": day}
    return await insert(connection, "interest_ending", **(row | changes))


async def insert_review(connection: Any, gift: UUID) -> UUID:
    """Approval of an offer."""
    return await insert(connection, "gift_review", gift=gift, approves=True, comment="In order.")


async def insert_mitigation(connection: Any, interest: UUID, agreed_with: Person) -> UUID:
    """What is done about an interest."""
    return await insert(
        connection,
        "interest_mitigation",
        interest=interest,
        what="Leaves the room.",
        agreed_with=agreed_with.id,
    )


async def insert_breach(connection: Any, body: Body, **changes: Any) -> UUID:
    """A breach that happened today."""
    row = {
        "organisation": body.id,
        "happened_on": await day_of(connection),
        "what": "Bo Smith stayed.",
        "done": "Decided again.",
        "lessons": "Read the register.",
    }
    return await insert(connection, "conflict_breach", **(row | changes))


async def insert_involved(connection: Any, breach: UUID, person: Person) -> UUID:
    """Somebody who was involved in a breach."""
    return await insert(
        connection, "conflict_breach_person", breach=breach, person=person.id, name=person.name
    )


async def insert_publication(connection: Any, breach: UUID, text: str) -> UUID:
    """The public's text about a breach."""
    return await insert(connection, "conflict_breach_publication", breach=breach, text=text)
