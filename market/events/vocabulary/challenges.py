"""The actions about challenges of an award, and about the rounds that follow."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind

_CODE, _NUMBER = Kind.CODE, Kind.NUMBER
_LOT: Final[Mapping[str, Kind]] = {"lot": _NUMBER}

OF_CHALLENGES: Final[Mapping[str, Action]] = {
    "challenge.received": Action(
        "The award of a lot was challenged: the lot is on hold.",
        ("lot_challenge",),
        {**_LOT, "number": _NUMBER},
        commits_to="the challenge with its grounds",
    ),
    "challenge.decided": Action(
        "A challenge of an award was decided.",
        ("lot_challenge",),
        {**_LOT, "number": _NUMBER, "outcome": _CODE},
        commits_to="the decision with its reasons",
    ),
    "challenge.withdrawn": Action(
        "A challenge of an award was withdrawn.",
        ("lot_challenge",),
        {**_LOT, "number": _NUMBER},
        commits_to="why it was withdrawn",
    ),
    "round.begun": Action(
        "A lot is evaluated anew, as a challenge was decided.",
        ("lot_round",),
        {**_LOT, "number": _NUMBER},
    ),
}
