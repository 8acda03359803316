"""The register of procurement decisions over HTTP: public, with each buyer's own value."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from market.actor import Role
from market.money import exact_sum
from tests.makers.bids import declare
from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    awarded_lot,
    contract_body,
    end_standstill,
    notified_lot,
    recommended_lot,
)
from tests.makers.planting import plant_exemption, unguarded
from tests.makers.recusals import register_interest
from tests.makers.tenders import assign
from tests.makers.world import World


async def _register(world: World, organisation: UUID, query: str = "") -> list[dict[str, Any]]:
    answer = await world.public(f"/organisations/{organisation}/procurement-decisions{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _also_buys(superuser: Any, lot: EvaluatedLot, organisation: UUID) -> None:
    """Let another group have bought in the tender from the start."""
    async with unguarded(superuser, "tender_buyer"):
        await superuser.execute(
            "INSERT INTO tender_buyer (id, tender, organisation, population)"
            " SELECT $1, $2, id, population FROM organisation WHERE id = $3",
            uuid4(),
            lot.tender.id,
            organisation,
        )


async def test_a_decision_is_listed_once_the_bidders_have_been_told(world: World) -> None:
    lot = await awarded_lot(world)
    bedfordshire = lot.tender.manager.organisation
    assert await _register(world, bedfordshire) == []
    await lot.done(lot.tender.manager, "/award-notices")
    [item] = await _register(world, bedfordshire)
    assert item["reference"] == lot.tender.reference
    assert (item["lot"], item["lot_title"]) == (1, "Decision support")
    assert item["description"] == "Dashboards and analysis for commissioners."
    assert (item["buying"], item["lead_name"]) == ("own", "NHS Bedfordshire CCG")
    assert item["tender_managers"] == ["Mary Manager"]
    assert item["contract_managers"] == ["Colin Contract"]
    process = item["process"]
    assert (process["method"], process["quorum"]) == ("lowest_price_ratio", 2)
    assert process["approvers"] == [
        {"name": "Alan Approver", "lay": False},
        {"name": "Lily Lay", "lay": True},
    ]
    assert (item["supplier_name"], item["supplier_address"]) == (
        "Supplier 1",
        "1 Market Square, Bedford",
    )
    assert item["total_value"] == item["value_to_us"] == {"amount": "4757.50", "currency": "GBP"}
    assert item["contract"] is None
    assert item["stage"] == "standstill"
    assert item["conflicts"] == {
        "noted": [],
        "outcomes": [],
        "mitigations": [],
        "exemptions": [],
    }
    assert await _register(world, await world.organisation("06P")) == []
    unknown = await world.public(f"/organisations/{uuid4()}/procurement-decisions")
    assert unknown.status_code == 404


async def test_the_contract_is_shown_with_its_dates(world: World) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    [item] = await _register(world, lot.tender.manager.organisation)
    assert item["stage"] == "contracted"
    assert item["contract"]["reference"] == "BLMK-17"
    assert (item["contract"]["starts"], item["contract"]["ends"]) == ("2030-07-01", "2033-06-30")


async def test_each_buyer_of_a_joint_purchase_sees_its_own_part_and_the_parts_add_up(
    world: World, superuser: Any
) -> None:
    # 36 months and 7.25 days at this price come to more decimals than pennies have
    lot = await notified_lot(world, prices=("110.33", "150.00", "90.00"))
    bedfordshire = lot.tender.manager.organisation
    others = [await world.organisation(code) for code in ("06P", "04F")]
    for other in others:
        await _also_buys(superuser, lot, other)
    own = {}
    for buyer in (bedfordshire, *others):
        [item] = await _register(world, buyer)
        assert item["buying"] == "collaborative"
        assert item["lead"] == str(bedfordshire)
        parts = {one["organisation"]: one["value"]["amount"] for one in item["buyers"]}
        assert item["value_to_us"]["amount"] == parts[str(buyer)]
        own[str(buyer)] = item["value_to_us"]["amount"]
        assert exact_sum(map(Decimal, parts.values())) == Decimal(item["total_value"]["amount"])
        population = {one["organisation"]: one["population"] for one in item["buyers"]}
        assert max(parts, key=lambda one: Decimal(parts[one])) == max(
            population, key=lambda one: population[one]
        )
    assert own == parts
    assert exact_sum(map(Decimal, own.values())) == Decimal("110.33") * Decimal("43.25")


async def test_conflicts_are_counted_by_kind_with_how_they_were_managed_and_no_words(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    tender = lot.tender
    eve, emil = tender.quality_evaluators
    await declare(eve, tender, "financial", "My cousin sold me the shares.")
    await register_interest(
        world,
        emil,
        kind="non_financial_professional",
        relationship="adviser",
        organisation=str(lot.suppliers[1].organisation),
    )
    await declare(tender.guardian, tender)
    for supplier, outcome, mitigation in zip(
        lot.suppliers,
        ("may_discuss", "no_action", "must_leave"),
        ("Answers questions of fact.", "", "Leaves the room."),
        strict=True,
    ):
        body = {
            "person": str(eve.id),
            "bidder": str(supplier.organisation),
            "outcome": outcome,
            "reason": "Her cousin's holding is small.",
            "mitigation": mitigation,
        }
        answer = await tender.guardian.post(f"{tender.path}/conflict-decisions", body)
        assert answer.status_code == 201, answer.text
    await plant_exemption(
        superuser,
        tender,
        tender.author,
        ("author", "quality_evaluator"),
        granted_ago=timedelta(hours=1),
        lasts=timedelta(days=30),
    )
    for approver in tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    await lot.done(tender.manager, "/award-notices")
    path = f"/organisations/{tender.manager.organisation}/procurement-decisions"
    answer = await world.public(path)
    [item] = answer.json()["items"]
    conflicts = item["conflicts"]
    assert conflicts["noted"] == [
        {"kind": "financial", "noted": "declared", "times": 3},
        {"kind": "non_financial_professional", "noted": "found", "times": 1},
    ]
    assert conflicts["outcomes"] == [
        {"outcome": "may_discuss", "times": 1},
        {"outcome": "must_leave", "times": 1},
        {"outcome": "no_action", "times": 1},
    ]
    assert conflicts["mitigations"] == ["Answers questions of fact.", "Leaves the room."]
    [exemption] = conflicts["exemptions"]
    assert exemption["duties"] == ["author", "quality_evaluator"]
    assert (exemption["name"], exemption["reason"]) == (
        "Arthur Author",
        "Nobody else can judge it.",
    )
    for secret in ("cousin", "Eve", "Emil", "Supplier 2", "Supplier 3"):
        assert secret not in answer.text


async def test_the_register_comes_in_pages_and_as_a_table(world: World) -> None:
    lots = [await notified_lot(world, prices=("100.00",)) for _ in range(3)]
    organisation = lots[0].tender.manager.organisation
    path = f"/api/v1/organisations/{organisation}/procurement-decisions"
    seen, cursor = [], None
    for _ in lots:
        params = {"limit": "1"} | ({} if cursor is None else {"cursor": cursor})
        page = await world.client.get(path, params=params)
        seen += [item["reference"] for item in page.json()["items"]]
        cursor = page.json()["next"]
        assert ('rel="next"' in page.headers.get("Link", "")) == (cursor is not None)
    assert cursor is None
    assert seen == [lot.tender.reference for lot in reversed(lots)]
    for options in (
        {"params": {"form": "csv"}},
        {"headers": {"Accept": "text/csv"}},
    ):
        table = await world.client.get(path, **options)  # type: ignore[arg-type]  # either of two
        assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "procurement-decisions.csv" in table.headers["Content-Disposition"]
        rows = _rows(table)
        assert [row["Reference"] for row in rows] == [f"{reference} lot 1" for reference in seen]
    table = await world.client.get(path, params={"form": "csv", "limit": "1"})
    assert len(_rows(table)) == 1
    assert "form=csv" in table.headers["Link"]
    plain = await world.client.get(path, params={"form": "json"}, headers={"Accept": "text/csv"})
    assert plain.headers["Content-Type"] == "application/json"


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_no_cell_of_the_table_is_taken_for_a_formula(world: World, superuser: Any) -> None:
    lot = await notified_lot(world)
    hostile = {
        "organisation": (lot.suppliers[0].organisation, '=HYPERLINK("http://x","y")'),
        "person": (lot.tender.contract_manager.id, '+Colin, "the" manager'),
    }
    for table, (identity, name) in hostile.items():
        async with unguarded(superuser, table):
            await superuser.execute(
                f"UPDATE {table} SET name = $2 WHERE id = $1",  # noqa: S608  # named above
                identity,
                name,
            )
    async with unguarded(superuser, "organisation"):
        await superuser.execute(
            "UPDATE organisation SET address = E'\\t@SUM(1)' WHERE id = $1",
            lot.suppliers[0].organisation,
        )
    second = await world.person(
        "-Max Manager", lot.tender.manager.organisation, Role.PROCUREMENT_LEAD
    )
    given = await assign(lot.tender.manager, lot.tender.id, second, "tender_manager")
    assert given.status_code == 201
    path = f"/organisations/{lot.tender.manager.organisation}/procurement-decisions"
    [row] = _rows(await world.public(f"{path}?form=csv"))
    assert row["Supplier"] == '\'=HYPERLINK("http://x","y")'
    assert row["Contract manager"] == '\'+Colin, "the" manager'
    assert row["Supplier's registered address"] == "'\t@SUM(1)"
    assert row["Tender manager"] == "'-Max Manager; Mary Manager"
    assert row["Total value in pounds"] == "4757.50"
    assert row["Conflicts of interest noted"] == "none"
    assert row["Approved by"] == "Alan Approver; Lily Lay (lay member)"
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?cursor=nonsense", 400),
        ("?limit=0", 400),
        ("?limit=201", 400),
        ("?form=pdf", 400),
        ("?other=1", 400),
    ],
)
async def test_bad_queries_are_refused(world: World, query: str, status: int) -> None:
    organisation = await world.organisation("06F")
    answer = await world.public(f"/organisations/{organisation}/procurement-decisions{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
