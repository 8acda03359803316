"""What operations about tenders, bids and awards answer to everybody: one row an operation.

Written from DESIGN's duties and promises and from what the API's description says of each
operation, never from the code that decides. A new operation needs a row here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.kinds import Of
from tests.access.rules import (
    FORBIDDEN,
    NOT_FOUND,
    Rule,
    bidders_known,
    everybody,
    lacking,
    lot_act,
    lot_reading,
    opening_act,
    people,
    public_once,
    signed_in,
    tender_act,
)

_BEFORE_PUBLICATION = ("draft", "in_review", "approved")
READS_QUALITY = {"opener", "quality_evaluator", "moderator", "award_approver", "guardian"}
PRICES_OPEN = {
    "price_opened",
    "ranked",
    "recommended",
    "awarded",
    "standstill",
    "standstill_over",
    "contracted",
}
TOLD = ("standstill", "standstill_over", "contracted")
READS_EVALUATION = (
    "quality_evaluator",
    "moderator",
    "price_evaluator",
    "award_approver",
    "tender_manager",
    "guardian",
    "contract_manager",
    "outcome_reviewer",
)


# -- rules that one operation alone has -----------------------------------------------------------


def _reads_draft(case: Case) -> str:
    """Public once published; of a draft, the house's, when it has taken its duties up."""
    if case.moment.published or case.in_the_house:
        return "200"
    return "403 duty-not-taken-up" if case.offered else NOT_FOUND


def _house_reads(case: Case) -> str:
    if case.in_the_house:
        return "200"
    if case.offered:
        return "403 duty-not-taken-up"
    return FORBIDDEN if case.moment.published else NOT_FOUND


def _record(case: Case) -> str:
    if case.audits or case.in_force & {"tender_manager", "guardian"}:
        return "200"
    return FORBIDDEN if case.sees_tender else NOT_FOUND


def submission(case: Case) -> str:
    """A bid of who has none here: of a supplier, then, that helps nobody, while bids come in."""
    if not case.holds("bid_manager"):
        return FORBIDDEN
    if not case.moment.published:
        return NOT_FOUND
    if case.acts_for(Of.HELPER):
        return "403 helper-may-not-bid"
    if case.moment.tender != "published" or case.moment.closed:
        return "409 bidding-closed"
    return "201" if case.acts_for(Of.SUPPLIER) else "409 already-bid"


def _draft(otherwise: str, *, while_open: bool = False) -> Rule:
    """Anything about a draft; nobody has saved one. Some acts take an organisation that may bid."""

    def answer(case: Case) -> str:
        if not case.holds("bid_manager"):
            return FORBIDDEN
        if not case.moment.published:
            return NOT_FOUND
        if while_open and case.acts_for(Of.HELPER):
            return "403 helper-may-not-bid"
        if while_open and (case.moment.tender != "published" or case.moment.closed):
            return "409 bidding-closed"
        return otherwise

    return answer


def own_bid(answer: str) -> Rule:
    """Anything about the winner's bid, which is known to its bid manager alone."""

    def is_theirs(case: Case) -> bool:
        there = case.moment.published and case.acts_for(Of.WINNER)
        return there and case.holds("bid_manager")

    return people(is_theirs, answer, NOT_FOUND)


def _change_of_bid(case: Case) -> str:
    open_still = case.moment.tender == "published" and not case.moment.closed
    return own_bid("200" if open_still else "409 bidding-closed")(case)


def _confirmation(case: Case) -> str:
    """Nothing was amended, so there is nothing to confirm."""
    open_still = case.moment.tender == "published" and not case.moment.closed
    return own_bid("409 nothing-to-confirm" if open_still else "409 bidding-closed")(case)


def _take_up(case: Case) -> str:
    if case.in_force or case.offered:
        return "201"
    return "409 nothing-to-take-up" if case.sees_tender else NOT_FOUND


def _confirm(case: Case) -> str:
    moment = case.moment
    if moment.tender != "published" or not moment.closed:
        return "409 opening-not-due"
    if case.conflict:
        return case.conflict
    again = moment.name == "confirmed" and case.kind.name == "opener"
    return "409 already-confirmed" if again else "201"


def _resume(case: Case) -> str:
    return case.conflict or "201" if case.moment.tender == "opened" else "409 not-opened"


def _not_with_officers(_: Case) -> str:
    return "409 not-with-officers"


def _decide(case: Case) -> str:
    """The guardian's, once the names are known and they themselves have declared."""
    refusal = bidders_known("201", while_live="409 bidders-not-known")(case)
    guardian = None if not case.sees_tender else lacking(case, "guardian")
    refusal = guardian if case.signed_in and guardian else refusal
    return case.conflict or refusal if refusal == "201" else refusal


def _progress(case: Case) -> str:
    """How far a lot is: for duties in force; nothing is served to those that do not work."""
    if not case.moment.lot or not (case.in_force or case.offered or case.suspended):
        return NOT_FOUND
    if case.in_force:
        return "200"
    return "403 duty-not-taken-up" if case.offered else "403 duty-suspended"


def _sees_questions(case: Case) -> bool:
    """Those who see to it that all bidders are treated alike, and have no interest."""
    if not case.moment.opened:
        return False
    by_duty = case.in_force & {"moderator", "tender_manager", "price_evaluator", "guardian"}
    return case.audits or bool(by_duty and not case.conflict_in_reading)


def _minutes(case: Case) -> str:
    """As scores are read, but that there is nothing before all have locked."""
    answer = _scores(case)
    if answer != "200":
        return answer
    if not case.moment.opened:
        return "409 lot-not-there"
    return "409 moderation-too-early" if case.moment.name == "opened" else "200"


def _scores(case: Case) -> str:
    undecided = case.moment.lot in {"bidding", "quality_scoring"}
    panel = ("quality_evaluator", "moderator", "guardian")
    return lot_reading(*(panel if undecided else READS_EVALUATION), at={})(case)


def _report(case: Case) -> str:
    """The assurance report: at any time for those who answer for it, then for everybody."""
    if not case.sees_tender:
        return NOT_FOUND
    readers = {"tender_manager", "guardian"}
    if case.in_force & readers or case.audits or case.moment.lot in TOLD:
        return "200"
    return "403 duty-not-taken-up" if case.offered & readers else FORBIDDEN


def _has_duty_or_audits(case: Case) -> bool:
    return bool(case.in_force) or case.audits


# -- the table ------------------------------------------------------------------------------------

OF_TENDERS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        # tenders
        "createTender": people(lambda case: case.holds("procurement_lead"), "201", FORBIDDEN),
        "listTenders": everybody("200"),
        "listMyTenders": signed_in("200"),
        "getTender": public_once(lambda case: case.sees_tender),
        "getRequirement": _reads_draft,
        "listRequirementVersions": signed_in(_house_reads),
        "getRequirementVersion": signed_in(_house_reads),
        "listTenderRecord": signed_in(_record),
        "replaceRequirement": lambda case: tender_act(
            "author",
            "tender_manager",
            at={"draft": "200", **({} if case.moment.closed else {"published": "200"})},
            otherwise="409 requirement-settled",
        )(case),
        "publishAmendment": lambda case: tender_act(
            "tender_manager",
            at={"published": "409 amendment-too-late" if case.moment.closed else "201"},
            otherwise="409 transition-refused",
        )(case),
        "listAmendments": public_once(lambda case: case.sees_tender),
        "setTimetable": tender_act(
            "tender_manager",
            at=dict.fromkeys(_BEFORE_PUBLICATION, "200"),
            otherwise="409 transition-refused",
        ),
        "addBuyer": tender_act(
            "tender_manager", at={"draft": "200"}, otherwise="409 buyers-settled"
        ),
        "requestReview": tender_act(
            "tender_manager", at={"draft": "200"}, otherwise="409 transition-refused"
        ),
        "giveReview": tender_act(
            "reviewer", at={"in_review": "200"}, otherwise="409 not-in-review"
        ),
        "reviseTender": tender_act(
            "tender_manager", at={"approved": "200"}, otherwise="409 transition-refused"
        ),
        "publishTender": tender_act(
            "tender_manager", at={"approved": "200"}, otherwise="409 transition-refused"
        ),
        "abandonTender": lambda case: tender_act(
            "tender_manager",
            at={"abandoned": "409 transition-refused"},
            otherwise="409 contract-made" if case.moment.lot == "contracted" else "200",
            on_bids=True,
        )(case),
        # duties, and what keeps them apart
        "assignDuty": tender_act(
            "tender_manager",
            at={"abandoned": "409 transition-refused"},
            otherwise="201",
            on_bids=True,
        ),
        "releaseDuty": tender_act("tender_manager", at={}, otherwise="200", on_bids=True),
        "listDuties": people(_has_duty_or_audits, "200", NOT_FOUND),
        "declareOnDuty": signed_in(_take_up),
        "listDutyDeclarations": people(_has_duty_or_audits, "200", NOT_FOUND),
        "listConflictDecisions": people(_has_duty_or_audits, "200", NOT_FOUND),
        "decideConflict": _decide,
        "grantExemption": tender_act("guardian", at={}, otherwise="201", on_bids=True),
        "revokeExemption": tender_act("guardian", at={}, otherwise="201", on_bids=True),
        "listExemptions": _reads_draft,
        "listConflicts": bidders_known("200"),
        "getAssuranceReport": _report,
        "getAssuranceReportPage": _report,
        # bids and their opening
        "submitBid": signed_in(submission),
        "submitSealedBid": signed_in(submission),
        # asked with an If-Match, as every change is here: there is no draft to have changed
        "saveDraft": signed_in(_draft("412 draft-changed", while_open=True)),
        "submitDraft": signed_in(_draft(NOT_FOUND, while_open=True)),
        "getDraft": signed_in(_draft(NOT_FOUND)),
        "listDraftFaults": signed_in(_draft(NOT_FOUND)),
        "discardDraft": signed_in(_draft(NOT_FOUND)),
        "getMyBidForLot": signed_in(_draft("200")),
        "listMyBids": people(lambda case: case.holds("bid_manager"), "200", FORBIDDEN),
        "getMyBid": own_bid("200"),
        "replaceBid": _change_of_bid,
        "replaceBySealedBid": _change_of_bid,
        "withdrawBid": _change_of_bid,
        "confirmBid": _confirmation,
        "listSealingKeys": public_once(lambda case: case.moment.published),
        "listSigningKeys": everybody("200"),
        "listBidders": bidders_known("200"),
        "listMyDeclarations": bidders_known("200"),
        "declareInterests": bidders_known("201", while_live="409 bidders-not-known"),
        "getOpening": bidders_known("200", reading=True),
        "confirmOpening": opening_act(_confirm),
        "resumeOpening": opening_act(_resume),
        # the server keeps the keys of the tenders that are asked about
        "listExtensionProposals": signed_in(_house_reads),
        # there was no interruption, so there is nothing to decide
        "decideExtension": signed_in(NOT_FOUND),
        "listKeyShares": opening_act(_not_with_officers),
        "passKeyShares": opening_act(_not_with_officers),
        "listKeyReleases": opening_act(_not_with_officers),
        "releaseKeys": opening_act(_not_with_officers),
        "rehearseKeys": opening_act(_not_with_officers),
        # the evaluation of a lot
        "getEvaluation": signed_in(_progress),
        "getPanel": signed_in(_progress),
        "setPanel": lot_act("tender_manager", at={"bidding": "200", "quality_scoring": "200"}),
        "getModerationMinutes": _minutes,
        "recordDissent": lot_act(
            "quality_evaluator",
            at={
                "opened": "409 nothing-to-dissent-from",
                "all scores locked": "409 nothing-to-dissent-from",
                "moderated": "201",
            },
        ),
        "askBidder": lot_act("tender_manager", at={"quality_scoring": "201"}),
        "listBidQuestions": people(_sees_questions, "200", NOT_FOUND),
        "listQuestionsToMe": own_bid("200"),
        "answerQuestion": own_bid(NOT_FOUND),  # nobody was asked
        "listBidsUnderEvaluation": lot_reading(
            "quality_evaluator",
            "moderator",
            "award_approver",
            "guardian",
            at={"bidding": "409 lot-not-there"},
        ),
        "listScores": _scores,
        "giveScore": lot_act(
            "quality_evaluator",
            at={
                "opened": "201",
                "all scores locked": "409 scores-locked",
                "moderated": "409 scores-locked",
            },
        ),
        "lockScores": lot_act(
            "quality_evaluator",
            at={
                "opened": "201",
                "all scores locked": "409 locked-already",
                "moderated": "409 locked-already",
            },
        ),
        "agreeScore": lot_act(
            "moderator",
            at={
                "opened": "409 moderation-too-early",
                "all scores locked": "201",
                "moderated": "201",
            },
        ),
        "lockQuality": lot_act(
            "moderator",
            at={
                "opened": "409 moderation-too-early",
                "all scores locked": "409 moderation-incomplete",
                "moderated": "201",
            },
        ),
    }
)
