"""HTTP about evaluation and award, by noun."""

from evaluation.routes.allocation import AllocationController
from evaluation.routes.assurance import AssuranceController, DecisionController
from evaluation.routes.award import AwardController
from evaluation.routes.challenges import ChallengeController
from evaluation.routes.clarifications import OwnQuestionController, QuestionController
from evaluation.routes.joint import BuyerDecisionController
from evaluation.routes.letters import LetterController, PublicNoticeController
from evaluation.routes.low_prices import LowPriceController
from evaluation.routes.methods import MethodController
from evaluation.routes.panel import ModerationController, PanelController
from evaluation.routes.performance import PerformanceController, TrackRecordController
from evaluation.routes.prices import DropOutController, PriceController
from evaluation.routes.quality import EvaluationController
from evaluation.routes.recommendation import RecommendationReportController
from evaluation.routes.record import DisclosureController, RecordController, ReportController
from evaluation.routes.robustness import RobustnessController
from evaluation.routes.rounds import RoundController
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
    LetterController,
    PublicNoticeController,
    RecommendationReportController,
    ChallengeController,
    RoundController,
    BuyerDecisionController,
    PerformanceController,
    TrackRecordController,
    VerificationController,
    AssuranceController,
    DecisionController,
    MethodController,
    RecordController,
    DisclosureController,
    ReportController,
)
