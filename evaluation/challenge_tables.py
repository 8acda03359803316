"""Tables of challenges: of an award, how each ended, later rounds, and what was disclosed."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from evaluation.tables import AwardTable, row_of
from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.lots import LotTable


class LotChallengeTable(Table, db=DB, tablename="lot_challenge"):
    """A bidder challenges the award of a lot; `reference` is of one received outside the market."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    number = columns.Integer(default=None, null=False)
    award = row_of(AwardTable)
    challenger = row_of(OrganisationTable, index=True)
    grounds = columns.Text(default=None, null=False)
    reference = columns.Varchar(length=120, default=None, null=True)
    received_at = columns.Timestamptz(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    lot_challenge_once = Unique(["lot", "number"])
    lot_challenge_has_grounds = Check("length(btrim(grounds)) >= 20")
    lot_challenge_reference_says = Check("reference ~ '\\S'")


class ChallengeEndTable(Table, db=DB, tablename="challenge_end"):
    """How a challenge ended: decided with reasons, or withdrawn by who made it."""

    id = columns.UUID(primary_key=True)
    challenge = row_of(LotChallengeTable, unique=True)
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    ended_by = row_of(PersonTable)
    ended_at = columns.Timestamptz(default=None, null=False)

    challenge_end_outcome_known = Check(
        "outcome IN ('withdrawn', 'rejected', 'upheld_reevaluate', 'upheld_abandon')"
    )
    challenge_end_has_reason = Check("length(btrim(reason)) >= 20")


class LotRoundTable(Table, db=DB, tablename="lot_round"):
    """A lot is evaluated anew as a challenge was decided: its second round, and what follow.

    Rows of scores, decisions and rankings say of which round they are; a first round has no row.
    """

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    number = columns.Integer(default=None, null=False)
    challenge = row_of(LotChallengeTable, unique=True)
    begun_by = row_of(PersonTable)
    begun_at = columns.Timestamptz(default=None, null=False)

    lot_round_once = Unique(["lot", "number"])


class DisclosureBundleTable(Table, db=DB, tablename="disclosure_bundle"):
    """What of a lot's record was disclosed, to whom and why: the very bytes, and their digest."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    number = columns.Integer(default=None, null=False)
    recipient = columns.Varchar(length=10, default=None, null=False)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    addressee = columns.Varchar(length=200, default=None, null=True)
    evaluators = columns.Varchar(length=10, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    redactions = columns.Integer(default=None, null=False)
    proofs = columns.Integer(default=None, null=False)
    content = columns.Bytea(default=None, null=False)
    digest = columns.Bytea(default=None, null=False)
    disclosed_by = row_of(PersonTable)
    disclosed_at = columns.Timestamptz(default=None, null=False)

    disclosure_bundle_once = Unique(["lot", "number"])
    disclosure_bundle_recipient_known = Check("recipient IN ('bidder', 'court')")
    disclosure_bundle_addressed = Check(
        "(recipient = 'bidder') = (organisation IS NOT NULL)"
        " AND (recipient = 'bidder') = (addressee IS NULL)"
    )
    disclosure_bundle_evaluators_known = Check("evaluators IN ('named', 'pseudonyms')")
    disclosure_bundle_has_reason = Check("length(btrim(reason)) >= 20")
    disclosure_bundle_digest_matches = Check("digest = sha256(content)")
    disclosure_bundle_limited = Check("octet_length(content) <= 33554432")
