"""Tables of bid documents: uploaded in parts, sealed, listed by bids, opened with these."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.bids import BidTable, BidVersionTable
from tenders.tables.lots import LotTable
from tenders.tables.tenders import TenderTable


class BidDocumentTable(Table, db=DB, tablename="bid_document"):
    """A document for an envelope of a bid: how far it has come, and how large it is to be.

    What it is called and its digest are in `kept`, wrapped by the custodian.
    """

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    kind = columns.Varchar(length=10, default=None, null=False)
    sealed_by = columns.Varchar(length=10, default=None, null=False)
    size = columns.BigInt(default=None, null=False)
    received = columns.BigInt(default=0, null=False)
    parts = columns.Integer(default=0, null=False)
    attempt = columns.Integer(default=1, null=False)
    kept = columns.Bytea(default=None, null=True)
    begun_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    begun_at = columns.Timestamptz(default=None, null=False)
    completed_at = columns.Timestamptz(default=None, null=True)
    removed_at = columns.Timestamptz(default=None, null=True)

    bid_document_kind_known = Check("kind IN ('quality', 'price')")
    bid_document_sealer_known = Check("sealed_by IN ('market', 'supplier')")
    bid_document_size_bounded = Check("size BETWEEN 1 AND 2147483648")
    bid_document_received_fits = Check("received BETWEEN 0 AND size")
    bid_document_complete_whole = Check(
        "completed_at IS NULL OR removed_at IS NOT NULL OR (received = size AND kept IS NOT NULL)"
    )
    bid_document_removed_whole = Check("removed_at IS NULL OR kept IS NULL")


class DocumentKeyTable(Table, db=DB, tablename="document_key"):
    """The key of a document, wrapped by the custodian, from its beginning until a bid lists it.

    Then it is in the envelope of that bid alone. Of what its supplier sealed there is none.
    """

    id = columns.UUID(primary_key=True)
    document = columns.ForeignKey(
        BidDocumentTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    wrapped = columns.Bytea(default=None, null=False)


class BidDocumentPartTable(Table, db=DB, tablename="bid_document_part"):
    """A stored object with the next bytes of a document, sealed; gone when the document is."""

    id = columns.UUID(primary_key=True)
    document = columns.ForeignKey(
        BidDocumentTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    number = columns.Integer(default=None, null=False)
    starts_at = columns.BigInt(default=None, null=False)
    length = columns.Integer(default=None, null=False)
    object = columns.Varchar(length=100, default=None, null=False, unique=True)

    bid_document_part_once = Unique(["document", "number"])
    bid_document_part_not_empty = Check("length > 0")


class ListedDocumentTable(Table, db=DB, tablename="listed_document"):
    """That a version of a bid lists a document in one of its envelopes."""

    id = columns.UUID(primary_key=True)
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    document = columns.ForeignKey(
        BidDocumentTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )

    listed_document_once = Unique(["bid_version", "document"])


class OpenedDocumentTable(Table, db=DB, tablename="opened_document"):
    """The key of a document whose envelope was opened, or why there is none; then what it proved.

    `kept_key` is wrapped by the custodian. `checked_at` says that the whole document was looked
    through since: its digest, its kind and, where one is set, the scanner.
    """

    id = columns.UUID(primary_key=True)
    document = columns.ForeignKey(
        BidDocumentTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    bid = columns.ForeignKey(
        BidTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    kind = columns.Varchar(length=10, default=None, null=False)
    kept_key = columns.Bytea(default=None, null=True)
    failure = columns.Varchar(length=200, default=None, null=True)
    opened_at = columns.Timestamptz(default=None, null=False)
    checked_at = columns.Timestamptz(default=None, null=True)

    opened_document_kind_known = Check("kind IN ('quality', 'price')")
    opened_document_key_or_failure = Check("kept_key IS NOT NULL OR failure IS NOT NULL")
