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
    serial = columns.BigInt(default=None, null=False)  # an identity: see market_guards.sql
    action = columns.Varchar(length=80, default=None, null=False)
    person = columns.UUID(default=None, null=True)
    organisation = columns.UUID(default=None, null=True)
    subject_kind = columns.Varchar(length=40, default=None, null=False)
    subject = columns.UUID(default=None, null=False, index=True)
    tender = columns.UUID(default=None, null=True)
    request = columns.Varchar(length=64, default=None, null=False)
    details = columns.JSONB(default=None, null=False)
    before_digest = columns.Bytea(default=None, null=True)
    after_digest = columns.Bytea(default=None, null=True)
    private_digest = columns.Bytea(default=None, null=True)

    event_action_form = Check("action ~ '^[a-z_]+\\.[a-z_]+$'")


class EventPrivateTable(Table, db=DB, tablename="event_private"):
    """What of an event names people or is free text, and the salt of its digests.

    Apart from the event, which keeps salted digests alone, so that it can be erased by law while
    the log stays whole.
    """

    event = columns.UUID(primary_key=True, default=None)
    salt = columns.Bytea(default=None, null=False)
    details = columns.JSONB(default=None, null=True)


class EventPositionTable(Table, db=DB, tablename="event_position"):
    """Where a committed event stands in the market and in its tender, as the sequencer found it."""

    position = columns.BigInt(primary_key=True, default=None)
    event = columns.UUID(default=None, null=False, unique=True)
    tender = columns.UUID(default=None, null=True)
    tender_number = columns.BigInt(default=None, null=True)
    numbered_at = columns.Timestamptz(default=None, null=False)


class SequencerTable(Table, db=DB, tablename="sequencer"):
    """How far the numbering has come: one row, held by the one process that numbers."""

    id = columns.SmallInt(primary_key=True, default=None)
    position = columns.BigInt(default=None, null=False)
    snapshot = columns.Text(default=None, null=True)
    passed_at = columns.Timestamptz(default=None, null=False)

    sequencer_one_row = Check("id = 1")


class TenderHeadTable(Table, db=DB, tablename="tender_head"):
    """The last event of each tender: its number in the tender and its position in the market."""

    tender = columns.UUID(primary_key=True, default=None)
    number = columns.BigInt(default=None, null=False)
    position = columns.BigInt(default=None, null=False)


class PublicActionTable(Table, db=DB, tablename="public_action"):
    """Which acts everybody sees in the feed, and which of their details: written by migrations."""

    action = columns.Varchar(length=80, primary_key=True, default=None)
    details = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    of_published_tender = columns.Boolean(default=None, null=False)


class ColleagueActionTable(Table, db=DB, tablename="colleague_action"):
    """Which acts of colleagues one sees, and in which roles: written by migrations."""

    action = columns.Varchar(length=80, primary_key=True, default=None)
    roles = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    in_tender = columns.Boolean(default=None, null=False)
