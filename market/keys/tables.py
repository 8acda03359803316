"""Tables of the market's own keys: what may still be wrapped, what has signed, what was done."""

from piccolo import columns
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB


class WrappedColumnTable(Table, db=DB, tablename="wrapped_column"):
    """Which column of which table holds what is wrapped; written by migrations."""

    name = columns.Varchar(length=63, primary_key=True, default=None)
    wrapped = columns.Varchar(length=63, default=None, null=False)


class RetiredWrappingKeyTable(Table, db=DB, tablename="retired_wrapping_key"):
    """A key-encryption key under which nothing may be wrapped any more; its id, never the key."""

    id = columns.UUID(primary_key=True)
    key_id = columns.Varchar(length=255, default=None, null=False)
    retired_at = columns.Timestamptz(default=None, null=False)

    retired_wrapping_key_once = Unique(["key_id"])


class SigningKeyTable(Table, db=DB, tablename="signing_key"):
    """A public key that the market signs with or signed with, from when on."""

    id = columns.UUID(primary_key=True)
    public_key = columns.Bytea(default=None, null=False)
    began_at = columns.Timestamptz(default=None, null=False)

    signing_key_once = Unique(["public_key"])
    signing_key_length = Check("octet_length(public_key) = 32")


class KeyActTable(Table, db=DB, tablename="key_act"):
    """That the keys were backed up or rehearsed, and what came of it."""

    id = columns.UUID(primary_key=True)
    act = columns.Varchar(length=20, default=None, null=False)
    keys = columns.Integer(default=None, null=False)
    failed = columns.Integer(default=None, null=False)
    done_at = columns.Timestamptz(default=None, null=False)

    key_act_known = Check("act IN ('backup', 'rehearsal')")
    key_act_counts = Check("failed >= 0 AND keys >= failed")
