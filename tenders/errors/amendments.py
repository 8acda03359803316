"""Refusals about amendments of a published tender, and about bids after them."""

from market.errors import Malformed, MarketError, WrongStage, keeps


@keeps(
    "amendment_changes_something",
    "amendment_keeps_lots",
    "amendment_has_summary",
    "amendment_has_reason",
    "deadline_only_later",
    "material_needs_time",
    "substance_is_material",
)
class AmendmentFaulty(Malformed):
    """The amendment contradicts itself, the law or what was published; every fault is listed."""

    title = "The amendment has faults. Each is listed with its place."


@keeps("amendment_in_time", "amendment_before_opening", "redraft_while_open")
class AmendmentTooLate(WrongStage):
    """A published tender changes while it takes bids, and neither before nor after."""

    title = "A tender is amended between its publication and its deadline."


@keeps("bid_for_present_requirement", "confirms_latest_amendment")
class AmendedMeanwhile(MarketError):
    """What the bid was checked against, or the confirmation was about, was amended since."""

    title = "The tender was amended meanwhile. Read the amendment, and bid or confirm under it."


@keeps("confirmation_needed", "bid_confirmation_once")
class NothingToConfirm(MarketError):
    """The bid stands without a confirmation, was confirmed before, or does not stand."""

    title = "This bid needs no confirmation."


@keeps("confirmation_fits_form")
class MustBeReplaced(MarketError):
    """What a bid for the lot has to answer or to price is another than when the bid was made."""

    title = "The form of a bid for this lot has changed. Replace the bid with PUT /bids/{bid_id}."
