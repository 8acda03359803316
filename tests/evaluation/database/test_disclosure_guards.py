"""Bundles of disclosure straight at the database, past every rule in Python."""

import hashlib
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import as_person, violates
from tests.makers.evaluation import EvaluatedLot, awarded_lot, notified_lot
from tests.makers.world import Person, World

_DISCLOSE = """
INSERT INTO disclosure_bundle (id, lot, recipient, organisation, addressee, evaluators, reason,
    redactions, proofs, content, digest, disclosed_by)
VALUES ($1, $2, $3, $4, $5, 'named', $6, 0, 0, $7, $8, $9)
"""
WHY = "The bidder challenged the award by its letter."


async def disclose(  # noqa: PLR0913  # whatever a test may want otherwise
    app: Any,
    lot: EvaluatedLot,
    person: Person,
    *,
    organisation: UUID | None = None,
    reason: str = WHY,
    content: bytes = b"PK",
    digest: bytes | None = None,
) -> None:
    """Put a bundle in, to a court unless a bidder is named."""
    await app.execute(
        _DISCLOSE,
        uuid4(),
        lot.id,
        "court" if organisation is None else "bidder",
        organisation,
        "A court" if organisation is None else None,
        reason,
        content,
        digest or hashlib.sha256(content).digest(),
        person.id,
    )


async def test_the_database_takes_no_bundle_before_the_bidders_are_told(
    world: World, databases: Any
) -> None:
    lot = await awarded_lot(world)
    app = await asyncpg.connect(**databases.app)
    manager = lot.tender.manager
    async with refused("disclosed_once_told"), acting(app, manager.id, manager.organisation):
        await disclose(app, lot, manager)
    await app.close()


async def test_the_database_keeps_bundles_to_the_manager_and_to_who_bid(
    world: World, databases: Any
) -> None:
    lot = await notified_lot(world)
    app = await asyncpg.connect(**databases.app)
    manager, moderator = lot.tender.manager, lot.tender.moderator
    async with refused("duty_needed"), acting(app, moderator.id, moderator.organisation):
        await disclose(app, lot, moderator)
    async with refused("acts_in_own_name"), acting(app, moderator.id, moderator.organisation):
        await disclose(app, lot, manager)
    async with refused("disclosed_to_bidder"), acting(app, manager.id, manager.organisation):
        await disclose(app, lot, manager, organisation=manager.organisation)
    async with acting(app, manager.id, manager.organisation):
        await disclose(app, lot, manager, organisation=lot.suppliers[0].organisation)
        await disclose(app, lot, manager)
        numbers = await app.fetch("SELECT number FROM disclosure_bundle ORDER BY number")
        assert [row["number"] for row in numbers] == [1, 2]
    await app.close()


async def test_the_database_takes_no_other_digest_no_blank_reason_and_no_size_without_end(
    world: World, databases: Any
) -> None:
    lot = await notified_lot(world)
    app = await asyncpg.connect(**databases.app)
    manager = lot.tender.manager
    wrongs: tuple[tuple[str, dict[str, Any]], ...] = (
        ("disclosure_bundle_digest_matches", {"digest": hashlib.sha256(b"other").digest()}),
        ("disclosure_bundle_has_reason", {"reason": " " * 40}),
        ("disclosure_bundle_limited", {"content": bytes(32 * 1024**2 + 1)}),
    )
    for constraint, wrong in wrongs:
        async with violates(constraint), acting(app, manager.id, manager.organisation):
            await disclose(app, lot, manager, **wrong)
    await app.close()


async def test_a_bundle_stays_as_it_was_handed_over_and_is_read_by_few(
    world: World, databases: Any
) -> None:
    lot = await notified_lot(world)
    app = await asyncpg.connect(**databases.app)
    manager = lot.tender.manager
    async with acting(app, manager.id, manager.organisation):
        await disclose(app, lot, manager, organisation=lot.suppliers[0].organisation)
    for reader, count in (
        (lot.tender.approvers[0], 1),
        (lot.tender.quality_evaluators[0], 0),
        (lot.suppliers[0], 0),
    ):
        async with as_person(app, reader):
            assert await app.fetchval("SELECT count(*) FROM disclosure_bundle") == count
            leaves = await app.fetch("SELECT * FROM recorded_leaves($1, 1000000)", lot.id)
            assert not leaves
    async with not_granted():
        await app.execute("UPDATE disclosure_bundle SET reason = 'Something else altogether.'")
    async with not_granted():
        await app.execute("DELETE FROM disclosure_bundle")
    await app.close()
