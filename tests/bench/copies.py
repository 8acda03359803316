"""Rows in bulk: copies of rows the API made, written by a superuser with the guards off."""

import secrets
from typing import Any
from uuid import UUID, uuid4

import msgspec

from market.people.credentials import digest
from tests.makers.planting import unguarded
from tests.makers.world import Person

# A copy of each row `m`, once for each row of `made`, with what `changes` says replaced.
_COPY = """
INSERT INTO {table} SELECT (jsonb_populate_record(m, {changes})).*
FROM {table} m, {made} WHERE {condition}
"""
_SUPPLIERS = (
    "unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[]) WITH ORDINALITY"
    " AS made (organisation, person, application, token, number)"
)
_TENDERS = "unnest($2::uuid[]) WITH ORDINALITY AS made (id, number)"
_LOT = "md5(made.id::text || '-' || {lot})::uuid"
"""The id of a copied lot: made of the tender's and of the lot it is a copy of."""


def _copy(table: str, changes: str, made: str, condition: str) -> str:
    return _COPY.format(table=table, changes=changes, made=made, condition=condition)


_COPY_SUPPLIER = {
    "organisation": _copy(
        "organisation",
        "jsonb_build_object('id', made.organisation, 'name', 'Bidder ' || made.number)",
        _SUPPLIERS,
        "m.id = $1",
    ),
    "person": _copy(
        "person",
        "jsonb_build_object('id', made.person, 'email', made.person || '@bidder.example')",
        _SUPPLIERS,
        "m.id = (SELECT person FROM membership WHERE organisation = $1 LIMIT 1)",
    ),
    "membership": _copy(
        "membership",
        "jsonb_build_object('id', gen_random_uuid(), 'organisation', made.organisation,"
        " 'person', made.person)",
        _SUPPLIERS,
        "m.organisation = $1",
    ),
    "session": _copy(
        "session",
        "jsonb_build_object('id', gen_random_uuid(), 'organisation', made.organisation,"
        " 'person', made.person, 'token_digest', made.token)",
        _SUPPLIERS,
        "m.organisation = $1",
    ),
    "supplier_application": _copy(
        "supplier_application",
        "jsonb_build_object('id', made.application, 'organisation', made.organisation,"
        " 'applicant', made.person)",
        _SUPPLIERS,
        "m.organisation = $1",
    ),
    "supplier_decision": _copy(
        "supplier_decision",
        "jsonb_build_object('id', gen_random_uuid(), 'application', made.application)",
        _SUPPLIERS,
        "m.application = (SELECT id FROM supplier_application WHERE organisation = $1)",
    ),
}

_COPY_TENDER = {
    "tender": _copy(
        "tender",
        "jsonb_build_object('id', made.id, 'reference', 'COPY-' || replace(made.id::text, '-', ''),"
        " 'published_at', m.published_at - made.number * interval '1 second')",
        _TENDERS,
        "m.id = $1",
    ),
    "tender_buyer": _copy(
        "tender_buyer",
        "jsonb_build_object('id', gen_random_uuid(), 'tender', made.id)",
        _TENDERS,
        "m.tender = $1",
    ),
    "lot": _copy(
        "lot",
        f"jsonb_build_object('id', {_LOT.format(lot='m.id')}, 'tender', made.id)",
        _TENDERS,
        "m.tender = $1",
    ),
    "lot_service_line": _copy(
        "lot_service_line",
        f"jsonb_build_object('id', gen_random_uuid(), 'lot', {_LOT.format(lot='m.lot')})",
        _TENDERS,
        "m.lot IN (SELECT id FROM lot WHERE tender = $1)",
    ),
}


async def copied_suppliers(superuser: Any, model: Person, count: int) -> list[Person]:
    """Admit so many suppliers like one that is; each has a bid manager who is signed in."""
    suppliers = [
        msgspec.structs.replace(
            model, id=uuid4(), organisation=uuid4(), token=secrets.token_urlsafe(32)
        )
        for _ in range(count)
    ]
    columns = (
        [one.organisation for one in suppliers],
        [one.id for one in suppliers],
        [uuid4() for _ in suppliers],
        [digest(one.token) for one in suppliers],
    )
    async with unguarded(superuser, *_COPY_SUPPLIER):
        for statement in _COPY_SUPPLIER.values():
            await superuser.execute(statement, model.organisation, *columns)
    return suppliers


async def copied_tenders(superuser: Any, model: UUID, count: int) -> list[UUID]:
    """Publish so many tenders like one that is, each a second before the last."""
    made = [uuid4() for _ in range(count)]
    async with unguarded(superuser, *_COPY_TENDER):
        for statement in _COPY_TENDER.values():
            await superuser.execute(statement, model, made)
    return made
