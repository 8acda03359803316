"""The actions between an award and the end of its contracts: buyers' decisions and what follows."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind

_CODE, _NUMBER = Kind.CODE, Kind.NUMBER
_LOT: Final[Mapping[str, Kind]] = {"lot": _NUMBER}

OF_CONTRACTS: Final[Mapping[str, Action]] = {
    "buyer.decided": Action(
        "A buyer of a joint purchase decided whether it takes part in the award.",
        ("buyer_decision",),
        {**_LOT, "buyer": Kind.ID, "takes_part": Kind.TRUTH},
        commits_to="the decision with its reason",
    ),
    "kpi.set": Action(
        "A key performance indicator was set before the contract.",
        ("kpi",),
        {**_LOT, "number": _NUMBER},
        commits_to="the indicator with its target",
    ),
    "kpi.assessed": Action(
        "A key performance indicator was assessed for a period.",
        ("kpi_assessment",),
        {**_LOT, "number": _NUMBER, "met": Kind.TRUTH},
        commits_to="the figure with its evidence",
    ),
    "kpis.published": Action(
        "What was measured of a lot's indicators was published.",
        ("kpi_publication",),
        {**_LOT, "through": Kind.DATE},
    ),
    "contract.changed": Action(
        "A contract was changed.",
        ("contract_change",),
        {
            **_LOT,
            "buyer": Kind.ID,
            "number": _NUMBER,
            "ground": _CODE,
            "flagged": Kind.TRUTH,
        },
        commits_to="the change with its reason",
    ),
    "milestone.set": Action(
        "A milestone of a contract was set.",
        ("milestone",),
        {**_LOT, "buyer": Kind.ID, "number": _NUMBER, "due": Kind.DATE},
        commits_to="the milestone",
    ),
    "milestone.met": Action(
        "A milestone of a contract was met.",
        ("milestone_met",),
        {**_LOT, "buyer": Kind.ID, "number": _NUMBER, "met_on": Kind.DATE},
        commits_to="the day with its evidence",
    ),
    "baseline.recorded": Action(
        "Cost and access before the contract were recorded.",
        ("outcome_baseline",),
        _LOT,
        commits_to="the baseline",
    ),
    "outcome.reviewed": Action(
        "The outcome of a lot's contracts was reviewed and published.",
        ("outcome_review",),
        {**_LOT, "number": _NUMBER, "kind": _CODE, "through": Kind.DATE},
        commits_to="the figures with the narrative",
    ),
}
