"""Whatever is asked, by whomever: an answer that the API's description foresees, and no fault."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import msgspec
import schemathesis
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from market.app import api_document
from tests.access.kinds import KINDS
from tests.fuzz.asking import Made, Operation, asked, send
from tests.makers.frozen import Frozen
from tests.makers.moving import MovingMarket, undone

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    negative_data_rejection,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


class Findings(msgspec.Struct):
    """What was asked and answered, and what was wrong with it: one example of each."""

    answers: Counter[int] = msgspec.field(default_factory=Counter)
    kinds: set[str] = msgspec.field(default_factory=set)
    wrong: defaultdict[str, list[str]] = msgspec.field(default_factory=lambda: defaultdict(list))

    def judge(self, made: Made, answer: schemathesis.Response) -> None:
        """Compare an answer with the API's description."""
        self.answers[answer.status_code] += 1
        self.kinds.add(made.kind)
        try:
            made.case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                name = f"{made.case.operation.label}: {answer.status_code} {failure!s:.600}"
                self.wrong[name].append(str(made))

    def __str__(self) -> str:
        """Each fault once, with how often it was met and the first request that met it."""
        return "\n\n".join(
            f"{name}\n  {len(met)} times, first: {met[0]}" for name, met in self.wrong.items()
        )


@contextmanager
def _served(market: MovingMarket, name: str) -> Iterator[asyncio.Runner]:
    """Serve from a database, in a loop that requests can be run in one by one."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        runner.run(stack.enter_async_context(market.over(name)))
        try:
            yield runner
        finally:
            runner.run(stack.aclose())


def _fuzz(
    market: MovingMarket,
    runner: asyncio.Runner,
    operation: Operation,
    state: Frozen,
    findings: Findings,
) -> None:
    async def ask(made: Made) -> schemathesis.Response:
        with undone():
            return await send(market.app, made)

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made=asked(operation, state))
    def every(made: Made) -> None:
        findings.judge(made, runner.run(ask(made)))

    every()


def _whole(
    market: MovingMarket, states: dict[str, Frozen], document: Any, only: str | None = None
) -> Findings:
    """Fuzz every operation of a document, or only one, in every one of the states."""
    schema = schemathesis.openapi.from_dict(document)
    found = Findings()
    for state in states.values():
        with _served(market, state.database) as runner:
            for operation in schema.get_all_operations():
                assert isinstance(operation, Ok), operation
                if only in {None, operation.ok().definition.raw["operationId"]}:
                    _fuzz(market, runner, operation.ok(), state, found)
    return found


def test_every_answer_is_one_that_is_described(
    moving_market: MovingMarket, states: dict[str, Frozen]
) -> None:
    found = _whole(moving_market, states, msgspec.json.decode(api_document()))
    assert not found.wrong, str(found)
    assert {kind.name for kind in KINDS} <= found.kinds
    assert {200, 201, 400, 401, 403, 404, 409} <= set(found.answers)


def test_an_answer_that_is_not_described_is_noticed(
    moving_market: MovingMarket, states: dict[str, Frozen]
) -> None:
    document = msgspec.json.decode(api_document())
    del document["paths"]["/api/v1/tenders/{tender_id}"]["get"]["responses"]["404"]
    named = document["components"]["schemas"]["TenderView"]["properties"]["title"]
    named["pattern"] = "^Nothing is called this$"
    found = _whole(moving_market, states, document, only="getTender")
    assert any("Undocumented status code" in said for said in found.wrong), str(found)
    assert any("Response violates schema" in said for said in found.wrong), str(found)
