"""Tables of what changes a published tender, and of bids confirmed after that."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.people.tables import PersonTable
from tenders.tables.bids import BidTable, BidVersionTable
from tenders.tables.tenders import TenderTable


class AmendmentTable(Table, db=DB, tablename="amendment"):
    """One numbered change of a published tender: what it was before, and what it is from then on.

    The requirement and the deadline of a published tender change by such a row and nothing else.
    """

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    number = columns.Integer(default=None, null=False)
    summary = columns.Varchar(length=200, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    material = columns.Boolean(default=None, null=False)
    requirement_before = columns.Integer(default=None, null=False)
    requirement_after = columns.Integer(default=None, null=False)
    deadline_before = columns.Timestamptz(default=None, null=False)
    deadline_after = columns.Timestamptz(default=None, null=False)
    published_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    published_at = columns.Timestamptz(default=None, null=False)

    amendment_once = Unique(["tender", "number"])
    amendment_has_summary = Check("summary ~ '\\S'")
    amendment_has_reason = Check("reason ~ '\\S'")


class BidConfirmationTable(Table, db=DB, tablename="bid_confirmation"):
    """That a version of a bid stands as it is after a material amendment."""

    id = columns.UUID(primary_key=True)
    bid = columns.ForeignKey(
        BidTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    amendment = columns.Integer(default=None, null=False)
    made_by = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    confirmed_at = columns.Timestamptz(default=None, null=False)

    bid_confirmation_once = Unique(["bid_version", "amendment"])


class ConfirmationReceiptTable(Table, db=DB, tablename="confirmation_receipt"):
    """The signed receipt of a confirmation."""

    id = columns.UUID(primary_key=True)
    confirmation = columns.ForeignKey(
        BidConfirmationTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    signed = columns.JSONB(default=None, null=False)
