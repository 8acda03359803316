"""Tables of e-mail notices: what was noticed for whom, how they want it, how far it has come."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable


class NoticeTable(Table, db=DB, tablename="notice"):
    """One thing told to one person: in their list, and by mail where that is wanted.

    `key` makes it unique for the kind and person. `digest_at` is the digest it waits for, none
    where it goes by itself. `mailing` is the mail it goes in, settled when it is first tried, so
    that a mail that is sent again can be known by its Message-ID.
    """

    id = columns.UUID(primary_key=True)
    kind = columns.Varchar(length=60, default=None, null=False)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    key = columns.Varchar(length=200, default=None, null=False)
    event = columns.UUID(default=None, null=True)
    facts = columns.JSONB(default=None, null=False)
    made_at = columns.Timestamptz(default=None, null=False)
    state = columns.Varchar(length=10, default=None, null=False)
    digest_at = columns.Timestamptz(default=None, null=True)
    send_after = columns.Timestamptz(default=None, null=False)
    mailing = columns.UUID(default=None, null=True)
    attempts = columns.Integer(default=None, null=False)
    claimed_until = columns.Timestamptz(default=None, null=True)
    last_error = columns.Varchar(length=300, default=None, null=True)
    sent_at = columns.Timestamptz(default=None, null=True)

    notice_once = Unique(["kind", "person", "key"])
    notice_state_known = Check("state IN ('waiting', 'sent', 'skipped', 'failed')")
    notice_sent_at_a_time = Check("(state = 'sent') = (sent_at IS NOT NULL)")
    notice_with_reason = Check("state NOT IN ('skipped', 'failed') OR last_error IS NOT NULL")
    notice_attempts_not_negative = Check("attempts >= 0")


class NoticePreferencesTable(Table, db=DB, tablename="notice_preferences"):
    """How somebody wants which kinds: `choices` is an object, kind to sending.

    Who has no row has the kinds' defaults; that is version 1.
    """

    person = columns.UUID(primary_key=True, default=None)
    version = columns.Integer(default=None, null=False)
    choices = columns.JSONB(default=None, null=False)
    changed_at = columns.Timestamptz(default=None, null=False)


class NoticingTable(Table, db=DB, tablename="noticing"):
    """How far the noticing has come: row 1 in the log, row 2 in time. Held by who notices."""

    id = columns.SmallInt(primary_key=True, default=None)
    position = columns.BigInt(default=None, null=False)
    passed_at = columns.Timestamptz(default=None, null=False)

    noticing_two_rows = Check("id IN (1, 2)")


class NoticeFaultTable(Table, db=DB, tablename="notice_fault"):
    """A kind that failed at an event, or, without one, in time: tried again, then given up.

    Nothing that should have been noticed is lost without a row here that says so.
    """

    id = columns.UUID(primary_key=True)
    kind = columns.Varchar(length=60, default=None, null=False)
    event = columns.UUID(default=None, null=True)
    state = columns.Varchar(length=10, default=None, null=False)
    attempts = columns.Integer(default=None, null=False)
    retry_at = columns.Timestamptz(default=None, null=False)
    last_error = columns.Varchar(length=300, default=None, null=False)
    noted_at = columns.Timestamptz(default=None, null=False)

    notice_fault_state_known = Check("state IN ('waiting', 'mended', 'given_up')")
