"""HTTP about evaluation and award, by noun."""

from evaluation.routes.assurance import AssuranceController, DecisionController
from evaluation.routes.award import AwardController
from evaluation.routes.clarifications import OwnQuestionController, QuestionController
from evaluation.routes.methods import MethodController
from evaluation.routes.panel import ModerationController, PanelController
from evaluation.routes.prices import PriceController
from evaluation.routes.quality import EvaluationController

CONTROLLERS = (
    PanelController,
    ModerationController,
    QuestionController,
    OwnQuestionController,
    EvaluationController,
    PriceController,
    AwardController,
    AssuranceController,
    DecisionController,
    MethodController,
)
