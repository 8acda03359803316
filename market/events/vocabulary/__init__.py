"""The documentation of the log: every action, what it means, and what its events may hold."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.challenges import OF_CHALLENGES
from market.events.vocabulary.contracts import OF_CONTRACTS
from market.events.vocabulary.following import OF_FOLLOWING
from market.events.vocabulary.kinds import Action, Kind, Whose
from market.events.vocabulary.market import OF_THE_MARKET
from market.events.vocabulary.tenders import OF_TENDERS

VOCABULARY: Final[Mapping[str, Action]] = {
    **OF_THE_MARKET,
    **OF_TENDERS,
    **OF_CHALLENGES,
    **OF_CONTRACTS,
    **OF_FOLLOWING,
}
"""Every action that the market records, by its name. A test holds the programme to it."""

CREDENTIAL: Final = "credential"
"""The detail that the database adds to what a system does: the id of its credential."""

__all__ = ["CREDENTIAL", "VOCABULARY", "Action", "Kind", "Whose"]
