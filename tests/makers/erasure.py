"""Erasing somebody in tests, and looking for what is left of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.makers.clock import advance_to
from tests.makers.tenders import market_time
from tests.makers.world import Person, World

BECAUSE = "They asked for it in a letter of 3 May."

_TABLES = """
SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
AND c.relkind = 'r' ORDER BY 1
"""


async def erase(superuser: Any, person: Person | UUID) -> UUID:
    """Erase somebody by the one function that can."""
    whom = person if isinstance(person, UUID) else person.id
    erasure: UUID = await superuser.fetchval("SELECT erase_person($1, $2)", whom, BECAUSE)
    return erasure


async def years_pass(world: World, years: float) -> None:
    """Move the sandbox's clock on."""
    await advance_to(world, await market_time(world) + timedelta(days=365.25 * years + 2))


async def tables_with(superuser: Any, text: str) -> set[str]:
    """The tables in which a text is found, in whatever column."""
    found = set()
    for row in await superuser.fetch(_TABLES):
        name = row["name"]
        question = f'SELECT count(*) FROM "{name}" t WHERE strpos(lower(t::text), lower($1)) > 0'  # noqa: S608  # a name from the catalogue
        if await superuser.fetchval(question, text):
            found.add(name)
    return found
