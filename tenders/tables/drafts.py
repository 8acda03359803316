"""Tables of drafts of bids: encrypted, their supplier's alone, and gone without a trace."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.lots import LotTable


class DraftKeyTable(Table, db=DB, tablename="draft_key"):
    """The key that an organisation's drafts are encrypted under, wrapped by the custodian.

    `saves` counts what was ever saved under it, and numbers the versions of drafts.
    """

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    wrapped = columns.Bytea(default=None, null=False)
    saves = columns.Integer(default=0, null=False)

    draft_key_once = Unique(["organisation"])


class BidDraftTable(Table, db=DB, tablename="bid_draft"):
    """A draft as it was saved last. A row that is submitted or discarded is removed."""

    id = columns.UUID(primary_key=True)
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    variant = columns.Integer(default=0, null=False)
    version = columns.Integer(default=None, null=False)
    sealed = columns.Bytea(default=None, null=False)
    saved_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    saved_at = columns.Timestamptz(default=None, null=False)

    bid_draft_once = Unique(["lot", "organisation", "variant"])
