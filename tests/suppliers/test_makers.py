"""The makers of suppliers and of time do what other tests rely on."""

from datetime import UTC, datetime, timedelta

import pytest

from market.organisations.rules import OrganisationKind
from suppliers.rules import APPLICANT_KINDS
from tests.makers.clock import advance_to
from tests.makers.suppliers import admitted_supplier
from tests.makers.world import World


@pytest.mark.parametrize("kind", APPLICANT_KINDS)
async def test_an_admitted_supplier_of_any_kind_is_signed_in_as_its_bid_manager(
    world: World, kind: OrganisationKind
) -> None:
    supplier = await admitted_supplier(world, "Fenland Data", kind)
    myself = (await supplier.get("/me")).json()
    assert myself["acting_for"] == str(supplier.organisation)
    assert {one["role"] for one in myself["memberships"]} == {"administrator", "bid_manager"}


async def test_time_passes_when_a_test_wants_it_to(world: World) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    await advance_to(world, later)
    clock = (await world.public("/clock")).json()
    assert later <= datetime.fromisoformat(clock["now"]) < later + timedelta(minutes=1)
