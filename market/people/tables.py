"""Tables of people, memberships, invitations and sessions."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable


class PersonTable(Table, db=DB, tablename="person"):
    """Somebody who can sign in. The row is also the lock for everything about their duties."""

    id = columns.UUID(primary_key=True)
    email = columns.Varchar(length=254, default=None, null=False)
    name = columns.Varchar(length=200, default=None, null=False)
    # none for somebody who signs in by an identity provider alone
    password_hash = columns.Varchar(length=300, default=None, null=True, secret=True)
    registered_at = columns.Timestamptz(default=None, null=False)

    person_email_lower_case = Check("email = lower(email)")


class MembershipTable(Table, db=DB, tablename="membership"):
    """One role of one person in one organisation, from when to when."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    role = columns.Varchar(length=40, default=None, null=False)
    started_at = columns.Timestamptz(default=None, null=False)
    ended_at = columns.Timestamptz(default=None, null=True)
    granted_by = columns.UUID(default=None, null=True)

    membership_role_known = Check(
        "role IN ('administrator', 'procurement_lead', 'commissioner', 'lay_member',"
        " 'conflicts_guardian', 'bid_manager', 'registrar', 'auditor')"
    )
    membership_ends_after_start = Check("ended_at >= started_at")


class InvitationTable(Table, db=DB, tablename="invitation"):
    """An offer of roles to an e-mail address; only a digest of its secret is kept."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    email = columns.Varchar(length=254, default=None, null=False)
    roles = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    secret_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    invited_by = columns.UUID(default=None, null=True)
    invited_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)
    accepted_at = columns.Timestamptz(default=None, null=True)
    accepted_by = columns.UUID(default=None, null=True)
    revoked_at = columns.Timestamptz(default=None, null=True)
    revoked_by = columns.UUID(default=None, null=True)


class SessionTable(Table, db=DB, tablename="session"):
    """A sign-in: a digest of its opaque token, the person, and the organisation acted for."""

    id = columns.UUID(primary_key=True)
    token_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    started_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)
    revoked_at = columns.Timestamptz(default=None, null=True)
