"""Every operation for every kind of person in every state of a tender: one cell each, none skipped."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import asyncpg
import msgspec
import pytest
import uvloop
from structlog.testing import capture_logs

from tests.access.cases import Case
from tests.access.expectations import EXPECTED
from tests.access.kinds import DUTIES, KINDS
from tests.access.moments import MOMENTS, Moment
from tests.access.requests import OPERATIONS, Answer, Operation, request_for, send
from tests.access.secrets import Secret, may_know, shown
from tests.makers.moving import MovingMarket, undone
from tests.makers.states import Frozen

AT_ONCE = 3
"""How many cells are asked for at a time: as many as the pool has connections."""

KEPT = frozenset({"confirmOpening", "openPrices"})
"""What takes more than one transaction when it succeeds: that is done in a database of its own."""

_ADDED_BY_REFUSALS = frozenset({"event", "event_salt"})


class Cell(msgspec.Struct, frozen=True):
    """One operation for one kind of person, and the answer that is theirs."""

    operation: Operation
    kind: str
    expected: str

    @property
    def changes(self) -> bool:
        """Whether something is changed if all is as expected."""
        return not self.operation.reads and self.expected.startswith("2")

    @property
    def alone(self) -> bool:
        """Whether it needs a database of its own."""
        return self.changes and self.operation.id in KEPT


class Findings:
    """What one state's cells came to."""

    def __init__(self, moment: Moment, state: Frozen) -> None:
        self.state = state
        self.cases = {kind.name: Case(kind, moment) for kind in KINDS}
        self.known = {name: may_know(case) for name, case in self.cases.items()}
        self.done: set[tuple[str, str]] = set()
        self.wrong: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self.leaks: dict[tuple[str, Secret], list[str]] = defaultdict(list)
        self.seen: dict[str, set[Secret]] = defaultdict(set)
        self.changed: list[str] = []

    def cells(self) -> Iterator[Cell]:
        """Every operation for every kind of person, and what is expected of it."""
        for operation, case in product(OPERATIONS.values(), self.cases.values()):
            yield Cell(operation, case.kind.name, EXPECTED[operation.id](case))

    def note(self, cell: Cell, answer: Answer) -> None:
        """Compare an answer with what was expected, and look for secrets in it."""
        operation, kind = cell.operation.id, cell.kind
        assert (operation, kind) not in self.done
        self.done.add((operation, kind))
        got = str(answer)
        if got != cell.expected:
            self.wrong[operation, cell.expected, got].append(kind)
        for secret in shown(cell.operation, answer.body, self.state):
            self.seen[kind].add(secret)
            if secret not in self.known[kind]:
                self.leaks[operation, secret].append(kind)

    def report(self) -> str:
        """Everything that is not as it should be; empty where nothing is."""
        wrong = [
            f"{operation}: expected {expected}, got {got}: {', '.join(sorted(kinds))}"
            for (operation, expected, got), kinds in sorted(self.wrong.items())
        ]
        leaks = [
            f"{operation} shows the {what} of {whose} to {', '.join(sorted(kinds))}"
            for (operation, (what, whose)), kinds in sorted(self.leaks.items())
        ]
        changed = [f"refused requests changed the table {name}" for name in self.changed]
        unseen = [
            f"{kind} is shown no {what} of {whose}"
            for kind, known in self.known.items()
            for what, whose in sorted(known - self.seen[kind])
        ]
        return "\n".join(wrong + leaks + changed + unseen)


async def ask(market: MovingMarket, state: Frozen, cell: Cell) -> Answer:
    """Ask for one cell; what is expected to change something is undone when it has."""
    request = request_for(cell.operation, cell.kind, state)
    if not cell.changes:
        return await send(market.app, request)
    with undone():
        return await send(market.app, request)


async def ask_alone(market: MovingMarket, state: Frozen, cell: Cell) -> Answer:
    """Ask for one cell in a database of its own, where what it changes is kept."""
    name = f"cell_{secrets.token_hex(6)}"
    await market.databases.clone(state.database, name)
    async with market.over(name):
        answer = await send(market.app, request_for(cell.operation, cell.kind, state))
    await market.databases.drop(name)
    return answer


async def find_out(market: MovingMarket, findings: Findings) -> None:
    """Ask for every cell of a state, and see to it that the state is afterwards as it was."""
    state = findings.state
    cells = list(findings.cells())
    shared = iter([cell for cell in cells if not cell.alone])

    async def worker() -> None:
        for cell in shared:
            findings.note(cell, await ask(market, state, cell))

    before = await contents(market.databases.superuser(state.database))
    async with market.over(state.database, AT_ONCE):
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    after = await contents(market.databases.superuser(state.database))
    findings.changed += [name for name in after if after[name] != before[name]]
    for cell in (cell for cell in cells if cell.alone):
        findings.note(cell, await ask_alone(market, state, cell))


async def contents(parameters: dict[str, Any]) -> dict[str, str]:
    """A digest of every table, but of those to which a refusal adds."""
    connection = await asyncpg.connect(**parameters)
    try:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        return {
            name: await connection.fetchval(
                "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                f' FROM "{name}" t'  # noqa: S608  # the name is the catalogue's own
            )
            for (name,) in names
            if name not in _ADDED_BY_REFUSALS
        }
    finally:
        await connection.close()


def test_every_operation_has_its_row_and_every_row_its_operation() -> None:
    missing, unknown = set(OPERATIONS) - set(EXPECTED), set(EXPECTED) - set(OPERATIONS)
    assert not missing, f"Add rows to tests/access/expectations.py for {sorted(missing)}."
    assert not unknown, f"These rows are of no operation: {sorted(unknown)}."


def test_every_duty_is_there_in_force_and_offered() -> None:
    names = {kind.name for kind in KINDS}
    assert names >= {*DUTIES, *(f"offered {duty}" for duty in DUTIES)}
    assert len(names) == len(KINDS)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_everybody_gets_the_answer_that_is_theirs(
    moment: Moment,
    moving_market: MovingMarket,
    states: dict[str, Frozen],
    record_property: Callable[[str, object], None],
) -> None:
    findings = Findings(moment, states[moment.name])
    with capture_logs(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(find_out(moving_market, findings))
    assert not findings.report(), findings.report()
    assert findings.done == set(product(OPERATIONS, (kind.name for kind in KINDS)))
    record_property("cells", len(findings.done))
