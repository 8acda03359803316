"""The record of an evaluation straight at the database: nobody gets it who may not."""

import json
from typing import Any

import asyncpg
import pytest

from tests.makers.direct import not_granted
from tests.makers.direct_bids import as_person
from tests.makers.evaluation import awarded_lot, ranked_lot
from tests.makers.world import World

_RECORD = "SELECT evaluation_record_of($1)"


async def test_the_database_gives_the_record_to_those_alone_who_answer_for_it(
    world: World, databases: Any
) -> None:
    lot = await awarded_lot(world)
    tender = lot.tender
    app = await asyncpg.connect(**databases.app)
    for reader, given in (
        (tender.manager, True),
        (tender.approvers[0], True),
        (tender.quality_evaluators[0], False),
        (tender.moderator, False),
        (tender.contract_manager, False),
        (lot.suppliers[0], False),
    ):
        async with as_person(app, reader):
            found = await app.fetchval(_RECORD, lot.id)
        assert (found is not None) is given, reader.name
        if found is not None:
            assert len(json.loads(found)["scores"]) == 18
    await app.close()


async def test_the_database_gives_no_record_before_the_award(world: World, databases: Any) -> None:
    lot = await ranked_lot(world)
    app = await asyncpg.connect(**databases.app)
    async with as_person(app, lot.tender.manager):
        assert await app.fetchval(_RECORD, lot.id) is None
    await app.close()


@pytest.mark.parametrize(
    "part", ["people", "declarations", "bids", "panels", "scores", "rankings", "award", "events"]
)
async def test_no_part_of_the_record_is_had_by_itself(databases: Any, part: str) -> None:
    app = await asyncpg.connect(**databases.app)
    async with not_granted():
        await app.fetchval(f"SELECT recorded_{part}(gen_random_uuid())")
    await app.close()
