"""HTTP about evaluation and award, by noun."""

from evaluation.routes.allocation import AllocationController
from evaluation.routes.assurance import AssuranceController, DecisionController
from evaluation.routes.award import AwardController
from evaluation.routes.clarifications import OwnQuestionController, QuestionController
from evaluation.routes.letters import LetterController
from evaluation.routes.methods import MethodController
from evaluation.routes.panel import ModerationController, PanelController
from evaluation.routes.prices import DropOutController, PriceController
from evaluation.routes.quality import EvaluationController
from evaluation.routes.robustness import RobustnessController

CONTROLLERS = (
    PanelController,
    ModerationController,
    QuestionController,
    OwnQuestionController,
    EvaluationController,
    PriceController,
    DropOutController,
    RobustnessController,
    AllocationController,
    AwardController,
    LetterController,
    AssuranceController,
    DecisionController,
    MethodController,
)
