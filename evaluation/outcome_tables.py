"""Tables of what follows an award: buyers' decisions, KPIs, changes, milestones, reviews."""

from piccolo import columns
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from evaluation.tables import AwardTable, ContractTable, row_of
from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.lots import LotTable


class BuyerDecisionTable(Table, db=DB, tablename="buyer_decision"):
    """Whether a buyer of a joint purchase takes part in an award, decided by its own approver."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    award = row_of(AwardTable)
    buyer = row_of(OrganisationTable)
    takes_part = columns.Boolean(default=None, null=False)
    reason = columns.Text(default=None, null=False)
    decided_by = row_of(PersonTable)
    decided_at = columns.Timestamptz(default=None, null=False)

    buyer_decision_once = Unique(["award", "buyer"])
    buyer_decision_has_reason = Check("length(btrim(reason)) >= 20")


class KpiRuleTable(Table, db=DB, tablename="kpi_rule"):
    """How many indicators a contract of a rule set has, above which estimated value."""

    id = columns.UUID(primary_key=True)
    rule_set = columns.Varchar(length=60, default=None, null=False, unique=True)
    above = columns.Numeric(default=None, null=False)
    minimum = columns.Integer(default=None, null=False)


class ChangeRuleTable(Table, db=DB, tablename="change_rule"):
    """A ground on which a contract of a rule set may be changed, and how far; NULL is no limit."""

    id = columns.UUID(primary_key=True)
    rule_set = columns.Varchar(length=60, default=None, null=False)
    ground = columns.Varchar(length=40, default=None, null=False)
    value_percent = columns.Integer(default=None, null=True)
    increases_only = columns.Boolean(default=None, null=False)
    strictly_below = columns.Boolean(default=None, null=False)
    cumulative = columns.Boolean(default=None, null=False)
    term_percent = columns.Integer(default=None, null=True)

    change_rule_once = Unique(["rule_set", "ground"])


class KpiTable(Table, db=DB, tablename="kpi"):
    """A key performance indicator of the contracts of an award, set before there is one."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    award = row_of(AwardTable)
    number = columns.Integer(default=None, null=False)
    title = columns.Varchar(length=200, default=None, null=False)
    measure = columns.Text(default=None, null=False)
    unit = columns.Varchar(length=60, default=None, null=False)
    direction = columns.Varchar(length=10, default=None, null=False)
    target = columns.Numeric(default=None, null=False)
    baseline = columns.Numeric(default=None, null=True)
    set_by = row_of(PersonTable)
    set_at = columns.Timestamptz(default=None, null=False)

    kpi_once = Unique(["award", "number"])
    kpi_direction_known = Check("direction IN ('at_least', 'at_most')")
    kpi_says = Check("title ~ '\\S' AND measure ~ '\\S' AND unit ~ '\\S'")
    kpi_figures_finite = Check(
        "abs(target) < 'Infinity' AND (baseline IS NULL OR abs(baseline) < 'Infinity')"
    )


class KpiAssessmentTable(Table, db=DB, tablename="kpi_assessment"):
    """What was measured in a period; whether the target was met is computed."""

    id = columns.UUID(primary_key=True)
    kpi = row_of(KpiTable)
    period_from = columns.Date(default=None, null=False)
    period_to = columns.Date(default=None, null=False)
    value = columns.Numeric(default=None, null=False)
    met = columns.Boolean(default=None, null=False)
    evidence = columns.Text(default=None, null=False)
    assessed_by = row_of(PersonTable)
    assessed_at = columns.Timestamptz(default=None, null=False)

    kpi_assessment_once = Unique(["kpi", "period_from"])
    kpi_assessment_lasts = Check("period_to > period_from")
    kpi_assessment_has_evidence = Check("evidence ~ '\\S'")
    kpi_assessment_finite = Check("abs(value) < 'Infinity'")


class KpiPublicationTable(Table, db=DB, tablename="kpi_publication"):
    """That everything measured up to a day was published, as is done once a year at least."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    through = columns.Date(default=None, null=False)
    published_by = row_of(PersonTable)
    published_at = columns.Timestamptz(default=None, null=False)

    kpi_publication_once = Unique(["lot", "through"])


class ContractChangeTable(Table, db=DB, tablename="contract_change"):
    """A change of a contract: value and end as they are after it, its ground and its reason."""

    id = columns.UUID(primary_key=True)
    contract = row_of(ContractTable)
    number = columns.Integer(default=None, null=False)
    ground = columns.Varchar(length=40, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    value = columns.Numeric(default=None, null=False)
    ends = columns.Date(default=None, null=False)
    scope = columns.Text(default=None, null=True)
    flagged = columns.Boolean(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    contract_change_once = Unique(["contract", "number"])
    contract_change_has_reason = Check("length(btrim(reason)) >= 20")
    contract_change_value_finite = Check("value > 0 AND value < 'Infinity'")
    contract_change_scope_says = Check("scope ~ '\\S'")


class MilestoneTable(Table, db=DB, tablename="milestone"):
    """What is to be done under a contract by a day."""

    id = columns.UUID(primary_key=True)
    contract = row_of(ContractTable)
    number = columns.Integer(default=None, null=False)
    title = columns.Varchar(length=200, default=None, null=False)
    due = columns.Date(default=None, null=False)
    set_by = row_of(PersonTable)
    set_at = columns.Timestamptz(default=None, null=False)

    milestone_once = Unique(["contract", "number"])
    milestone_says = Check("title ~ '\\S'")


class MilestoneMetTable(Table, db=DB, tablename="milestone_met"):
    """On which day a milestone was met, and what shows it."""

    id = columns.UUID(primary_key=True)
    milestone = row_of(MilestoneTable, unique=True)
    met_on = columns.Date(default=None, null=False)
    evidence = columns.Text(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    milestone_met_has_evidence = Check("evidence ~ '\\S'")


class BaselineTable(Table, db=DB, tablename="outcome_baseline"):
    """What the service cost each buyer a year, and how good access was, before the contract.

    `costs` holds the yearly cost by the buyer's id.
    """

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    award = row_of(AwardTable, unique=True)
    costs = columns.JSONB(default=None, null=False)
    access_measure = columns.Text(default=None, null=False)
    access_unit = columns.Varchar(length=60, default=None, null=False)
    access_better = columns.Varchar(length=10, default=None, null=False)
    access_value = columns.Numeric(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    baseline_access_known = Check("access_better IN ('higher', 'lower')")
    baseline_says = Check("access_measure ~ '\\S' AND access_unit ~ '\\S'")
    baseline_finite = Check("abs(access_value) < 'Infinity'")


class OutcomeReviewTable(Table, db=DB, tablename="outcome_review"):
    """Did it lower cost, did it improve access: computed from figures against the baseline."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    award = row_of(AwardTable)
    number = columns.Integer(default=None, null=False)
    kind = columns.Varchar(length=10, default=None, null=False)
    through = columns.Date(default=None, null=False)
    yearly_cost = columns.Numeric(default=None, null=False)
    cost_before = columns.Numeric(default=None, null=True)
    access_value = columns.Numeric(default=None, null=True)
    cost_lowered = columns.Boolean(default=None, null=True)
    access_improved = columns.Boolean(default=None, null=True)
    narrative = columns.Text(default=None, null=False)
    reviewed_by = row_of(PersonTable)
    reviewed_at = columns.Timestamptz(default=None, null=False)

    outcome_review_once = Unique(["lot", "number"])
    outcome_review_of_day = Unique(["lot", "through"])
    outcome_review_kind_known = Check("kind IN ('yearly', 'final')")
    outcome_review_has_narrative = Check("length(btrim(narrative)) >= 20")
    outcome_review_finite = Check(
        "yearly_cost >= 0 AND yearly_cost < 'Infinity'"
        " AND (access_value IS NULL OR abs(access_value) < 'Infinity')"
    )
