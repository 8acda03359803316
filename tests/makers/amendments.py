"""Amendments of published tenders in tests: a changed requirement approved, and amending by it."""

from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.makers.tenders import PublishedTender
from tests.makers.world import Person

REASON = "Suppliers asked, and the groups agreed."


def changed(tender: PublishedTender, **members: Any) -> dict[str, Any]:
    """The tender's requirement, with top-level members replaced; safe to change further."""
    return deepcopy({**tender.requirement, **members})


def reweighted(tender: PublishedTender) -> dict[str, Any]:
    """The tender's requirement with other weights in its first lot, and the same form."""
    requirement = changed(tender)
    price = next(c for c in requirement["lots"][0]["criteria"] if c["kind"] == "price")
    other = next(c for c in requirement["lots"][0]["criteria"] if c["code"] == "Q2")
    price["weight"], other["weight"] = "39", "21"
    return requirement


def reworded(tender: PublishedTender) -> dict[str, Any]:
    """The tender's requirement with nothing but wording changed."""
    return changed(tender, description="Dashboards for everybody, said more clearly.")


def reformed(tender: PublishedTender) -> dict[str, Any]:
    """The tender's requirement with another price item in its first lot: another form."""
    requirement = changed(tender)
    item = {"code": "Z", "title": "Training", "unit": "day", "quantity": "10"}
    requirement["lots"][0]["price_items"].append(item)
    return requirement


async def version_of(tender: PublishedTender) -> int:
    """The tender's present version."""
    number: int = (await tender.manager.get(tender.path)).json()["version"]
    return number


async def redraft(tender: PublishedTender, requirement: dict[str, Any]) -> httpx.Response:
    """Let the author write a changed requirement, whatever the answer."""
    return await tender.author.put(
        f"{tender.path}/requirement", requirement, version=await version_of(tender)
    )


async def approve_change(tender: PublishedTender, requirement: dict[str, Any]) -> None:
    """Write a changed requirement, ask for its review, approve it; the tender stays published."""
    written = await redraft(tender, requirement)
    assert written.status_code == 200, written.text
    await tender.act(tender.manager, "/review-requests")
    await tender.act(tender.reviewer, "/reviews", {"outcome": "approved", "comments": "Fair."})


async def amend(tender: PublishedTender, version: int | None = None, **given: Any) -> Any:
    """Ask for an amendment, whatever the answer."""
    body = {"summary": "A change", "reason": REASON, "material": False, **given}
    return await tender.manager.post(
        f"{tender.path}/amendments",
        body,
        version=await version_of(tender) if version is None else version,
    )


def later(tender: PublishedTender, **more: int) -> str:
    """A deadline after the tender's, by days or hours."""
    return (tender.deadline + timedelta(**more)).isoformat()


async def amended(tender: PublishedTender, **given: Any) -> dict[str, Any]:
    """Publish an amendment that must be accepted, and give the answer."""
    answer = await amend(tender, **given)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    tender.version = view["version"]
    if "deadline" in given:
        tender.deadline += timedelta(days=7)
    return view


async def amended_by(tender: PublishedTender, requirement: dict[str, Any]) -> dict[str, Any]:
    """Change the requirement by a material amendment, a week put off."""
    await approve_change(tender, requirement)
    view = await amended(
        tender, material=True, takes_requirement=True, deadline=later(tender, days=7)
    )
    tender.requirement = requirement
    return view


async def confirm_bid(
    person: Person, bid: str, version: int, amendment: int, **options: Any
) -> httpx.Response:
    """Confirm a bid, whatever the answer."""
    return await person.post(
        f"/bids/{bid}/confirmations",
        {"amendment": amendment},
        version=version,
        headers={"Idempotency-Key": str(uuid4())},
        **options,
    )
