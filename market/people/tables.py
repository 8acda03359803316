"""Tables of people, memberships, invitations, sessions, and what people prove themselves by."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
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
    """A sign-in: a digest of its opaque token, the person, and the organisation acted for.

    `confirmed_at` is when the person last proved who they are, and NULL where an identity provider
    did not say; a session that another one was switched into (`switched_from`) has that one's, and
    its end.
    """

    id = columns.UUID(primary_key=True)
    token_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    method = columns.Varchar(length=20, default=None, null=False)
    started_at = columns.Timestamptz(default=None, null=False)
    confirmed_at = columns.Timestamptz(default=None, null=True)
    expires_at = columns.Timestamptz(default=None, null=False)
    revoked_at = columns.Timestamptz(default=None, null=True)
    switched_from = columns.UUID(default=None, null=True)

    session_method_known = Check(
        "method IN ('password', 'one_time_password', 'recovery_code', 'single_sign_on')"
    )


class SignInAttemptTable(Table, db=DB, tablename="sign_in_attempt"):
    """How often an account, or a client's address, was tried without success of late.

    Neither is named: the digest is keyed by a secret of the market. There is a row for what was
    tried whether or not it exists, and a row that says nothing any more is taken over by another.
    """

    id = columns.UUID(primary_key=True)
    kind = columns.Varchar(length=20, default=None, null=False)
    key_digest = columns.Bytea(default=None, null=False, secret=True)
    failures = columns.Integer(default=None, null=False)
    counted_at = columns.Timestamptz(default=None, null=False)
    locked_until = columns.Timestamptz(default=None, null=True)

    sign_in_attempt_once = Unique(["kind", "key_digest"])
    sign_in_attempt_kind_known = Check("kind IN ('account', 'address')")
    sign_in_attempt_not_negative = Check("failures >= 0")


class OneTimePasswordTable(Table, db=DB, tablename="one_time_password"):
    """The secret of somebody's authenticator, wrapped by the custodian; emptied when removed."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    wrapped_secret = columns.Bytea(default=None, null=True, secret=True)
    enrolled_at = columns.Timestamptz(default=None, null=False)
    confirmed_at = columns.Timestamptz(default=None, null=True)
    removed_at = columns.Timestamptz(default=None, null=True)
    last_step = columns.BigInt(default=None, null=True)


class RecoveryCodeTable(Table, db=DB, tablename="recovery_code"):
    """One of the codes that stand in for a lost authenticator, once; only a digest is kept."""

    id = columns.UUID(primary_key=True)
    one_time_password = columns.ForeignKey(
        OneTimePasswordTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    person = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    code_digest = columns.Bytea(default=None, null=False, secret=True)
    used_at = columns.Timestamptz(default=None, null=True)


class PasswordResetTable(Table, db=DB, tablename="password_reset"):
    """A forgotten password's way back, given by an administrator; only a digest is kept."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    secret_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    made_by = columns.UUID(default=None, null=False)
    made_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)
    used_at = columns.Timestamptz(default=None, null=True)
    ended_at = columns.Timestamptz(default=None, null=True)
