"""Tables of the ground itself: what this database is, its clock, and answered requests."""

from piccolo import columns
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB


class Installation(Table, db=DB, tablename="installation"):
    """What this database is for: one row, written at initialisation, never changed."""

    id = columns.SmallInt(primary_key=True, default=1)
    kind = columns.Varchar(length=20, default=None, null=False)
    name = columns.Varchar(length=200, default=None, null=False)
    initialised_at = columns.Timestamptz(default=None, null=False)

    installation_single_row = Check("id = 1")
    installation_kind_known = Check("kind IN ('sandbox', 'production')")


class MarketClock(Table, db=DB, tablename="market_clock"):
    """How far a sandbox's clock is ahead of the real one: one row, zero in production."""

    id = columns.SmallInt(primary_key=True, default=1)
    shift = columns.Interval(default=None, null=False)

    market_clock_single_row = Check("id = 1")


class IdempotencyKey(Table, db=DB, tablename="idempotency_key"):
    """An answered request, kept in the transaction of the change it answered for.

    Of the key there is only a digest, and the body's digest is keyed by the key itself: somebody
    who reads the database cannot try out what a sealed bid said.
    """

    id = columns.UUID(primary_key=True)
    person = columns.UUID(default=None, null=False)
    key_digest = columns.Bytea(default=None, null=False)
    operation = columns.Varchar(length=300, default=None, null=False)
    body_digest = columns.Bytea(default=None, null=False)
    answer = columns.Bytea(default=None, null=False)
    answered_at = columns.Timestamptz(default=None, null=False)

    idempotency_key_once = Unique(["person", "key_digest"])
