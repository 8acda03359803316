"""Tables the database fills at publication from the approved requirement, and nobody edits."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import ServiceLineTable
from tenders.tables.tenders import TenderTable


class LotTable(Table, db=DB, tablename="lot"):
    """One lot of a published tender; its stage after the opening is the evaluation's."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    number = columns.Integer(default=None, null=False)
    title = columns.Varchar(length=200, default=None, null=False)
    minimum_quality = columns.Numeric(default=None, null=False)
    quality_weight = columns.Numeric(default=None, null=False)
    price_weight = columns.Numeric(default=None, null=False)
    evaluators_minimum = columns.Integer(default=None, null=False)
    approval_quorum = columns.Integer(default=None, null=False)
    estimated_annual_value = columns.Numeric(default=None, null=False)
    stage = columns.Varchar(length=20, default=None, null=False)
    version = columns.Integer(default=None, null=False)
    abandoned_because = columns.Text(default=None, null=True)

    lot_once = Unique(["tender", "number"])
    lot_weights_are_hundred = Check("quality_weight + price_weight = 100")
    # no weight for price where the price is fixed
    lot_weights_positive = Check("quality_weight > 0 AND price_weight >= 0")
    lot_value_positive = Check("estimated_annual_value > 0")
    lot_minimum_is_percentage = Check("minimum_quality BETWEEN 0 AND 100")
    lot_abandoned_with_reason = Check(
        "(stage = 'abandoned') = (abandoned_because IS NOT NULL AND abandoned_because ~ '\\S')"
    )
    lot_stage_known = Check(
        "stage IN ('bidding', 'quality_scoring', 'quality_locked', 'price_opened', 'ranked',"
        " 'recommended', 'awarded', 'notified', 'contracted', 'abandoned')"
    )


class LotTransitionTable(Table, db=DB, tablename="lot_transition"):
    """A lawful move between stages of a lot: data the guard reads, equal to the rules' map."""

    id = columns.UUID(primary_key=True)
    earlier = columns.Varchar(length=20, default=None, null=False)
    later = columns.Varchar(length=20, default=None, null=False)

    lot_transition_once = Unique(["earlier", "later"])


class LotServiceLineTable(Table, db=DB, tablename="lot_service_line"):
    """A service line that a published lot asks for."""

    id = columns.UUID(primary_key=True)
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    service_line = columns.ForeignKey(
        ServiceLineTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )

    lot_service_line_once = Unique(["lot", "service_line"])


class CriterionTable(Table, db=DB, tablename="criterion"):
    """A quality criterion that is scored: a leaf of the published tree, its weight in points.

    One that is passed or failed weighs nothing; `minimum` is the value of the scale to be reached.
    """

    id = columns.UUID(primary_key=True)
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    code = columns.Varchar(length=20, default=None, null=False)
    title = columns.Varchar(length=200, default=None, null=False)
    weight = columns.Numeric(default=None, null=False)
    pass_fail = columns.Boolean(default=None, null=False)
    minimum = columns.Numeric(default=None, null=True)

    criterion_once = Unique(["lot", "code"])
    criterion_weight_positive = Check("CASE WHEN pass_fail THEN weight = 0 ELSE weight > 0 END")
    criterion_passed_or_scored = Check("NOT pass_fail OR minimum IS NULL")


class ScaleValueTable(Table, db=DB, tablename="scale_value"):
    """A value that may be given as a score in a tender; no other value can be stored."""

    id = columns.UUID(primary_key=True)
    tender = columns.ForeignKey(TenderTable, default=None, null=False, on_delete=OnDelete.restrict)
    value = columns.Numeric(default=None, null=False)
    title = columns.Varchar(length=200, default=None, null=False)

    scale_value_once = Unique(["tender", "value"])
    scale_value_not_negative = Check("value >= 0")


class TenderKeyTable(Table, db=DB, tablename="tender_key"):
    """The key pair to which one kind of envelope of one lot is sealed; private half wrapped.

    Where officers keep it, the server has no private half (`officer_share`). The canary is random
    bytes sealed to the key like a bid, to rehearse with.
    """

    id = columns.UUID(primary_key=True)
    lot = columns.ForeignKey(LotTable, default=None, null=False, on_delete=OnDelete.restrict)
    envelope = columns.Varchar(length=10, default=None, null=False)
    custodian = columns.Varchar(length=10, default=None, null=False)
    public_key = columns.Bytea(default=None, null=False)
    wrapped_key = columns.Bytea(default=None, null=True, secret=True)
    canary = columns.Bytea(default=None, null=False)
    canary_digest = columns.Bytea(default=None, null=False)

    tender_key_once = Unique(["lot", "envelope"])
    tender_key_kept_once = Check("(custodian = 'server') = (wrapped_key IS NOT NULL)")
    tender_key_envelope_known = Check("envelope IN ('quality', 'price')")
    tender_key_custodian_known = Check("custodian IN ('server', 'officers')")
