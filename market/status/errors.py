"""What can go wrong when one asks about the market itself."""

from market.errors import NotFound


class NoSuchProblem(NotFound):
    """The catalogue of problems holds none of this name."""

    title = "The market has no such kind of problem. See /problems for all of them."


class NoSuchPage(NotFound):
    """The reference page uses no file of this name."""
