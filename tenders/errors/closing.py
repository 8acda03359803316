"""Refusals about proposals to extend after an interruption of the market."""

from market.errors import Malformed, MarketError, WrongStage, keeps


@keeps("proposal_undecided")
class ExtensionUndecided(WrongStage):
    """The market was interrupted before the deadline, and nobody has decided what follows."""

    title = "It has to be decided first whether the deadline is put off after an interruption."


@keeps("extension_decision_proposal_key", "extension_of_published")
class ExtensionDecided(MarketError):
    """A proposal is decided once, while what was published can still change."""

    title = "This proposal was decided already, or there is nothing left to decide."


@keeps("extension_by_amendment", "extension_decision_reasoned")
class ExtensionFaulty(Malformed):
    """Acceptance names a later deadline, and declining none; both give a reason."""

    title = "The decision has faults. Each is listed with its place."
