"""Days that nobody means, and letters that nobody sees, stay out of a record kept for ever."""

from typing import Any
from uuid import UUID, uuid4

from tests.makers.direct import acting, refused
from tests.makers.evaluation import contract_body, end_standstill, notified_lot
from tests.makers.outcome import KPI, WHY
from tests.makers.world import World

LAST = "9999-12-31"
"""The last day of a calendar, which a database driver stores as infinity."""


async def test_what_everybody_reads_of_a_contract_hides_and_turns_nothing(world: World) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    manager = lot.tender.contract_manager
    for unseen in ("\u202e71-KMLB", "\u200b", "BLMK-17\n", "BLMK\u2028-17"):
        made = await lot.act(manager, "/contract", contract_body(reference=unseen))
        assert (made.status_code, made.json()["type"]) == (400, "/problems/malformed")
        titled = await manager.post(f"{lot.path}/kpis", KPI | {"title": unseen})
        assert titled.json()["type"] == "/problems/malformed"
    titled = await manager.post(f"{lot.path}/kpis", KPI | {"title": "Réponses: 95 %, à l'heure"})
    assert titled.status_code == 201, titled.text


async def test_days_of_a_contract_are_within_50_years(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    manager = lot.tender.contract_manager
    for days in ({"starts": "0206-07-01"}, {"ends": "2330-06-30"}, {"ends": LAST}):
        made = await lot.act(manager, "/contract", contract_body(**days))
        assert (made.status_code, made.json()["type"]) == (400, "/problems/contract-day-faulty")
    await lot.done(manager, "/contract", contract_body())
    change = {"ground": "provided_for", "reason": WHY, "ends": LAST}
    for path, body in (
        ("/contract-changes", change),
        ("/milestones", {"title": "Dashboards in use", "due": LAST}),
    ):
        answer = await manager.post(f"{lot.path}{path}", body)
        assert (answer.status_code, answer.json()["type"]) == (
            400,
            "/problems/contract-day-faulty",
        ), path
    contract: UUID = await superuser.fetchval("SELECT id FROM contract")
    async with refused("contract_days_near"), acting(app_role, manager.id, manager.organisation):
        await app_role.execute(
            "INSERT INTO milestone (id, contract, title, due, set_by)"
            " VALUES ($1, $2, 'M', 'infinity', $3)",
            uuid4(),
            contract,
            manager.id,
        )
    assert (await lot.tender.manager.get(f"{lot.path}/evaluation-record")).status_code == 200
