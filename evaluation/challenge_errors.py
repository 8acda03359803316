"""Refusals about challenges of an award, and about what is disclosed of its evaluation."""

from market.errors import Forbidden, Malformed, MarketError, WrongStage, keeps

# -- challenges -----------------------------------------------------------------------------------


@keeps("no_contract_while_challenged", "lot_on_hold")
class LotOnHold(MarketError):
    """While its award is challenged a lot does not go on; the challenge is decided first."""

    title = "The lot is on hold: its award is challenged."


@keeps("challenge_open_once", "lot_challenge_once")
class ChallengedAlready(MarketError):
    """A bidder has one challenge of an award open at a time."""

    title = "There is an open challenge of this bidder already."


@keeps("challenge_decided_once")
class ChallengeDecided(MarketError):
    """A decided challenge is not made again in the market; a claim in court can be recorded."""

    title = "Your challenge of this award was decided. What a court is sent is recorded from there."


@keeps("challenge_of_bidder")
class NoNoticeToChallenge(Malformed):
    """Those challenge an award who bid for the lot and were sent its notice."""

    title = "That organisation was not sent a notice of this award."


@keeps("challenge_received_since_notices")
class ChallengeTimeFaulty(Malformed):
    """A challenge of an award is received after the notices were sent, and not in the future."""

    title = "The challenge was not received between the notices and now."


@keeps("challenge_open", "challenge_end_challenge_key")
class ChallengeEnded(MarketError):
    """A challenge is decided or withdrawn once, and while the award that it is of stands."""

    title = "That challenge is not open any more."


@keeps("challenge_followed", "round_as_decided")
class ChallengeNotFollowed(MarketError):
    """What a decision orders is done in the same act, and nothing that none orders."""

    title = "The lot did not follow the decision on its challenge."


@keeps("fresh_panel")
class NotFresh(Forbidden):
    """Once prices are known a lot is scored anew by people who saw none, nor scored it before."""

    title = "You scored this lot or saw a price of it in an earlier round: others evaluate it anew."


# -- disclosure -----------------------------------------------------------------------------------


@keeps("disclosed_once_told")
class DisclosedTooEarly(WrongStage):
    """Who won would be told by a bundle before the bidders are told."""

    title = "A record is disclosed once the bidders were told, or the lot was given up."


@keeps("disclosed_to_bidder")
class RecipientDidNotBid(Malformed):
    """What a bidder is given depends on which bids are its own."""

    title = "That organisation did not bid for the lot."


@keeps("disclosure_bundle_limited")
class BundleTooLarge(MarketError):
    """A bundle is kept as it was handed over, and is at most 32 MiB."""

    title = "The bundle is larger than 32 MiB. Let the operator export the record instead."
