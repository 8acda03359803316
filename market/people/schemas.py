"""What the API takes and gives about people."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.actor import Role
from market.people.rules import LONGEST_PASSWORD

Email = Annotated[str, Meta(min_length=3, max_length=254)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
Password = Annotated[str, Meta(min_length=1, max_length=LONGEST_PASSWORD)]
Secret = Annotated[str, Meta(min_length=20, max_length=100)]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign in by password, to act for one organisation where the person belongs to several."""

    email: Email
    password: Password
    organisation: UUID | None = None

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
    """A session of one's own that still works."""

    id: UUID
    organisation: UUID | None
    started_at: datetime
    expires_at: datetime
    current: bool


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
