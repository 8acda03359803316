"""HTTP about tenders, by noun."""

from tenders.routes import (
    amendments,
    bids,
    conflicts,
    custody,
    documents,
    drafts,
    extensions,
    opening,
)
from tenders.routes.duties import DutyController
from tenders.routes.rule_sets import RuleSetController
from tenders.routes.searches import SavedSearchController
from tenders.routes.tenders import RequirementController, TenderController

CONTROLLERS = (
    TenderController,
    RequirementController,
    DutyController,
    *amendments.CONTROLLERS,
    *bids.CONTROLLERS,
    *documents.CONTROLLERS,
    *drafts.CONTROLLERS,
    *opening.CONTROLLERS,
    *extensions.CONTROLLERS,
    *custody.CONTROLLERS,
    *conflicts.CONTROLLERS,
    SavedSearchController,
    RuleSetController,
)
