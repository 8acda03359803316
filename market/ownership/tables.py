"""Tables of parties, what identifies them, the statements about them, and the links between."""

from typing import Any

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.people.tables import PersonTable


class OwnershipTurnTable(Table, db=DB, tablename="ownership_turn"):
    """One row, locked by whoever changes what is known of ownership: they take turns."""

    id = columns.SmallInt(primary_key=True, default=1)

    ownership_turn_single_row = Check("id = 1")


class OwnershipImportTable(Table, db=DB, tablename="ownership_import"):
    """One file of statements, imported whole. Imported by nobody: by the command line."""

    id = columns.UUID(primary_key=True)
    source = columns.Varchar(length=300, default=None, null=False)
    content_digest = columns.Bytea(default=None, null=False)
    statements = columns.Integer(default=None, null=False)
    added = columns.Integer(default=None, null=False)
    parties = columns.Integer(default=None, null=False)
    links = columns.Integer(default=None, null=False)
    silent = columns.Integer(default=None, null=False)
    unresolved = columns.Integer(default=None, null=False)
    imported_by = columns.ForeignKey(
        PersonTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    imported_at = columns.Timestamptz(default=None, null=False)
    transaction = columns.BigInt(default=None, null=False)


class OwnershipPartyTable(Table, db=DB, tablename="ownership_party"):
    """One node: an entity, a person, or somebody who is only referred to.

    What turns out to be another party is merged into it: its row stays and says so.
    """

    id = columns.UUID(primary_key=True)
    kind = columns.Varchar(length=10, default=None, null=False)
    name = columns.Varchar(length=500, default=None, null=False)
    named_on = columns.Date(default=None, null=True)
    merged_into: columns.ForeignKey[Any] = columns.ForeignKey(
        "self", default=None, null=True, on_delete=OnDelete.restrict, index=True
    )
    recorded_at = columns.Timestamptz(default=None, null=False)

    ownership_party_kind_known = Check("kind IN ('entity', 'person', 'unknown')")
    ownership_party_has_name = Check("name ~ '\\S'")


class OwnershipIdentifierTable(Table, db=DB, tablename="ownership_identifier"):
    """An identifier of a party, as its register writes it; parties that share one are one party."""

    id = columns.UUID(primary_key=True)
    party = columns.ForeignKey(
        OwnershipPartyTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    scheme = columns.Varchar(length=100, default=None, null=False)
    identifier = columns.Varchar(length=200, default=None, null=False)

    ownership_identifier_once = Unique(["scheme", "identifier"])


class OwnershipReferenceTable(Table, db=DB, tablename="ownership_reference"):
    """What a publisher's statements call a party; a scope is what the reference is unique in."""

    id = columns.UUID(primary_key=True)
    party = columns.ForeignKey(
        OwnershipPartyTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    scope = columns.Varchar(length=300, default=None, null=False)
    reference = columns.Varchar(length=300, default=None, null=False)

    ownership_reference_once = Unique(["scope", "reference"])


class OwnershipStatementTable(Table, db=DB, tablename="ownership_statement"):
    """A statement as it was published, whole, with what finds it again."""

    id = columns.UUID(primary_key=True)
    imported_in = columns.ForeignKey(
        OwnershipImportTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    statement = columns.Varchar(length=64, default=None, null=False)
    version = columns.Varchar(length=3, default=None, null=False)
    kind = columns.Varchar(length=12, default=None, null=False)
    scope = columns.Varchar(length=300, default=None, null=False)
    record = columns.Varchar(length=300, default=None, null=False)
    dated = columns.Date(default=None, null=True)
    digest = columns.Bytea(default=None, null=False)
    content = columns.JSONB(default=None, null=False)

    ownership_statement_once = Unique(["statement"])
    ownership_statement_kind_known = Check("kind IN ('entity', 'person', 'relationship')")


class OwnershipReplacementTable(Table, db=DB, tablename="ownership_replacement"):
    """A statement says that it stands in the place of another, which may never have been seen."""

    id = columns.UUID(primary_key=True)
    statement = columns.ForeignKey(
        OwnershipStatementTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    replaces = columns.Varchar(length=64, default=None, null=False, index=True)


class OwnershipLinkTable(Table, db=DB, tablename="ownership_link"):
    """The holder owns, controls or directs the subject. Shares are percentages, from and to.

    Out of a statement, or stated by the registrar with a source. `summary`: its component
    records say the same again, step by step. Superseded: its statement was replaced.
    """

    id = columns.UUID(primary_key=True)
    holder = columns.ForeignKey(
        OwnershipPartyTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    subject = columns.ForeignKey(
        OwnershipPartyTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    kind = columns.Varchar(length=40, default=None, null=False)
    share_minimum = columns.Numeric(default=None, null=True)
    share_maximum = columns.Numeric(default=None, null=True)
    majority = columns.Boolean(default=None, null=False)
    indirect = columns.Boolean(default=None, null=False)
    summary = columns.Boolean(default=None, null=False)
    starts_on = columns.Date(default=None, null=True)
    ends_on = columns.Date(default=None, null=True)
    statement = columns.ForeignKey(
        OwnershipStatementTable, default=None, null=True, on_delete=OnDelete.restrict, index=True
    )
    source = columns.Varchar(length=300, default=None, null=True)
    stated_by = columns.ForeignKey(
        PersonTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    recorded_at = columns.Timestamptz(default=None, null=False)
    superseded_at = columns.Timestamptz(default=None, null=True)
    superseded_by = columns.ForeignKey(
        OwnershipStatementTable, default=None, null=True, on_delete=OnDelete.restrict
    )

    ownership_link_not_of_itself = Check("holder <> subject")
    ownership_link_share_possible = Check(
        "(share_minimum IS NULL) = (share_maximum IS NULL)"
        " AND share_minimum >= 0 AND share_minimum <= share_maximum AND share_maximum <= 100"
    )
    ownership_link_ends_after_start = Check("ends_on >= starts_on")
    ownership_link_has_source = Check(
        "(statement IS NULL) = (source IS NOT NULL)"
        " AND (statement IS NULL) = (stated_by IS NOT NULL)"
    )


class OwnershipPersonTable(Table, db=DB, tablename="ownership_person"):
    """A person of the market is this party: stated by somebody with a reason, never by name."""

    id = columns.UUID(primary_key=True)
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    party = columns.ForeignKey(
        OwnershipPartyTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    reason = columns.Varchar(length=1000, default=None, null=False)
    stated_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    stated_at = columns.Timestamptz(default=None, null=False)
    ended_at = columns.Timestamptz(default=None, null=True)

    ownership_person_has_reason = Check("reason ~ '\\S'")
