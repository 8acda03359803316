"""Refusals about single sign-on, named by their reason."""

from market.errors import Forbidden, MarketError, NotFound, NotSignedIn, keeps


class SingleSignOnOff(NotFound):
    """The settings of the market name no identity provider."""

    title = "This market has no identity provider. Sign in by password."


@keeps("single_sign_on_once")
class SignInOver(MarketError):
    """The sign-in is unknown, was answered or has expired, or was begun by somebody else."""

    status = 404
    title = (
        "There is no such sign-in under way here, or it has been answered or has expired."
        " Begin again."
    )


class ProviderFailed(MarketError):
    """The identity provider gave no answer, or none that can be used; the detail says which."""

    status = 502
    title = "The identity provider gave no usable answer. Try again, or sign in by password."


class CodeRefused(NotSignedIn):
    """The identity provider does not accept the code: it is wrong, used or expired."""

    title = "The identity provider does not accept the code. Begin again."


class IdentityNotProven(NotSignedIn):
    """What the identity provider said does not prove who signs in; the detail says why."""

    title = "What the identity provider said does not prove who you are."


class IdentityUnknown(NotSignedIn):
    """The identity is proven, but it is nobody's here."""

    title = (
        "Nobody is known by this identity. Take up an invitation with it, or sign in by password"
        " and link it."
    )


class EmailNotVerified(Forbidden):
    """The identity provider does not say that the e-mail address is the person's."""

    title = (
        "The identity provider does not say that it has verified your e-mail address. Take up the"
        " invitation with a password instead."
    )


class InvitedSomebodyElse(Forbidden):
    """The invitation is for another address than the identity provider vouches for."""

    title = "The invitation was made to another e-mail address than yours at the identity provider."


class AddressRegistered(MarketError):
    """The invited address belongs to somebody who is registered and has not linked the identity."""

    title = (
        "Somebody is registered with this address. Sign in as them, link the identity"
        " (POST /me/identities), and take up the invitation then."
    )


@keeps("identity_once")
class IdentityLinked(MarketError):
    """The identity is linked already."""

    title = "This identity is linked already, to you or to somebody else."


@keeps("last_way_in")
class LastWayIn(MarketError):
    """The person would have been left without a way to sign in."""

    title = (
        "This is your only way to sign in. Link another identity first, or have an administrator"
        " give you a password reset."
    )


@keeps("identity_only_removed")
class IdentityRemoved(MarketError):
    """The link was removed; to have it again it is made anew."""

    title = "This link has been removed. It stays on record and cannot be changed."
