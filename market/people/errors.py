"""Refusals about people and sign-in, named by their reason."""

from market.errors import Forbidden, MarketError, NotSignedIn, keeps


class WrongCredentials(NotSignedIn):
    """Unknown address, wrong password, or no such membership: which of them is not said."""

    title = "The e-mail address and password do not fit, or you cannot act for that organisation."


class OneTimePasswordNeeded(NotSignedIn):
    """The password is right, and the person's sign-in needs a code of their authenticator too."""

    title = "Send the code your authenticator shows, or a recovery code, as one_time_password."


class OneTimePasswordWrong(NotSignedIn):
    """The code is not one of now, or was used: each is good once."""

    title = "That code is wrong, too old, or was used. Send the next one your authenticator shows."


class AuthenticatorUnreadable(MarketError):
    """The custodian cannot unwrap the secret a code is checked by: a fault of the market's."""

    status = 503
    title = "Codes cannot be checked now. Send a recovery code, or tell the market's operator."
    retry_after = 60


class ConfirmationWrong(MarketError):
    """Somebody who is signed in did not prove who they are: wrong password, or wrong code."""

    status = 403
    title = "The password, or the one-time password, is not right. You are still signed in."


@keeps("sign_in_locked", "attempts_not_forgotten")
class SignInLocked(MarketError):
    """Too many failures of this account, whether it exists or not, or from this address."""

    status = 429
    title = "Too many failures. Wait as long as Retry-After says before you try again."
    retry_after = 30

    def __init__(self, detail: str | None = None, *, seconds: int = 30) -> None:
        """Keep for how many seconds the lock lasts."""
        super().__init__(detail)
        self.retry_after = seconds


@keeps("fresh_sign_in", "session_confirmed_by_itself")
class FreshSignInNeeded(Forbidden):
    """The act needs a sign-in, or a confirmation of it, of the last fifteen minutes."""

    title = (
        "This needs a fresh sign-in: send your password to POST /sessions/current/confirmation, or"
        " sign in anew by your identity provider (`fresh`), and repeat the request."
    )


@keeps("one_time_password_once", "one_time_password_stays_removed")
class AuthenticatorEnrolled(MarketError):
    """The person has an authenticator, or another one was enrolled in the same moment."""

    title = "You have an authenticator. Remove it before you enrol another one."


@keeps("one_time_code_once", "recovery_code_once")
class CodeUsed(OneTimePasswordWrong):
    """The code was accepted in the same moment for another request."""

    title = "That code was used in this moment. Send the next one your authenticator shows."


@keeps("own_password_only")
class NotOwnPassword(Forbidden):
    """Somebody tried to set another's password."""

    title = "Everybody sets their own password, and no other."


@keeps("reset_by_administrator")
class ResetByAdministrator(Forbidden):
    """The reset is not this person's to give, or whoever gave it no longer may."""

    title = (
        "A password is reset by an administrator of the one organisation a person belongs to, or"
        " by the market's registrar."
    )


@keeps("password_reset_once")
class ResetOver(MarketError):
    """The reset is unknown, expired, used or replaced, or whoever gave it no longer may."""

    status = 404
    title = "There is no such reset, or it has expired or been used. Ask for a new one."


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


@keeps("session_for_own_organisation", "session_switched_from_own")
class NotAMember(Forbidden):
    """A session was to act for an organisation of which the person is not a member."""

    title = "You can act only for an organisation of which you are a member."


@keeps("session_stays_ended")
class SessionEnded(NotSignedIn):
    """The session was ended in the same moment."""

    title = "This session has ended. Sign in again."


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


@keeps("person_stays_erased")
class ErasedForGood(MarketError):
    """The person was erased, and nothing of theirs can be set any more."""

    status = 409
    title = "This person has been erased for good."


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
