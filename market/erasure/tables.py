"""Tables of erasure and of legal holds; only the role that migrates touches them."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.people.tables import PersonTable


class LegalHoldTable(Table, db=DB, tablename="legal_hold"):
    """That nothing about a person may be erased, and why, until it is released."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    because = columns.Text(default=None, null=False)
    placed_at = columns.Timestamptz(default=None, null=False)
    released_at = columns.Timestamptz(default=None, null=True)
    released_because = columns.Text(default=None, null=True)

    legal_hold_has_reason = Check("because ~ '\\S' AND released_because ~ '\\S'")


class PersonErasureTable(Table, db=DB, tablename="person_erasure"):
    """That a person was erased, when and why; in its own transaction it opens the guards."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    because = columns.Text(default=None, null=False)
    erased_at = columns.Timestamptz(default=None, null=False)
    transaction = columns.BigInt(default=None, null=False, index=True)

    person_erased_once = Unique(["person"])
    person_erasure_has_reason = Check("because ~ '\\S'")


class ErasableTable(Table, db=DB, tablename="erasable"):
    """Which words of which table are erased with a person; written by migrations."""

    name = columns.Varchar(length=63, primary_key=True, default=None)
    about = columns.Text(default=None, null=False)
    words = columns.Array(base_column=columns.Text(), default=None, null=False)


class EventAboutTable(Table, db=DB, tablename="event_about"):
    """Whom the private part of an event is about, by action; written by migrations."""

    id = columns.UUID(primary_key=True)
    action = columns.Varchar(length=80, default=None, null=False)
    subject_kind = columns.Varchar(length=40, default=None, null=False)
    whose = columns.Varchar(length=20, default=None, null=False)

    event_about_once = Unique(["action", "subject_kind"])
    event_about_whose_known = Check("whose IN ('actor', 'subject', 'interest', 'gift', 'breach')")
