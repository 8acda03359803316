"""HTTP about award methods: trying one on made-up bids, before it is published or after."""

import asyncio

from litestar import Controller, post
from litestar.params import JSONBody

from evaluation.errors import TrialFaulty
from evaluation.rules.exact import Exact
from evaluation.rules.methods import OutsideDomain
from evaluation.rules.trial import Competition, Trial, Working, try_method
from evaluation.rules.trial_input import competition_of, trial_faults
from evaluation.schemas.trial import (
    TrialPoints,
    TrialView,
    TrialWarning,
    TriedBid,
    TriedRange,
    TryMethod,
)
from market.money import plain_text
from market.problems import problems


class MethodController(Controller):
    """Award methods."""

    path = "/award-methods"
    tags = ("evaluation",)

    @post(
        "/trial",
        operation_id="tryMethod",
        status_code=200,
        responses=problems(TrialFaulty),
        opt={"public": True, "costly": True},
    )
    async def try_method(self, data: JSONBody[TryMethod]) -> TrialView:
        """Try an award method on made-up bids: the whole working, and warnings.

        Nothing is stored. Anybody may try a method that was published; an author should, before
        it is.
        """
        faults = trial_faults(data)
        if faults:
            raise TrialFaulty(faults[0].reason, faults=faults)
        competition = competition_of(data)
        try:
            # exact fractions of fifty bids take a while: beside the other requests
            trial = await asyncio.to_thread(try_method, competition)
        except OutsideDomain as error:
            raise TrialFaulty(str(error)) from error
        return _view(competition, trial)


def _view(competition: Competition, trial: Trial) -> TrialView:
    return TrialView(
        method=competition.method.name,
        version=competition.method.version,
        bids=[_bid(working) for working in trial.workings],
        winners_by_price_weight=[
            TriedRange(
                lowest=Exact.of(one.lowest),
                highest=Exact.of(one.highest),
                winners=list(one.winners),
            )
            for one in trial.ranges
        ],
        warnings=[TrialWarning(name=one.name, text=one.text) for one in trial.warnings],
    )


def _bid(working: Working) -> TriedBid:
    return TriedBid(
        key=working.key,
        points=[
            TrialPoints(criterion=code, points=Exact.of(points))
            for code, points in working.points.items()
        ],
        quality_points=Exact.of(working.quality_points),
        quality_percentage=Exact.of(working.quality_percentage),
        passed=working.passed,
        price=plain_text(working.price),
        price_points=None if working.price_points is None else Exact.of(working.price_points),
        total=None if working.total is None else Exact.of(working.total),
        rank=working.rank,
        tied=working.tied,
        point_worth=None if working.point_worth is None else Exact.of(working.point_worth),
    )


CONTROLLERS = (MethodController,)
