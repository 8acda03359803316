"""Statements of ownership for tests: small ones by hand, and a register of any size."""

import random
from typing import Any

import httpx
import msgspec

from tests.makers.world import Person

LINES = "application/jsonl"


def entity(number: int | str, **more: Any) -> dict[str, Any]:
    """A company in version 0.2, with a number at Companies House if its own is a number."""
    held = [{"scheme": "GB-COH", "id": f"{number:08d}"}] if isinstance(number, int) else []
    return {
        "statementID": f"entity-{number}",
        "statementType": "entityStatement",
        "entityType": "registeredEntity",
        "name": f"Company {number} Ltd",
        "identifiers": held,
        **more,
    }


def person(number: int | str, **more: Any) -> dict[str, Any]:
    """A person in version 0.2."""
    return {
        "statementID": f"person-{number}",
        "statementType": "personStatement",
        "personType": "knownPerson",
        "names": [{"type": "individual", "fullName": f"Person {number}"}],
        **more,
    }


def owns(
    key: str, holder: str, subject: str, percent: float | None = 100, **more: Any
) -> dict[str, Any]:
    """One who owns so much of another, by the ids of their statements, in version 0.2."""
    kind = "Person" if holder.startswith("person") else "Entity"
    interest: dict[str, Any] = {"type": "shareholding"}
    if percent is not None:
        interest["share"] = {"exact": percent}
    return {
        "statementID": key,
        "statementType": "ownershipOrControlStatement",
        "subject": {"describedByEntityStatement": subject},
        "interestedParty": {f"describedBy{kind}Statement": holder},
        "interests": [interest],
        **more,
    }


def lines(statements: list[dict[str, Any]]) -> bytes:
    """Statements as JSON Lines."""
    return b"\n".join(msgspec.json.encode(statement) for statement in statements)


async def send(
    importer: Person,
    content: bytes | list[dict[str, Any]],
    *,
    source: str = "tests",
    media_type: str | None = None,
) -> httpx.Response:
    """Import by HTTP: a list as an array, bytes as they are."""
    body = msgspec.json.encode(content) if isinstance(content, list) else content
    kind = media_type or ("application/json" if isinstance(content, list) else LINES)
    return await importer.request(
        "POST",
        "/ownership/imports",
        params={"source": source},
        content=body,
        headers={"Content-Type": kind},
    )


def register(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """A register of `count` statements: groups of companies, their owners, hubs, some cycles.

    Of ten statements four are of companies, two of people, four of relationships. One company in
    ten belongs to one of a few hubs (nominees, investors) with thousands of holdings; one
    relationship in two hundred closes a cycle.
    """
    chance = random.Random(seed)  # noqa: S311  # data for tests
    companies, people = count * 4 // 10, count * 2 // 10
    made = [entity(number) for number in range(1, companies + 1)]
    made += [person(number) for number in range(1, people + 1)]
    hubs = max(1, companies // 15000)
    for number in range(1, count - len(made) + 1):
        subject = f"entity-{1 + (number * 7) % companies}"
        toss = chance.random()
        if toss < 0.1:
            holder = f"entity-{1 + chance.randrange(hubs)}"
        elif toss < 0.45:
            holder = f"entity-{1 + chance.randrange(companies)}"
        else:
            holder = f"person-{1 + chance.randrange(people)}"
        if holder == subject:
            holder = "person-1"
        percent = chance.choice((5, 12.5, 25, 40, 51, 75, 100))
        made.append(owns(f"link-{number}", holder, subject, percent))
        if toss > 0.995 and holder.startswith("entity"):
            made.append(owns(f"back-{number}", subject, holder, 1))
    return made
