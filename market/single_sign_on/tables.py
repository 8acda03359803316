"""Tables of single sign-on: sign-ins under way, and whose identities at the provider are."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.table import Table

from market.database import DB
from market.people.tables import InvitationTable, PersonTable


class SingleSignOnRequestTable(Table, db=DB, tablename="single_sign_on_request"):
    """A sign-in that was begun: digests of its two random texts, and what it is for."""

    id = columns.UUID(primary_key=True)
    state_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    binding_digest = columns.Bytea(default=None, null=False, secret=True)
    # whoever links an identity to themselves; none for somebody who signs in
    person = columns.ForeignKey(PersonTable, default=None, null=True, on_delete=OnDelete.restrict)
    # as it was asked for: that it is none, or a foreign one, is said after the sign-in alone
    organisation = columns.UUID(default=None, null=True)
    invitation = columns.ForeignKey(
        InvitationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    fresh = columns.Boolean(default=None, null=False)
    asked_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)
    used_at = columns.Timestamptz(default=None, null=True)


class IdentityLinkTable(Table, db=DB, tablename="identity_link"):
    """Who a subject of an identity provider is, from when to when."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    issuer = columns.Varchar(length=2000, default=None, null=False)
    subject = columns.Varchar(length=255, default=None, null=False)
    linked_at = columns.Timestamptz(default=None, null=False)
    removed_at = columns.Timestamptz(default=None, null=True)
