"""Suppliers in tests: they apply in public, and the registrar admits them."""

from itertools import count
from typing import Any

import httpx

from market.organisations.rules import OrganisationKind
from tests.makers.clock import registrar, signed_in
from tests.makers.snapshots import remembered
from tests.makers.world import PASSWORD, Person, World

UNITS = ("0AD", "0AE", "0AJ", "0AM", "0AP", "0AQ")
_NUMBERS = count(1)


def application(
    name: str,
    kind: OrganisationKind | str = OrganisationKind.COMMERCIAL,
    *,
    ods: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The body of a right application by an organisation of any of the three kinds.

    A unit is one of the reference data, found by its ODS code; the others are made up, with a new
    number each time. `changes` replace whole fields of the body.
    """
    number = next(_NUMBERS)
    identifiers = {
        OrganisationKind.COMMISSIONING_SUPPORT_UNIT: ("GB-NHS", ods or UNITS[0]),
        OrganisationKind.THIRD_SECTOR: ("GB-CHC", f"{1_100_000 + number}"),
        OrganisationKind.COMMERCIAL: ("GB-COH", f"{9_000_000 + number:08d}"),
    }
    scheme, identifier = identifiers[OrganisationKind(kind)]
    body: dict[str, Any] = {
        "organisation": {
            "kind": str(OrganisationKind(kind)),
            "name": name,
            "address": "1 Market Square, Bedford",
            "identifiers": [{"scheme": scheme, "identifier": identifier}],
        },
        "service_lines": ["bi-decision-support", "end-to-end"],
        "statement": "We know the work and have the people for it.",
        "applicant": {
            "email": f"bids.{number}@supplier.example",
            "name": f"Bea {number}",
            "password": PASSWORD,
        },
    }
    return body | changes


async def apply(world: World, body: dict[str, Any]) -> httpx.Response:
    """Send an application, as somebody who is not signed in."""
    return await world.client.post("/api/v1/supplier-applications", json=body)


async def decide(
    by: Person, application_id: str, outcome: str, reason: str = "As it should be."
) -> dict[str, Any]:
    """Decide an application as the registrar, and give what it became."""
    answer = await by.post(
        f"/supplier-applications/{application_id}/decision", {"outcome": outcome, "reason": reason}
    )
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


@remembered
async def admitted_supplier(
    world: World,
    name: str,
    kind: OrganisationKind | str = OrganisationKind.COMMERCIAL,
    *,
    ods: str | None = None,
) -> Person:
    """The bid manager and administrator of an admitted supplier, signed in for it.

    A commissioning support unit is named by its ODS code (`ods`, by default the first of UNITS)
    and keeps the name it has in the reference data.
    """
    body = application(name, kind, ods=ods)
    applied = await apply(world, body)
    assert applied.status_code == 201, applied.text
    await decide(await registrar(world), applied.json()["id"], "admitted")
    applicant = body["applicant"]
    return await signed_in(world, applicant["name"], applicant["email"])
