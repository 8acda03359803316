"""HTTP about tenders, by noun."""

from tenders.routes.duties import DutyController
from tenders.routes.tenders import RequirementController, TenderController

CONTROLLERS = (TenderController, RequirementController, DutyController)
