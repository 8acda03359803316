"""HTTP about tenders, by noun."""

from tenders.routes import amendments, bids, conflicts, custody, drafts, extensions, opening
from tenders.routes.duties import DutyController
from tenders.routes.searches import SavedSearchController
from tenders.routes.tenders import RequirementController, TenderController

CONTROLLERS = (
    TenderController,
    RequirementController,
    DutyController,
    *amendments.CONTROLLERS,
    *bids.CONTROLLERS,
    *drafts.CONTROLLERS,
    *opening.CONTROLLERS,
    *extensions.CONTROLLERS,
    *custody.CONTROLLERS,
    *conflicts.CONTROLLERS,
    SavedSearchController,
)
