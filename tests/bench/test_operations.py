"""What four requests cost, beside their statements alone and beside bare handlers."""

import pytest

from tests.bench.conftest import FIGURES
from tests.bench.figures import keep, say, statements_of, table
from tests.bench.operations import Place, measure, operations
from tests.bench.stage import Stage


def test_four_requests_cost_little_more_than_their_statements(place: Place, stage: Stage) -> None:
    figures = [measure(place, stage, operation) for operation in operations(stage)]
    say(f"\n{table(figures)}\n{statements_of(figures)}")
    keep(FIGURES, "operations", figures)
    if missed := [said for figure in figures for said in figure.missed()]:
        pytest.fail("\n".join(["goals missed", *missed]), pytrace=False)
