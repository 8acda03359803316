"""Tables of what happens about the deadline: the manifest, interruptions, proposals to extend."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.people.tables import PersonTable
from tenders.tables.amendments import AmendmentTable
from tenders.tables.tenders import TenderTable


class ManifestTable(Table, db=DB, tablename="manifest"):
    """That what stands in a tender was fixed, when, and the salted digest over all its bids."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(
        TenderTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    fixed_at = columns.Timestamptz(default=None, null=False)
    salt = columns.Bytea(default=None, null=False)
    digest = columns.Bytea(default=None, null=False)


class ServiceBeatTable(Table, db=DB, tablename="service_beat"):
    """One row: when an API process last said that it serves, by the real clock.

    `tolerated` is how many seconds of silence are no interruption.
    """

    id = columns.Integer(primary_key=True)
    beaten_at = columns.Timestamptz(default=None, null=True)
    tolerated = columns.Integer(default=None, null=False)

    service_beat_only_one = Check("id = 1")


class InterruptionTable(Table, db=DB, tablename="interruption"):
    """That no API process served for a while, in market time."""

    id = columns.UUID(primary_key=True)
    began_at = columns.Timestamptz(default=None, null=False)
    ended_at = columns.Timestamptz(default=None, null=False)

    interruption_lasts = Check("began_at < ended_at")


class ExtensionProposalTable(Table, db=DB, tablename="extension_proposal"):
    """That an interruption touched the last hour before a deadline: somebody is to decide."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    interruption = columns.ForeignKey(
        InterruptionTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    deadline = columns.Timestamptz(default=None, null=False)
    proposed_at = columns.Timestamptz(default=None, null=False)

    extension_proposed_once = Unique(["tender", "interruption"])


class ExtensionDecisionTable(Table, db=DB, tablename="extension_decision"):
    """What was decided about a proposal: an amendment that extends, or a reason why not."""

    id = columns.UUID(primary_key=True)
    proposal = columns.ForeignKey(
        ExtensionProposalTable, default=None, null=False, on_delete=OnDelete.restrict, unique=True
    )
    outcome = columns.Varchar(length=10, default=None, null=False)
    amendment = columns.ForeignKey(
        AmendmentTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    reason = columns.Text(default=None, null=False)
    decided_by = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict
    )
    decided_at = columns.Timestamptz(default=None, null=False)

    extension_decision_known = Check("outcome IN ('accepted', 'declined')")
    extension_decision_reasoned = Check("reason ~ '\\S'")
    extension_decision_effect = Check("(outcome = 'accepted') = (amendment IS NOT NULL)")
