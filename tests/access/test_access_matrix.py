"""Every operation for every kind of person in every state of a tender: no cell is left out."""

import asyncio
import os
import secrets
import time
import zlib
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
from tests.access.expected import EXPECTED, expected
from tests.access.kinds import DUTIES, KINDS
from tests.access.moments import MOMENTS, Moment
from tests.access.requests import OPERATIONS, Answer, Operation, request_for, send_whole
from tests.access.secrets import Secret, Watch, may_know, owns
from tests.makers.frozen import Frozen
from tests.makers.moving import MovingMarket, undone
from tests.makers.states import STEPS

AT_ONCE = 2
"""How many cells are asked for at a time: as many as the pool has connections."""

FRESH_FOR = 300.0
"""For how many seconds nobody need be asked again who they are: a third of what the market says."""

KEPT = frozenset({"confirmOpening", "openPrices"})
"""What takes more than one transaction when it succeeds: that is done in a database of its own."""

EVERY_CELL = os.environ.get("EVERY_CELL") == "1"
"""Set by `make matrix`. Otherwise what is not about a tender is asked for in a few states alone,
and of refusals that are what they were in the state before, every sixth."""

FOR_THE_MARKET_AT_LARGE = frozenset({"none", "published", "notified"})
"""Those states: no tender yet, bids on their way, everything told."""

_KEPT_OF_REFUSALS = frozenset({"event", "event_private", "sign_in_attempt", "credential_use"})
"""What a request leaves behind that is refused, or only reads: that it was made, and by what."""


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


def asked_for(moment: Moment) -> list[Operation]:
    """The operations asked for in a state."""
    at_large = EVERY_CELL or moment.name in FOR_THE_MARKET_AT_LARGE
    return [one for one in OPERATIONS.values() if at_large or one.of_tender]


def as_before(cell: Cell, case: Case) -> bool:
    """Whether it is a refusal, and the same one as in the state that this one followed."""
    before = [one for one in MOMENTS if one.name == case.moment.after]
    return not cell.expected.startswith("2") and all(
        expected(cell.operation.id, Case(case.kind, one)) == cell.expected for one in before
    )


def drawn(cell: Cell, moment: Moment) -> bool:
    """Whether it is among the sixth of such refusals that is asked for all the same."""
    name = f"{cell.operation.id} {cell.kind} {moment.name}"
    return zlib.crc32(name.encode()) % 6 == 0


class Findings:
    """What one state's cells came to."""

    def __init__(self, moment: Moment, state: Frozen) -> None:
        self.state = state
        self.operations = asked_for(moment)
        self.cases = {kind.name: Case(kind, moment) for kind in KINDS}
        self.known = {name: may_know(case) for name, case in self.cases.items()}
        self.watch = Watch(state)
        self.done: set[tuple[str, str]] = set()
        self.wrong: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self.leaks: dict[tuple[str, Secret], list[str]] = defaultdict(list)
        self.seen: dict[str, set[Secret]] = defaultdict(set)
        self.undocumented: set[tuple[str, str]] = set()
        self.changed: list[str] = []

    def cells(self) -> Iterator[Cell]:
        """Every operation for every kind of person, and what is expected of it."""
        for operation, case in product(self.operations, self.cases.values()):
            cell = Cell(operation, case.kind.name, expected(operation.id, case))
            if EVERY_CELL or not as_before(cell, case) or drawn(cell, case.moment):
                yield cell

    def note(self, cell: Cell, answer: Answer) -> None:
        """Compare an answer with what was expected, and look for secrets in it."""
        operation, kind = cell.operation.id, cell.kind
        assert (operation, kind) not in self.done
        self.done.add((operation, kind))
        got = str(answer)
        if got != cell.expected:
            self.wrong[operation, cell.expected, got].append(kind)
        if got not in cell.operation.documented:
            self.undocumented.add((operation, got))
        for secret in self.watch.shown(cell.operation, answer.body):
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
        undocumented = [
            f"{operation} does not say it answers {got}"
            for operation, got in sorted(self.undocumented)
        ]
        changed = [f"refused requests changed the table {name}" for name in self.changed]
        unseen = [
            f"{kind} is shown no {what} of {whose}"
            for kind, known in self.known.items()
            for what, whose in sorted(known - self.seen[kind])
            if not owns(self.cases[kind], (what, whose))
        ]
        return "\n".join(wrong + leaks + undocumented + changed + unseen)


async def ask(market: MovingMarket, state: Frozen, cell: Cell) -> Answer:
    """Ask for one cell; what is expected to change something is undone when it has."""
    request = request_for(cell.operation, cell.kind, state)
    if not cell.changes:
        return await send_whole(market.app, request)
    with undone():
        return await send_whole(market.app, request)


async def ask_alone(market: MovingMarket, state: Frozen, cell: Cell) -> Answer:
    """Ask for one cell in a database of its own, where what it changes is kept."""
    name = f"cell_{secrets.token_hex(6)}"
    await market.databases.clone(state.database, name)
    async with market.over(name):
        answer = await send_whole(market.app, request_for(cell.operation, cell.kind, state))
    await market.databases.drop(name)
    return answer


async def confirm_sessions(market: MovingMarket, state: Frozen) -> None:
    """Keep fresh the sessions that are to be so, for as long as a slow machine may take."""
    if time.monotonic() - state.made_at < FRESH_FOR:
        return
    for kind in KINDS:
        if kind.name in state.sessions and not kind.old_session:
            request = request_for(OPERATIONS["confirmSession"], kind.name, state)
            assert (await send_whole(market.app, request)).status == 201


async def find_out(market: MovingMarket, findings: Findings) -> None:
    """Ask for every cell of a state, and see to it that the state is afterwards as it was."""
    state = findings.state
    cells = list(findings.cells())
    shared = iter([cell for cell in cells if not cell.alone])

    async def worker() -> None:
        for cell in shared:
            findings.note(cell, await ask(market, state, cell))

    async with market.over(state.database, 1):
        await confirm_sessions(market, state)
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
                "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"  # noqa: S608  # the name is the catalogue's own
                f' FROM "{name}" t'
            )
            for (name,) in names
            if name not in _KEPT_OF_REFUSALS
        }
    finally:
        await connection.close()


def test_every_operation_has_its_row_and_every_row_its_operation() -> None:
    missing, unknown = set(OPERATIONS) - set(EXPECTED), set(EXPECTED) - set(OPERATIONS)
    assert not missing, f"Add rows to tests/access for {sorted(missing)}."
    assert not unknown, f"These rows are of no operation: {sorted(unknown)}."


def test_every_duty_is_there_in_force_and_offered() -> None:
    names = {kind.name for kind in KINDS}
    assert names >= {*DUTIES, *(f"offered {duty}" for duty in DUTIES)}


def test_no_cell_is_left_out(record_property: Callable[[str, object], None]) -> None:
    """Each state counts its own; this says how many there are in all."""
    assert {moment.name for moment in MOMENTS} == {"none", *STEPS}
    assert len(KINDS) == len({kind.name for kind in KINDS})
    assert {moment.name for moment in MOMENTS} >= FOR_THE_MARKET_AT_LARGE
    record_property("all cells", len(MOMENTS) * len(OPERATIONS) * len(KINDS))


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
    asked = {one.id for one in asked_for(moment)}
    assert {operation for operation, _ in findings.done} == asked
    assert {kind for _, kind in findings.done} == {kind.name for kind in KINDS}
    if EVERY_CELL:
        assert len(findings.done) == len(OPERATIONS) * len(KINDS)
    record_property("cells", len(findings.done))
