"""Tables of keys that officers keep: their public keys, shares, and what they released."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.people.tables import PersonTable
from tenders.tables.bids import EnvelopeTable
from tenders.tables.lots import TenderKeyTable
from tenders.tables.tenders import TenderTable


class OfficerKeyTable(Table, db=DB, tablename="officer_key"):
    """The public half of a key that a person keeps on their own machine; the latest one counts."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    public_key = columns.Bytea(default=None, null=False)
    registered_at = columns.Timestamptz(default=None, null=False)

    officer_key_once = Unique(["public_key"])
    officer_key_length = Check("octet_length(public_key) = 1216")


class OfficerCanaryTable(Table, db=DB, tablename="officer_canary"):
    """What the officers of a tender rehearse with: random bytes sealed to a key of no bid."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    public_key = columns.Bytea(default=None, null=False)
    canary = columns.Bytea(default=None, null=False)
    canary_digest = columns.Bytea(default=None, null=False)


class OfficerShareTable(Table, db=DB, tablename="officer_share"):
    """A private key for two officers, HPKE within HPKE; without a tender's key, the rehearsal's."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    tender_key = columns.ForeignKey(
        TenderKeyTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    outer_key = columns.ForeignKey(
        OfficerKeyTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    inner_key = columns.ForeignKey(
        OfficerKeyTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    sealed = columns.Bytea(default=None, null=False)

    officer_share_of_two = Check("outer_key <> inner_key")
    officer_share_length = Check("octet_length(sealed) = 2368")


class PassedShareTable(Table, db=DB, tablename="passed_share"):
    """A share whose outer layer its officer took off: the inner officer alone can read it."""

    id = columns.UUID(primary_key=True)
    share = columns.ForeignKey(
        OfficerShareTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    sealed = columns.Bytea(default=None, null=False)
    passed_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    passed_at = columns.Timestamptz(default=None, null=False)

    passed_share_once = Unique(["share"])
    passed_share_length = Check("octet_length(sealed) = 1232")


class ReleasedKeyTable(Table, db=DB, tablename="released_key"):
    """The content key of one envelope, wrapped; or that an officer found it not to open."""

    id = columns.UUID(primary_key=True)
    envelope = columns.ForeignKey(
        EnvelopeTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    wrapped_key = columns.Bytea(default=None, null=True, secret=True)
    passed_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    released_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    released_at = columns.Timestamptz(default=None, null=False)

    released_key_once = Unique(["envelope", "released_by"])


class KeyRehearsalTable(Table, db=DB, tablename="key_rehearsal"):
    """That two officers opened the canary of a tender together."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    passed_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    opened_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    canary = columns.Bytea(default=None, null=False)
    rehearsed_at = columns.Timestamptz(default=None, null=False)
