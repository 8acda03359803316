"""Refusals about people and sign-in, named by their reason."""

from market.errors import Forbidden, MarketError, NotSignedIn, keeps


class WrongCredentials(NotSignedIn):
    """Unknown address, wrong password, or no such membership: which of them is not said."""

    title = "The e-mail address and password do not fit, or you cannot act for that organisation."


class InvitationOver(MarketError):
    """The invitation is unknown, expired or was accepted."""

    status = 404
    title = "There is no such invitation, or it has expired or been accepted. Ask for a new one."


@keeps("membership_once")
class AlreadyMember(MarketError):
    """The person holds that role in that organisation already."""

    title = "The person holds that role in that organisation already."


@keeps("acts_in_own_name")
class NotInOwnName(Forbidden):
    """Somebody tried to act as another person or organisation."""

    title = "Nobody can act in another's name."
