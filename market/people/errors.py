"""Refusals about people and sign-in, named by their reason."""

from market.errors import Forbidden, MarketError, NotSignedIn, keeps


class WrongCredentials(NotSignedIn):
    """Unknown address, wrong password, or no such membership: which of them is not said."""

    title = "The e-mail address and password do not fit, or you cannot act for that organisation."


@keeps("invitation_once", "invited_by_administrator")
class InvitationOver(MarketError):
    """It is unknown, expired, accepted or revoked, or whoever made it may no longer invite."""

    status = 404
    title = (
        "There is no such invitation, or it has expired or been accepted or revoked."
        " Ask for a new one."
    )


class InvitationAccepted(MarketError):
    """The invitation was to be revoked, but had been accepted."""

    title = "The invitation has been accepted. Remove the person from the organisation instead."


@keeps("person_email_once")
class AlreadyRegistered(MarketError):
    """Two requests registered one address at the same time, and the other one was first."""

    title = "That address has just been registered. Repeat the request with its password."


@keeps("registrar_of_operator")
class RegistrarOfOperator(Forbidden):
    """The role of registrar was to be given outside the organisation that runs the market."""

    title = "Only people of the market's operator can be registrars."


@keeps("session_for_own_organisation")
class NotAMember(Forbidden):
    """A session was to act for an organisation of which the person is not a member."""

    title = "You can act only for an organisation of which you are a member."


@keeps("membership_once")
class AlreadyMember(MarketError):
    """The person holds that role in that organisation already."""

    title = "The person holds that role in that organisation already."


@keeps("membership_only_ends")
class MembershipEnded(MarketError):
    """The membership has ended; a new one needs a new invitation."""

    title = "This membership has ended. It stays on record and cannot be changed."


@keeps("acts_in_own_name")
class NotInOwnName(Forbidden):
    """Somebody tried to act as another person or organisation."""

    title = "Nobody can act in another's name."


@keeps("last_administrator")
class LastAdministrator(MarketError):
    """The organisation would have been left without an administrator."""

    title = (
        "An organisation keeps at least one administrator. Make somebody else one first, or ask"
        " the registrar."
    )


@keeps("watchman_given_by_another")
class WatchmanOfOneself(Forbidden):
    """Somebody tried to give themselves a role that watches over others."""

    title = (
        "Nobody makes themselves conflicts guardian, lay member or auditor. Another administrator"
        " or the registrar gives these roles."
    )
