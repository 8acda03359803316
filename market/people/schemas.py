"""What the API takes and gives about people and how they sign in."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.actor import Role
from market.people.rules import LONGEST_PASSWORD, SignInMethod

Email = Annotated[str, Meta(min_length=3, max_length=254)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
Password = Annotated[str, Meta(min_length=1, max_length=LONGEST_PASSWORD)]
Secret = Annotated[str, Meta(min_length=20, max_length=100)]


Code = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=40,
        description="The six digits an authenticator shows, or a recovery code. Spaces may stay.",
    ),
]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign in by password, to act for one organisation where the person belongs to several.

    Who has an authenticator sends its code as well.
    """

    email: Email
    password: Password
    organisation: UUID | None = None
    one_time_password: Code | None = None

    example: ClassVar[dict[str, Any]] = {
        "email": "ann.lead@bedfordshire.example",
        "password": "three quiet otters",
    }


class SessionGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A new session. The token is shown here and never again; send it as a bearer token."""

    id: UUID
    token: str
    expires_at: datetime
    person: UUID
    organisation: UUID | None
    roles: list[Role]


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session of one's own that still works.

    It counts as a fresh sign-in for fifteen minutes from `confirmed_at`, which is null where an
    identity provider did not say when the person last proved to it who they are.
    """

    id: UUID
    organisation: UUID | None
    method: SignInMethod
    started_at: datetime
    confirmed_at: datetime | None
    expires_at: datetime
    current: bool


class ConfirmSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prove anew who one is, within a session."""

    password: Password
    one_time_password: Code | None = None

    example: ClassVar[dict[str, Any]] = {"password": "three quiet otters"}


class SwitchTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Act for another of one's organisations."""

    organisation: UUID

    example: ClassVar[dict[str, Any]] = {"organisation": "2b1c9a52-6f0e-4c0e-9a39-1f6f6f0f5b1e"}


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set a new password by the present one."""

    current: Password
    new: Password

    example: ClassVar[dict[str, Any]] = {
        "current": "three quiet otters",
        "new": "seven lamps over gravel",
    }


class PasswordResetMade(msgspec.Struct, frozen=True, kw_only=True):
    """A password reset without its secret, as it is stored to answer a repeated request."""

    id: UUID
    person: UUID
    expires_at: datetime


class PasswordResetGiven(PasswordResetMade, frozen=True, kw_only=True):
    """A password reset with its secret, which no list shows: hand it to the person."""

    secret: str


class ResetPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set a new password by the secret of a reset."""

    secret: Secret
    password: Password

    example: ClassVar[dict[str, Any]] = {
        "secret": "M6tq1rT3cWcW0y1y3G2n0bXo2v0r1cQJ0w9o0m1e5gU",
        "password": "seven lamps over gravel",
    }


class AuthenticatorEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A new authenticator's secret, shown here and never again; it waits to be confirmed.

    `uri` is what an authenticator reads from a QR code; `secret` is base32, to type in.
    """

    id: UUID
    secret: str
    uri: str


class ConfirmAuthenticator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Show by a code that the authenticator works."""

    code: Code

    example: ClassVar[dict[str, Any]] = {"code": "492039"}


class AuthenticatorConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The authenticator counts from now on. The recovery codes are shown here and never again."""

    id: UUID
    recovery_codes: list[str]


class RemoveAuthenticator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remove one's authenticator, by password and a code of it or a recovery code."""

    password: Password
    one_time_password: Code

    example: ClassVar[dict[str, Any]] = {
        "password": "three quiet otters",
        "one_time_password": "492039",
    }


class AuthenticatorView(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator of one's own; it counts once it is confirmed."""

    id: UUID
    enrolled_at: datetime
    confirmed_at: datetime | None
    recovery_codes_left: int


class Invite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Invite somebody to roles in the organisation one administers."""

    email: Email
    roles: Annotated[list[Role], Meta(min_length=1, max_length=8)]

    example: ClassVar[dict[str, Any]] = {
        "email": "ruth.review@bedfordshire.example",
        "roles": ["commissioner"],
    }


class InvitationMade(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation without its secret, as it is stored to answer a repeated request."""

    id: UUID
    organisation: UUID
    email: str
    roles: list[Role]
    expires_at: datetime


class InvitationGiven(InvitationMade, frozen=True, kw_only=True):
    """An invitation with its secret, which no list shows: hand it to the invited person."""

    secret: str


class AcceptInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accept an invitation: with a new password, or, if one is registered, with the present one."""

    secret: Secret
    name: Name
    password: Password

    example: ClassVar[dict[str, Any]] = {
        "secret": "M6tq1rT3cWcW0y1y3G2n0bXo2v0r1cQJ0w9o0m1e5gU",
        "name": "Ruth Review",
        "password": "three quiet otters",
    }


class MembershipView(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one person in one organisation."""

    id: UUID
    person: UUID
    name: str
    organisation: UUID
    organisation_name: str
    role: Role
    started_at: datetime
    ended_at: datetime | None


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person and what they may do for which organisation."""

    id: UUID
    name: str
    email: str
    memberships: list[MembershipView]
    acting_for: UUID | None


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation as the organisation's administrators see it: without its secret.

    It can be taken up while `open`; whoever made it may meanwhile have lost the right to.
    """

    id: UUID
    email: str
    roles: list[Role]
    invited_by: UUID | None
    invited_by_name: str | None
    invited_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None
    revoked_by: UUID | None
    open: bool


class GiveRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a further role to somebody who belongs to the organisation."""

    role: Role

    example: ClassVar[dict[str, Any]] = {"role": "procurement_lead"}
