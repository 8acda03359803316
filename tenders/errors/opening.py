"""Refusals about declarations against bidders and the opening."""

from market.errors import Forbidden, Malformed, MarketError, WrongStage, keeps


@keeps("declaration_when_known")
class BiddersNotKnown(WrongStage):
    """Bidders are named after the deadline: to openers and guardian, then to the panel."""

    recorded = True
    title = "The names of the bidders are not known to you yet."


@keeps("participant_is_another", "participant_shares")
class ParticipantsFaulty(Malformed):
    """A participant is the lead, is named twice, cannot be identified, or is not declared well."""

    title = "The participants have faults. Each is listed with its place."


@keeps("declaration_about_bidder")
class DeclarationsFaulty(Malformed):
    """A declaration names no bidder of this tender, or does not say what the interest is."""

    title = "The declarations have faults. Each is listed with its place."


@keeps("declaration_missing")
class DeclarationMissing(Forbidden):
    """The person has not yet said, for each bidder, whether they have an interest."""

    title = "Declare first whether you have an interest in each of the bidders."


@keeps("conflict_of_interest")
class ConflictOfInterest(Forbidden):
    """The person declared an interest in a bidder, or is a member of one."""

    title = "You have an interest in a bidder, and must leave this tender until it is decided."


@keeps("opening_after_deadline")
class OpeningNotDue(WrongStage):
    """Bids are opened after the deadline and once, and not of a tender that was abandoned."""

    recorded = True
    title = "The opening is confirmed after the deadline, and once."


@keeps("opening_confirmation_once")
class AlreadyConfirmed(MarketError):
    """Two different people confirm the opening."""

    title = "You have confirmed the opening already. Another opener must confirm it too."


@keeps("opening_by_two", "manifest_complete", "manifest_fixed_whole", "manifest_after_deadline")
class OpeningRefused(MarketError):
    """Two different openers without an interest open exactly the bids that stand."""

    title = "Two openers without an interest must confirm, and all bids that stand are opened."


class NotOpened(WrongStage):
    """The two confirmations that an opening needs have not both been given."""

    recorded = True
    title = "The bids of this tender have not been opened."


@keeps("envelope_stays_sealed")
class EnvelopeStaysSealed(WrongStage):
    """Quality opens with the tender; a price once quality is locked, where the bid passed."""

    recorded = True
    title = "This envelope may not be opened now."


@keeps("opened_envelope_once", "opened_envelope_envelope_key")
class EnvelopeOpened(MarketError):
    """The envelope was opened before, perhaps by somebody who resumed the opening meanwhile."""

    title = "This envelope has been opened already."


class KeysUnavailable(MarketError):
    """The custodian cannot use the lot's key. It says nothing about the bid, which stays sealed."""

    status = 503
    title = (
        "The key of these envelopes cannot be used at present. They stay sealed. When the"
        " operator has restored the key-encryption key, resume the opening."
    )
    retry_after = 60


@keeps("envelope_as_fixed")
class EnvelopeAltered(MarketError):
    """What is stored of a bid is not what the manifest fixed at the deadline.

    It stays sealed: a backup may still have it as it was.
    """

    recorded = True
    title = "An envelope is not what was fixed at the deadline, and stays sealed."
