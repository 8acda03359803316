"""Tables of the tamper-evident log: leaves, complete subtrees, signed checkpoints."""

from piccolo import columns
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB


class EventLeafTable(Table, db=DB, tablename="event_leaf"):
    """The hash of the event at a position: leaf number `position - 1` of the tree.

    With the two commitments that its header holds, so that whoever may know of an event without
    seeing it whole can be given the header.
    """

    position = columns.BigInt(primary_key=True, default=None)
    hash = columns.Bytea(default=None, null=False)
    content = columns.Bytea(default=None, null=False)
    number = columns.Bytea(default=None, null=False)

    event_leaf_hash_length = Check("length(hash) = 32")


class EventBlindingTable(Table, db=DB, tablename="event_blinding"):
    """The salt behind an event's commitments: who has it can check what the event says."""

    event = columns.UUID(primary_key=True, default=None)
    salt = columns.Bytea(default=None, null=False)

    event_blinding_salt_length = Check("length(salt) = 32")


class MerkleNodeTable(Table, db=DB, tablename="merkle_node"):
    """The hash of a complete subtree; its place is level * 2^48 + its number in the level.

    A subtree of level L holds 2^L leaves; leaves themselves are in `event_leaf`.
    """

    place = columns.BigInt(primary_key=True, default=None)
    hash = columns.Bytea(default=None, null=False)

    merkle_node_hash_length = Check("length(hash) = 32")
    merkle_node_above_leaves = Check("place >= 281474976710656")


class CheckpointTable(Table, db=DB, tablename="checkpoint"):
    """A signed statement of the whole log up to a size; `note` is what is handed out."""

    size = columns.BigInt(primary_key=True, default=None)
    origin = columns.Varchar(length=300, default=None, null=False)
    root = columns.Bytea(default=None, null=False)
    tenders = columns.BigInt(default=None, null=False)
    tenders_root = columns.Bytea(default=None, null=False)
    note = columns.Text(default=None, null=False)
    because = columns.Varchar(length=80, default=None, null=False)
    signed_at = columns.Timestamptz(default=None, null=False)


class LogRestartTable(Table, db=DB, tablename="log_restart"):
    """A declaration that the log goes on under a new origin; `note` is what is handed out.

    One for each former origin, all of them declared at once: the newest instant is the present
    origin's.
    """

    id = columns.UUID(primary_key=True)
    origin = columns.Varchar(length=300, default=None, null=False)
    former = columns.Varchar(length=300, default=None, null=False)
    kept = columns.BigInt(default=None, null=False)
    known = columns.BigInt(default=None, null=False)
    known_root = columns.Bytea(default=None, null=False)
    note = columns.Text(default=None, null=False)
    declared_at = columns.Timestamptz(default=None, null=False)

    log_restart_once = Unique(["origin", "former"])
    log_restart_another = Check("origin <> former")
    log_restart_not_negative = Check("kept >= 0 AND known >= 0")


class CheckpointStampTable(Table, db=DB, tablename="checkpoint_stamp"):
    """A time stamp of a checkpoint by an authority outside the house (RFC 3161)."""

    size = columns.BigInt(primary_key=True, default=None)
    authority = columns.Varchar(length=2000, default=None, null=False)
    token = columns.Bytea(default=None, null=False)
    stamped_at = columns.Timestamptz(default=None, null=False)


class LogKeeperTable(Table, db=DB, tablename="log_keeper"):
    """One row, held by the one process that hashes and signs at a moment."""

    id = columns.SmallInt(primary_key=True, default=None)
    passed_at = columns.Timestamptz(default=None, null=False)

    log_keeper_one_row = Check("id = 1")
