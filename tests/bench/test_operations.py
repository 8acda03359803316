"""What four requests cost, beside their statements alone and beside bare handlers."""

import sys

import msgspec
import pytest

from market.embedded import EmbeddedPostgres
from tests.bench.conftest import HOME, Keys
from tests.bench.operations import Figure, Place, measure, operations
from tests.bench.stage import Stage
from tests.makers.moving import MovingMarket


@pytest.fixture(scope="session")
def place(
    server: EmbeddedPostgres,
    market: MovingMarket,
    keys: Keys,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    return Place(server, market, keys.variables(), tmp_path_factory.mktemp("home"))


def _row(figure: Figure) -> str:
    market, handler, statements = figure.market, figure.handler, figure.statements
    return (
        f"{figure.operation:28} {market.milliseconds:8.2f} {handler.milliseconds:8.2f}"
        f" {statements.milliseconds:8.2f} {market.milliseconds / handler.milliseconds:6.2f}"
        f" | {market.processor_milliseconds:8.2f} {handler.processor_milliseconds:8.2f}"
        f" {statements.processor_milliseconds:8.2f}"
        f" {market.processor_milliseconds / handler.processor_milliseconds:6.2f}"
    )


def test_operations(place: Place, stage: Stage) -> None:
    figures = [measure(place, stage, operation) for operation in operations(stage)]
    sys.stdout.write(
        f"\n{'':28} {'market':>8} {'handler':>8} {'SQL':>8} {'ratio':>6}"
        f" | {'market':>8} {'handler':>8} {'SQL':>8} {'ratio':>6}\n"
    )
    for figure in figures:
        sys.stdout.write(_row(figure) + "\n")
    for figure in figures:
        sys.stdout.write(f"\n{figure.operation}\n")
        for sql, took in figure.asked:
            sys.stdout.write(f"  {took:7.3f} ms  {sql[:300]}\n")
    (HOME / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
