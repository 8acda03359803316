"""Reference data: every CCG, every commissioning support unit, every service line, loaded once."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg

from market.migrations import OWNER
from market.organisations.rules import OrganisationKind
from market.reference import load_ccgs, load_csus, load_service_lines


def reference_id(ods_code: str) -> UUID:
    """The same organisation has the same id in every market that loads the reference data."""
    return uuid5(NAMESPACE_URL, f"https://fhir.nhs.uk/Id/ods-organization-code|{ods_code}")


async def load_reference(parameters: dict[str, Any]) -> int:
    """Load what is missing of the reference data, recorded in the log; give how much was new.

    Loading again adds what is new and changes nothing else: organisations are data that lives on.
    """
    connection = await asyncpg.connect(**parameters, server_settings={"role": OWNER})
    added = 0
    try:
        async with connection.transaction():
            for line in load_service_lines():
                added += _count(
                    await connection.execute(
                        "INSERT INTO service_line (code, title, group_title, cpv, source)"
                        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                        line.code,
                        line.name,
                        line.group,
                        line.cpv,
                        line.source,
                    )
                )
            for group in load_ccgs():
                kind = OrganisationKind.CLINICAL_COMMISSIONING_GROUP.value
                added += await _organisation(
                    connection, group.ods_code, kind, group.name, None, group.population
                )
            for unit in load_csus():
                address = ", ".join(
                    part for part in (unit.address, unit.town, unit.county, unit.postcode) if part
                )
                added += await _organisation(
                    connection, unit.ods_code, str(unit.kind), unit.name, address, None
                )
            if added:
                await connection.execute(
                    "INSERT INTO event (id, action, subject_kind, subject, request, details)"
                    " VALUES (gen_random_uuid(), 'reference.loaded', 'installation', $1, 'init',"
                    " jsonb_build_object('added', $2::int))",
                    reference_id(""),
                    added,
                )
    finally:
        await connection.close()
    return added


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


async def _organisation(  # noqa: PLR0913, PLR0917  # the columns of one row
    connection: Any, code: str, kind: str, name: str, address: str | None, population: int | None
) -> int:
    organisation = reference_id(code)
    added = _count(
        await connection.execute(
            "INSERT INTO organisation (id, kind, name, address, population, demonstration,"
            " registered_at) VALUES ($1, $2, $3, $4, $5, false, market_now())"
            " ON CONFLICT DO NOTHING",
            organisation,
            kind,
            name,
            address,
            population,
        )
    )
    if added:
        await connection.execute(
            "INSERT INTO organisation_identifier (id, organisation, scheme, identifier)"
            " VALUES (gen_random_uuid(), $1, 'GB-NHS', $2)",
            organisation,
            code,
        )
    return added
