"""A joint purchase of three groups, awarded and told, made through HTTP."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from market.actor import Role
from tests.makers.bids import OpenedTender, asked, bid_body, declare, open_bids, some_suppliers
from tests.makers.bids import submit as give_bid
from tests.makers.clock import advance_to
from tests.makers.evaluation import (
    AGREED,
    PRICES,
    EvaluatedLot,
    approve,
    contract_body,
    end_standstill,
    recommend,
    with_panel,
)
from tests.makers.tenders import approve as approve_requirement
from tests.makers.tenders import assign, drafted_tender, market_time, publish, requirement_of
from tests.makers.world import Person, World

DECIDED = "Governing body, item 9: our part of the service at our share of its price."
LUTON, MILTON_KEYNES = "06P", "04F"


class JointLot(msgspec.Struct, kw_only=True):
    """A lot that three groups buy: the lead, and two with an award approver of their own."""

    lot: EvaluatedLot
    approvers: dict[str, Person]

    @property
    def lead(self) -> UUID:
        """The organisation that leads."""
        return self.lot.tender.manager.organisation

    async def decide(self, code: str, *, takes_part: bool = True, **options: Any) -> httpx.Response:
        """Let a member's approver decide, whatever the answer."""
        body = {"takes_part": takes_part, "reason": DECIDED}
        path = f"{self.lot.path}/buyer-decisions"
        return await self.approvers[code].post(path, body, **options)

    async def contract(self, buyer: UUID | None, **changes: Any) -> httpx.Response:
        """Record a buyer's contract, whatever the answer."""
        body = contract_body(**changes) | ({} if buyer is None else {"buyer": str(buyer)})
        return await self.lot.act(self.lot.tender.contract_manager, "/contract", body)

    def member(self, code: str) -> UUID:
        """The organisation of a member."""
        return self.approvers[code].organisation


async def joint_lot(
    world: World,
    *,
    codes: tuple[str, ...] = (LUTON, MILTON_KEYNES),
    tender: Mapping[str, Any] | None = None,
    **given: Any,
) -> JointLot:
    """An awarded lot of a joint purchase; `given` changes the requirement's lot.

    `tender` adds to the body that begins the tender.
    """
    requirement = requirement_of(1)
    requirement["lots"][0] |= {"minimum_quality": "50", **given}
    begun = await drafted_tender(world, requirement=requirement, **(tender or {}))
    approvers = {}
    for code in codes:
        organisation = await world.organisation(code)
        await begun.act(begun.manager, "/buyers", {"organisation": str(organisation)})
        approvers[code] = await world.person(f"Approver of {code}", organisation, Role.COMMISSIONER)
        answer = await assign(begun.manager, begun.id, approvers[code], "award_approver")
        assert answer.status_code == 201, answer.text
    await approve_requirement(begun)
    await publish(begun)
    suppliers = await some_suppliers(world, len(PRICES))
    bids = {}
    for place, price in enumerate(PRICES):
        body = bid_body(
            asked(begun, 1), unit_prices=price, quality_text=f"Answer of supplier {place}."
        )
        bids[suppliers[place], 1] = await give_bid(suppliers[place], begun, 1, body)
    await open_bids(world, begun)
    opened = OpenedTender(tender=begun, suppliers=suppliers, bids=bids)
    lot = await with_panel(world, opened, len(PRICES))
    for person in approvers.values():
        await declare(person, begun)
    await _award(lot)
    return JointLot(lot=lot, approvers=approvers)


async def _award(lot: EvaluatedLot) -> None:
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator, AGREED)
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(lot.tender.moderator, AGREED, kind="agreed-scores")
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    await lot.done(lot.tender.price_evaluator, "/evaluation/price-opening")
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    assert (await recommend(lot)).status_code == 201
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201


async def told(joint: JointLot) -> None:
    """Send the notices, and let the standstill pass."""
    sent = await joint.lot.done(joint.lot.tender.manager, "/award-notices")
    joint.lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    await end_standstill(joint.lot)


async def pass_days(world: World, days: int) -> datetime:
    """Let so many days pass."""
    later = await market_time(world) + timedelta(days=days)
    await advance_to(world, later)
    return later
