"""HTTP about evaluation and award, by noun."""

from evaluation.routes.allocation import AllocationController
from evaluation.routes.assurance import AssuranceController, DecisionController
from evaluation.routes.award import AwardController
from evaluation.routes.clarifications import OwnQuestionController, QuestionController
from evaluation.routes.low_prices import LowPriceController
from evaluation.routes.methods import MethodController
from evaluation.routes.panel import ModerationController, PanelController
from evaluation.routes.prices import DropOutController, PriceController
from evaluation.routes.quality import EvaluationController
from evaluation.routes.robustness import RobustnessController
from evaluation.routes.verification import VerificationController

CONTROLLERS = (
    PanelController,
    ModerationController,
    QuestionController,
    OwnQuestionController,
    EvaluationController,
    PriceController,
    DropOutController,
    LowPriceController,
    RobustnessController,
    AllocationController,
    AwardController,
    VerificationController,
    AssuranceController,
    DecisionController,
    MethodController,
)
