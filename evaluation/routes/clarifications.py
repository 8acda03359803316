"""HTTP about questions on a bid: asking, the log of them, and the bidder's answers."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.commands import clarifications as commands
from evaluation.errors import (
    AnsweredAlready,
    AnswerTooLate,
    BidNotOpened,
    ChangedMeanwhile,
    LotNotThere,
    QuestionDeadlineFaulty,
    ReasonTooShort,
)
from evaluation.queries import clarifications as queries
from evaluation.schemas.clarifications import (
    AnswerGiven,
    AskBidder,
    BidderAsked,
    BidQuestions,
    GiveAnswer,
    QuestionToMe,
)
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class QuestionController(Controller):
    """Questions about the bids of a lot, by one point of contact."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}"
    tags = ("evaluation",)

    @post(
        "/evaluation/bids/{pseudonym:str}/questions",
        operation_id="askBidder",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            BidNotOpened,
            QuestionDeadlineFaulty,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def ask(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        pseudonym: FromPath[str],
        data: JSONBody[AskBidder],
        actor: NamedDependency[Actor],
    ) -> BidderAsked:
        """Ask a bidder to explain its bid, as the tender manager or, of a price, its evaluator.

        The bidder is sent a notice; its answer is shown with the bid, under the pseudonym.
        """
        return await commands.ask_bidder(actor, tender_id, lot_number, pseudonym, data)

    @get("/bid-questions", operation_id="listBidQuestions", responses=problems(NotFound))
    async def list_questions(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> BidQuestions:
        """List who was asked, when, and how often each bidder was.

        For the moderator, those who ask, the guardian and the buyers' auditors; the words are shown
        to who asked alone.
        """
        return await queries.bid_questions(actor, tender_id, lot_number)


class OwnQuestionController(Controller):
    """What was asked about one's own bid."""

    path = "/bids/{bid_id:uuid}/questions"
    tags = ("bids",)

    @get(operation_id="listQuestionsToMe", responses=problems(NotFound))
    async def list_questions(
        self, bid_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[QuestionToMe]:
        """List what was asked about one of the organisation's bids, with the answers given."""
        return await queries.questions_to_me(actor, bid_id)

    @post(
        "/{number:int}/answer",
        operation_id="answerQuestion",
        dependencies=KEYED,
        responses=problems(NotFound, AnsweredAlready, AnswerTooLate, LotNotThere),
    )
    async def answer(
        self,
        bid_id: FromPath[UUID],
        number: FromPath[int],
        data: JSONBody[GiveAnswer],
        actor: NamedDependency[Actor],
    ) -> AnswerGiven:
        """Answer a question about one's own bid, once and in time; the bid stays as it is."""
        return await commands.answer_question(actor, bid_id, number, data)
