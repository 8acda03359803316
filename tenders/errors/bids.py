"""Refusals about bids."""

from market.errors import Forbidden, Malformed, MarketError, Stale, WrongStage, keeps


@keeps("bidding_open")
class BiddingClosed(WrongStage):
    """The deadline has passed, by the market's clock, or the tender takes no bids any more."""

    title = "The time for bids is over."
    recorded = True


@keeps("bid_one_per_lot")
class AlreadyBid(MarketError):
    """An organisation has one bid, or one of each variant, for a lot; it can be replaced."""

    title = "Your organisation has a bid for this lot already. Replace it with PUT /bids/{bid_id}."


@keeps("variant_taken")
class VariantRefused(MarketError):
    """The lot takes no variant of that number, or a replacement names another than the bid's."""

    title = "The lot takes no such variant."


class BidIncomplete(Malformed):
    """The bid does not answer and price exactly what the lot asks; every fault is listed."""

    title = "The bid is not complete. Each fault is listed with its place."


class NotSealed(Malformed):
    """What was sent as a sealed envelope has not the form of one; every fault is listed."""

    title = "This is no sealed envelope. Each fault is listed with its place."


class SealedForAnotherVersion(MarketError):
    """An envelope opens for the version it was sealed for alone; the detail says which is next."""

    title = "The envelopes were sealed for another version of the bid. Seal them for the next one."


@keeps("bidder_admitted")
class NotAdmitted(Forbidden):
    """Only suppliers that the market has admitted bid."""

    title = "Only admitted suppliers can bid."


@keeps("helper_does_not_bid")
class HelperMayNotBid(Forbidden):
    """An organisation whose people hold a duty in a tender, or that buys in it, does not bid."""

    title = "An organisation that helps to run a tender, or buys in it, cannot bid in it."


@keeps("bid_version_counts", "bid_version_once")
class BidChanged(Stale):
    """The bid was replaced or withdrawn since the caller read it."""

    title = "The bid has changed since you read it. Read it again and repeat the request."


@keeps("withdraws_what_stands")
class NothingToWithdraw(MarketError):
    """The bid was withdrawn before."""

    title = "This bid is withdrawn already."
