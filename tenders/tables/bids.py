"""Tables of sealed bids and of their opening; row-level security hides them until then."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.lots import LotTable
from tenders.tables.tenders import TenderTable


class BidTable(Table, db=DB, tablename="bid"):
    """That an organisation bids for a lot: who and where, no content. Variant 0 is its main bid."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    variant = columns.Integer(default=0, null=False)
    made_at = columns.Timestamptz(default=None, null=False)

    bid_one_per_lot = Unique(["lot", "organisation", "variant"])
    bid_variant_numbered = Check("variant BETWEEN 0 AND 20")


class BidVersionTable(Table, db=DB, tablename="bid_version"):
    """One submission or withdrawal of a bid; the last one before the deadline is what stands."""

    id = columns.UUID(primary_key=True)
    bid = columns.ForeignKey(BidTable, default=None, null=False, on_delete=OnDelete.restrict)
    number = columns.Integer(default=None, null=False)
    act = columns.Varchar(length=10, default=None, null=False)
    made_by = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    received_at = columns.Timestamptz(default=None, null=False)
    quality_commitment = columns.Bytea(default=None, null=True)
    price_commitment = columns.Bytea(default=None, null=True)
    requirement = columns.Integer(default=None, null=False)
    amendment = columns.Integer(default=None, null=False)

    bid_version_once = Unique(["bid", "number"])
    bid_version_number_positive = Check("number > 0")
    bid_version_act_known = Check("act IN ('submitted', 'withdrawn')")
    bid_version_committed = Check(
        "(act = 'submitted') = (quality_commitment IS NOT NULL AND price_commitment IS NOT NULL)"
    )


class BidParticipantTable(Table, db=DB, tablename="bid_participant"):
    """Who takes part in a version of a bid beside its lead, named so that conflicts are found."""

    id = columns.UUID(primary_key=True)
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    role = columns.Varchar(length=20, default=None, null=False)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    name = columns.Varchar(length=300, default=None, null=False)
    scheme = columns.Varchar(length=20, default=None, null=True)
    identifier = columns.Varchar(length=40, default=None, null=True)
    share = columns.Numeric(digits=(5, 2), default=None, null=True)
    exclusion_grounds = columns.Varchar(length=20, default=None, null=False)
    details = columns.Text(default=None, null=False)
    consents = columns.Boolean(default=None, null=False)

    bid_participant_role_known = Check("role IN ('consortium_member', 'subcontractor')")
    bid_participant_identified_whole = Check("(scheme IS NULL) = (identifier IS NULL)")
    bid_participant_share = Check(
        "(role = 'subcontractor') = (share IS NOT NULL) AND (share IS NULL OR share > 0 AND"
        " share <= 100)"
    )
    bid_participant_declared = Check(
        "exclusion_grounds IN ('no_grounds', 'grounds_disclosed')"
        " AND (exclusion_grounds = 'grounds_disclosed') = (details ~ '\\S') AND consents"
    )


class EnvelopeTable(Table, db=DB, tablename="envelope"):
    """A sealed envelope: ciphertext to the lot's key for this kind of envelope."""

    id = columns.UUID(primary_key=True)
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    kind = columns.Varchar(length=10, default=None, null=False)
    sealed = columns.Bytea(default=None, null=False)

    envelope_once = Unique(["bid_version", "kind"])
    envelope_kind_known = Check("kind IN ('quality', 'price')")


class ReceiptTable(Table, db=DB, tablename="bid_receipt"):
    """The signed receipt of a submission or withdrawal, kept so that a retry gets the same one."""

    id = columns.UUID(primary_key=True)
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    signed = columns.JSONB(default=None, null=False)


class ManifestEntryTable(Table, db=DB, tablename="manifest_entry"):
    """A bid that stood at the deadline, with its shuffled pseudonym and what was sealed then.

    The database copies the variant from the bid: those who score read it, and not whose bid it is.
    """

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    bid = columns.ForeignKey(
        BidTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    bid_version = columns.ForeignKey(
        BidVersionTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    pseudonym = columns.Varchar(length=20, default=None, null=False)
    variant = columns.Integer(default=0, null=False)
    quality_digest = columns.Bytea(default=None, null=False)
    price_digest = columns.Bytea(default=None, null=False)

    manifest_entry_pseudonym_once = Unique(["lot", "pseudonym"])


class DeclarationTable(Table, db=DB, tablename="declaration"):
    """What one person said about their interest in one bidder of a tender."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    bidder = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    interest = columns.Varchar(length=40, default=None, null=False)
    details = columns.Text(default=None, null=False)
    declared_at = columns.Timestamptz(default=None, null=False)

    declaration_interest_known = Check(
        "interest IN ('none', 'financial', 'non_financial_professional',"
        " 'non_financial_personal', 'indirect')"
    )
    declaration_interest_described = Check("interest = 'none' OR details ~ '\\S'")


class OpeningConfirmationTable(Table, db=DB, tablename="opening_confirmation"):
    """One opener's confirmation that the bids may be opened; two different people are needed."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    person = columns.ForeignKey(PersonTable, default=None, null=False, on_delete=OnDelete.restrict)
    confirmed_at = columns.Timestamptz(default=None, null=False)

    opening_confirmation_once = Unique(["tender", "person"])


class OpenedEnvelopeTable(Table, db=DB, tablename="opened_envelope"):
    """What was found in an envelope when it was opened, or that it did not open."""

    id = columns.UUID(primary_key=True)
    envelope = columns.ForeignKey(
        EnvelopeTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    bid = columns.ForeignKey(BidTable, default=None, null=False, on_delete=OnDelete.restrict)
    kind = columns.Varchar(length=10, default=None, null=False)
    content = columns.JSONB(default=None, null=True)
    failure = columns.Varchar(length=200, default=None, null=True)
    opened_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    opened_at = columns.Timestamptz(default=None, null=False)

    opened_envelope_once = Unique(["bid", "kind"])
    opened_envelope_content_or_failure = Check("(content IS NULL) <> (failure IS NULL)")
