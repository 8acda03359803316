"""HTTP about the procurement law that the market knows."""

from litestar import Controller, get

from market.actor import Scope
from tenders.rules.rule_sets import KNOWN, RULE_SETS
from tenders.schemas.rule_sets import RuleSetView


class RuleSetController(Controller):
    """Bodies of procurement law, as data."""

    path = "/rule-sets"
    tags = ("tenders",)

    @get(operation_id="listRuleSets", opt={"public": True, "scope": Scope.OPPORTUNITIES_READ})
    async def list_all(self) -> list[RuleSetView]:
        """List the rule sets: when each is in force, its standstill, and what it wants told."""
        return [
            RuleSetView(
                name=rules.name.value,
                title=rules.title,
                effective_from=rules.effective_from,
                effective_to=rules.effective_to,
                governs_tenders=rules.name in RULE_SETS,
                governs=rules.governs,
                minimum_tender_days=rules.minimum_tender_days,
                tender_period_ends_on_working_day=rules.tender_period_ends_on_working_day,
                standstill=rules.standstill,
                bank_holidays_of=list(rules.bank_holidays_of),
                telling=rules.telling,
            )
            for rules in KNOWN
        ]
