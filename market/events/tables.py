"""Tables of the event log: append-only by grant and by trigger."""

from piccolo import columns
from piccolo.constraints import Check
from piccolo.table import Table

from market.database import DB


class EventTable(Table, db=DB, tablename="event"):
    """One act. Rows never change; positions in the log are kept apart from them."""

    id = columns.UUID(primary_key=True)
    transaction = columns.BigInt(default=None, null=False, index=True)
    occurred_at = columns.Timestamptz(default=None, null=False)
    recorded_at = columns.Timestamptz(default=None, null=False)
    action = columns.Varchar(length=80, default=None, null=False)
    person = columns.UUID(default=None, null=True)
    organisation = columns.UUID(default=None, null=True)
    subject_kind = columns.Varchar(length=40, default=None, null=False)
    subject = columns.UUID(default=None, null=False, index=True)
    tender = columns.UUID(default=None, null=True, index=True)
    request = columns.Varchar(length=64, default=None, null=False)
    details = columns.JSONB(default=None, null=False)
    before_digest = columns.Bytea(default=None, null=True)
    after_digest = columns.Bytea(default=None, null=True)

    event_action_form = Check("action ~ '^[a-z_]+\\.[a-z_]+$'")


class EventSaltTable(Table, db=DB, tablename="event_salt"):
    """The salt of an event's digests, apart from the event so that it can be erased."""

    event = columns.UUID(primary_key=True, default=None)
    salt = columns.Bytea(default=None, null=False)
