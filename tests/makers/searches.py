"""Saved searches in tests, kept through HTTP."""

from typing import Any

import httpx

from tests.makers.world import Person


async def save(person: Person, name: str = "What we do", **filters: Any) -> httpx.Response:
    """Ask for a search to be saved, whatever the answer."""
    return await person.post("/saved-searches", {"name": name, **filters})


async def saved(person: Person, name: str = "What we do", **filters: Any) -> dict[str, Any]:
    """A search that was saved."""
    answer = await save(person, name, **filters)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view
