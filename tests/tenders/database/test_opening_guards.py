"""The promises of the opening straight at the database, as the app role."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import (
    OpenedTender,
    close_bidding,
    confirm,
    declare,
    submit,
)
from tests.makers.direct import acting, refused
from tests.makers.direct_bids import (
    CONFIRM,
    FIX,
    OPENED,
    as_person,
    closed_with_declarations,
    violates,
)
from tests.makers.tampering import unguarded
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World


async def test_declarations_are_one_s_own_about_bidders_and_after_the_deadline(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    one, other = tender.openers
    insert = (
        "INSERT INTO declaration (id, tender, person, bidder, interest, details)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
    )
    await submit(bidder, tender, 1)

    async def say(
        by: Person, about: UUID, person: Person, interest: str = "none", details: str = " "
    ) -> None:
        values = uuid4(), tender.id, person.id, about, interest, details
        async with as_person(app_role, by):
            await app_role.execute(insert, *values)

    async with refused("declaration_when_known"):
        await say(one, bidder.organisation, one)
    await close_bidding(world, tender)
    async with refused("acts_in_own_name"):
        await say(one, bidder.organisation, other)
    async with refused("declaration_about_bidder"):
        await say(one, tender.manager.organisation, one)
    async with violates("declaration_interest_described"):
        await say(one, bidder.organisation, one, "financial")
    async with violates("declaration_interest_known"):
        await say(one, bidder.organisation, one, "friendship", "We are close.")


async def test_a_confirmation_needs_deadline_duty_declaration_and_no_interest(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    one, other = tender.openers
    await submit(bidder, tender, 1)

    async def say(by: Person, person: Person) -> None:
        async with as_person(app_role, by):
            await app_role.execute(CONFIRM, uuid4(), tender.id, person.id)

    async with refused("opening_after_deadline"):
        await say(one, one)
    await close_bidding(world, tender)
    async with refused("declaration_missing"):
        await say(one, one)
    async with refused("acts_in_own_name"):
        await say(one, other)
    for person in (tender.author, tender.manager, tender.guardian, bidder):
        async with refused("duty_needed"):
            await say(person, person)
    await declare(one, tender)
    await say(one, one)
    async with violates("opening_confirmation_once"):
        await say(one, one)
    await declare(other, tender, "indirect", "A cousin works there.")
    async with refused("conflict_of_interest"):
        await say(other, other)


async def test_a_member_of_a_bidder_does_not_confirm(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    """Who joined a bidder after the duty was given is out too, and so is who has left it again."""
    await closed_with_declarations(world, tender, bidder)
    opener = tender.openers[0]
    joined = uuid4()
    async with acting(superuser, opener.id, opener.organisation):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
            joined,
            opener.id,
            bidder.organisation,
            "bid_manager",
        )
    for _ in range(2):
        async with refused("conflict_of_interest"), as_person(app_role, opener):
            await app_role.execute(CONFIRM, uuid4(), tender.id, opener.id)
        async with acting(superuser, opener.id, opener.organisation):
            await superuser.execute(
                "UPDATE membership SET ended_at = now() WHERE id = $1 AND ended_at IS NULL", joined
            )


# -- the manifest and the envelopes ---------------------------------------------------------------


async def test_a_tender_is_opened_by_two_once_the_manifest_is_fixed(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await closed_with_declarations(world, tender, bidder)
    opener, other = tender.openers
    await confirm(opener, tender)

    async def move() -> None:
        await app_role.execute(
            "UPDATE tender SET stage = 'opened', version = version + 1 WHERE id = $1", tender.id
        )

    async with refused("opening_by_two"), as_person(app_role, opener):
        await app_role.execute(FIX, tender.id)
        await move()
    async with refused("manifest_complete"), as_person(app_role, other):
        await app_role.execute(CONFIRM, uuid4(), tender.id, other.id)
        await move()
    async with as_person(app_role, other):
        await app_role.execute(CONFIRM, uuid4(), tender.id, other.id)
        await app_role.execute(FIX, tender.id)
        await move()


async def test_a_price_is_not_opened_before_quality_is_locked(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    tender = opened.tender
    evaluator = tender.price_evaluator
    await declare(evaluator, tender)
    row = await superuser.fetchrow(
        "SELECT e.id, v.bid FROM envelope e JOIN bid_version v ON v.id = e.bid_version"
        " WHERE e.kind = 'price' LIMIT 1"
    )
    async with refused("envelope_stays_sealed"), as_person(app_role, evaluator):
        await app_role.execute(OPENED, row["id"], row["bid"], "price", evaluator.id)
    async with refused("duty_needed"), as_person(app_role, tender.openers[0]):
        await app_role.execute(OPENED, row["id"], row["bid"], "price", tender.openers[0].id)
    # nor under the name of the other kind
    async with refused("opened_as_in_manifest"), as_person(app_role, tender.openers[0]):
        await app_role.execute(OPENED, row["id"], row["bid"], "quality", tender.openers[0].id)


async def test_what_is_not_stored_as_it_was_fixed_stays_sealed(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    opener = opened.tender.openers[0]
    row = await superuser.fetchrow("SELECT envelope, bid FROM opened_envelope LIMIT 1")
    async with unguarded(superuser, "envelope", "opened_envelope"):
        await superuser.execute("DELETE FROM opened_envelope WHERE envelope = $1", row["envelope"])
        await superuser.execute(
            "UPDATE envelope SET sealed = sealed || '\\x00' WHERE id = $1", row["envelope"]
        )
    async with refused("envelope_as_fixed"), as_person(app_role, opener):
        await app_role.execute(OPENED, row["envelope"], row["bid"], "quality", opener.id)


async def test_an_envelope_is_opened_once_and_in_one_s_own_name(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    one, other = opened.tender.openers
    row = await superuser.fetchrow("SELECT envelope, bid FROM opened_envelope LIMIT 1")
    async with refused("acts_in_own_name"), as_person(app_role, one):
        await app_role.execute(OPENED, row["envelope"], row["bid"], "quality", other.id)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with as_person(app_role, one):
            await app_role.execute(OPENED, row["envelope"], row["bid"], "quality", one.id)
