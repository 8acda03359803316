"""The actions in a tender, from its first draft to the contract."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind, Whose

_ID, _CODE, _NUMBER = Kind.ID, Kind.CODE, Kind.NUMBER
_LOT: Final[Mapping[str, Kind]] = {"lot": _NUMBER}
_SCORE: Final[Mapping[str, Kind]] = {**_LOT, "bid": _CODE, "criterion": _CODE, "number": _NUMBER}

_PREPARING: Final[Mapping[str, Action]] = {
    "tender.created": Action("A tender was begun.", ("tender",), {"reference": _CODE}),
    "requirement.edited": Action(
        "A version of the requirement was written.",
        ("tender",),
        {"number": _NUMBER},
        commits_to="the version",
    ),
    "timetable.set": Action(
        "The timetable was set.",
        ("tender",),
        {"deadline": Kind.INSTANT, "contract_starts": Kind.DATE},
    ),
    "buyer.added": Action(
        "An organisation joined as a buyer.",
        ("tender",),
        {"buyer": _ID, "population": _NUMBER},
    ),
    "review.requested": Action(
        "An independent review was asked for.", ("tender",), {"requirement": _NUMBER}
    ),
    "requirement.approved": Action(
        "A reviewer approved the requirement.",
        ("review",),
        {"requirement": _NUMBER},
        commits_to="the comments",
    ),
    "requirement.returned": Action(
        "A reviewer returned the requirement.",
        ("review",),
        {"requirement": _NUMBER},
        commits_to="the comments",
    ),
    "tender.revised": Action("The requirement was taken up again.", ("tender",)),
    "tender.published": Action(
        "The tender was published.",
        ("tender",),
        {
            "reference": _CODE,
            "requirement": _NUMBER,
            "digest": Kind.DIGEST,
            "rule_set": _CODE,
            "custody": _CODE,
            "draw": Kind.DIGEST,
            "deadline": Kind.INSTANT,
        },
    ),
    "tender.amended": Action(
        "A published tender was amended.",
        ("amendment",),
        {
            "number": _NUMBER,
            "material": Kind.TRUTH,
            "requirement": _NUMBER,
            "digest": Kind.DIGEST,
            "deadline": Kind.INSTANT,
        },
    ),
    "tender.abandoned": Action("The tender was given up.", ("tender",), private=("reason",)),
}

_DUTIES: Final[Mapping[str, Action]] = {
    "duty.assigned": Action(
        "Somebody was given a duty.",
        ("duty",),
        {"duty": _CODE, "person_assigned": _ID, "held_for": _ID},
    ),
    "duty.released": Action(
        "Somebody was released from a duty.", ("duty",), {"duty": _CODE, "person_released": _ID}
    ),
    "duty.taken_up": Action(
        "Somebody took up their duties by declaring their interests.",
        ("duty_declaration",),
        {"statement": _CODE, "duties": Kind.CODES},
    ),
    "exemption.granted": Action(
        "The guardian let somebody hold two duties that are kept apart.",
        ("exemption",),
        {"person_exempted": _ID, "duties": Kind.CODES, "expires_at": Kind.INSTANT},
    ),
    "exemption.revoked": Action(
        "An exemption was ended before its time.", ("exemption",), {"person_exempted": _ID}
    ),
    "conflict.decided": Action(
        "The guardian decided about a person's interest in a bidder.",
        ("conflict_decision",),
        {"person_decided_about": _ID, "bidder": _ID, "outcome": _CODE},
    ),
    "delegation.recorded": Action(
        "A buyer let another body's people hold award duties.",
        ("award_delegation",),
        {"delegate": _ID},
    ),
    "delegation.ended": Action("Such a delegation was ended.", ("award_delegation",)),
    "interest.declared": Action(
        "An interest was entered in a register; in a tender: declarations against its bidders.",
        ("interest", "tender"),
        {"bidders": _NUMBER, "interests": _NUMBER},
        commits_to="the entry, or the declarations",
        whose={"interest": Whose.INTEREST, "tender": Whose.ACTOR},
    ),
}

_DOCUMENT = ("bid_document",)

_BIDDING: Final[Mapping[str, Action]] = {
    "draft.saved": Action(
        "A draft of a bid was saved; of no tender, so that nobody can count drafts.",
        ("draft",),
        {"version": _NUMBER},
    ),
    "draft.discarded": Action("A draft of a bid was discarded.", ("draft",), {"version": _NUMBER}),
    "draft.submitted": Action("A draft became a bid.", ("draft",), {"version": _NUMBER}),
    "bid.submitted": Action(
        "A bid was given.", ("bid",), {"version": _NUMBER}, commits_to="the signed receipt"
    ),
    "bid.replaced": Action(
        "A bid was replaced.", ("bid",), {"version": _NUMBER}, commits_to="the signed receipt"
    ),
    "bid.withdrawn": Action(
        "A bid was withdrawn.", ("bid",), {"version": _NUMBER}, commits_to="the signed receipt"
    ),
    "bid.confirmed": Action(
        "A bid was confirmed after a material amendment.",
        ("bid",),
        {"version": _NUMBER, "amendment": _NUMBER},
        commits_to="the signed receipt",
    ),
    "bid.lapsed": Action(
        "A bid lapsed: it was not confirmed or replaced after a material amendment, or it is a"
        " variant whose main bid does not stand.",
        ("bid",),
        {"version": _NUMBER, "amendment": _NUMBER},
    ),
    "bid_document.begun": Action("The upload of a document for a bid was begun.", _DOCUMENT),
    "bid_document.received": Action(
        "A part of a document for a bid was received.", _DOCUMENT, {"attempt": _NUMBER}
    ),
    "bid_document.refused": Action(
        "A document for a bid was looked through and not taken: its upload begins anew.",
        _DOCUMENT,
        {"because": _CODE},
    ),
    "bid_document.completed": Action(
        "A document for a bid was looked through and found whole.", _DOCUMENT
    ),
    "bid_document.removed": Action(
        "A document that no bid lists was removed: by its bidder, or as nobody used it.",
        _DOCUMENT,
        {"because": _CODE},
    ),
    "bid_document.checked": Action(
        "A document of an opened bid was looked through; why it failed may quote the bid.",
        _DOCUMENT,
        {"failed": Kind.TRUTH},
        private=("failure",),
    ),
    "bid_document.read": Action("Somebody read a document of an opened bid.", _DOCUMENT),
    "bid_documents.read": Action(
        "Somebody read which documents an opened bid lists.", ("tender",), {"documents": _NUMBER}
    ),
    "manifest.fixed": Action(
        "The bids that stand were fixed; the digest over them is salted.",
        ("tender",),
        {"digest": Kind.DIGEST},
    ),
    "service.interrupted": Action(
        "No process of the market had served for so long.",
        ("interruption",),
        {"seconds": _NUMBER},
    ),
    "extension.proposed": Action(
        "An interruption touched the last hour before the deadline: somebody is to decide.",
        ("extension_proposal",),
    ),
    "extension.decided": Action(
        "The tender's manager decided whether to put the deadline off.",
        ("extension_proposal",),
        {"outcome": _CODE},
        private=("reason",),
    ),
    "opening.confirmed": Action(
        "An opener confirmed the opening.", ("tender",), {"confirmed_by": _NUMBER}
    ),
    "tender.opened": Action("The bids were opened.", ("tender",), {"bids": _NUMBER}),
    "envelope.opened": Action(
        "An envelope was opened, or did not open; why not may quote the bid.",
        ("envelope",),
        {"kind": _CODE, "failed": Kind.TRUTH},
        private=("failure",),
    ),
    "opening.resumed": Action("An interrupted opening was gone on with.", ("tender",)),
    "officer_key.registered": Action(
        "Somebody registered the public half of an officer's key.",
        ("officer_key",),
        {"fingerprint": Kind.DIGEST},
    ),
    "key.rehearsed": Action(
        "Two officers opened the canary of their tender together.",
        ("tender",),
        {"with_officer": _ID},
    ),
    "key.share_passed": Action(
        "An officer passed on shares of keys to other officers.", ("tender",), {"shares": _NUMBER}
    ),
    "key_releases.read": Action(
        "An officer read which envelopes are due, to release their keys.",
        ("tender",),
        {"envelopes": _NUMBER},
    ),
    "key.released": Action(
        "Two officers released the content keys of envelopes that were due.",
        ("tender",),
        {"released": _NUMBER, "unopenable": _NUMBER},
    ),
}

_EVALUATING: Final[Mapping[str, Action]] = {
    "panel.set": Action(
        "The tender manager assigned evaluators to the criteria of a lot.",
        ("panel",),
        {**_LOT, "number": _NUMBER, "evaluators": Kind.IDS},
        commits_to="the panel with the reason for its change",
    ),
    "score.given": Action(
        "An evaluator scored a bid.", ("score",), _SCORE, commits_to="the score with its reason"
    ),
    "score.agreed": Action(
        "The moderator recorded an agreed score.",
        ("score",),
        _SCORE,
        commits_to="the score with its reason",
    ),
    "dissent.recorded": Action(
        "An evaluator recorded that they do not share an agreed score.",
        ("dissent",),
        _SCORE,
        commits_to="the dissent with its reason",
    ),
    "scores.locked": Action("An evaluator locked their scores.", ("score_lock",), _LOT),
    "quality.locked": Action(
        "The quality of a lot was decided.",
        ("lot",),
        {**_LOT, "bids": _NUMBER},
        commits_to="the decisions",
    ),
    "bid.questioned": Action(
        "The point of contact asked a bidder about its bid.",
        ("bid_question",),
        {**_LOT, "bid": _CODE, "number": _NUMBER, "about": _CODE, "answer_by": Kind.INSTANT},
        commits_to="the question",
    ),
    "question.answered": Action(
        "A bidder answered a question about its bid; of no tender, so that nobody who reads the"
        " answer under a pseudonym can tell whose it is.",
        ("bid_answer",),
        {"number": _NUMBER},
        commits_to="the answer",
    ),
    "prices.opening_begun": Action("The opening of prices was begun.", ("lot",), _LOT),
    "prices.opened": Action("The prices of a lot are open.", ("lot",), _LOT),
    "lot.ranked": Action(
        "The bids of a lot were ranked.",
        ("ranking",),
        {
            **_LOT,
            "number": _NUMBER,
            "method": _CODE,
            "method_version": _NUMBER,
            "bids": _NUMBER,
        },
    ),
    "price_explanations.read": Action(
        "Explanations of low prices were read.", ("lot",), {**_LOT, "bids": Kind.CODES}
    ),
    "low_price.decided": Action(
        "Whether a low price is accepted as explained was decided.",
        ("low_price_decision",),
        {**_LOT, "bid": _CODE, "outcome": _CODE},
        commits_to="the decision with its reason",
    ),
    "award_checks.read": Action("The checks of a winner were read.", ("lot",), _LOT),
    "award.checked": Action(
        "What the winner of a lot declared was checked.",
        ("award_check",),
        {**_LOT, "number": _NUMBER, "check": _CODE, "outcome": _CODE},
        commits_to="the check with its reason and evidence",
    ),
    "bid.dropped_out": Action(
        "A ranked bid dropped out.",
        ("drop_out",),
        _LOT,
        commits_to="the bid and the reason",
    ),
    "award.recommended": Action(
        "An award was recommended.",
        ("recommendation",),
        {**_LOT, "number": _NUMBER},
        commits_to="the recommendation with its reason",
    ),
    "award.approved": Action(
        "An approver approved the recommendation.",
        ("approval",),
        {**_LOT, "recommendation": _NUMBER},
        commits_to="the answer with its reason",
    ),
    "award.returned": Action(
        "An approver returned the recommendation.",
        ("approval",),
        {**_LOT, "recommendation": _NUMBER},
        commits_to="the answer with its reason",
    ),
    "lot.awarded": Action("The lot was awarded.", ("award",), _LOT),
    "notices.sent": Action(
        "The bidders of a lot were told; its standstill has begun.",
        ("lot",),
        {**_LOT, "notices": _NUMBER, "standstill_ends_at": Kind.INSTANT},
    ),
    "record.disclosed": Action(
        "The record of a lot's evaluation was disclosed as a bundle with this digest.",
        ("disclosure_bundle",),
        {**_LOT, "number": _NUMBER, "digest": Kind.DIGEST, "redactions": _NUMBER},
        private=("addressee", "reason"),
    ),
    "contract.made": Action(
        "The contract was made.",
        ("contract",),
        {**_LOT, "reference": _CODE, "buyer": Kind.ID},
        commits_to="what was recorded of it",
    ),
    "lot.abandoned": Action(
        "A lot was given up.", ("lot",), {**_LOT, "stage": _CODE}, private=("reason",)
    ),
}

# That somebody reads what is their own, or public, is no event; every other request is one.
_READING: Final[Mapping[str, Action]] = {
    "bidders.read": Action(
        "The names of the bidders were read.", ("tender",), {"bidders": _NUMBER}
    ),
    "minutes.read": Action("The minutes of the opening were read.", ("tender",), {"bids": _NUMBER}),
    "duty_declarations.read": Action(
        "Others' declarations on taking up their duties were read.",
        ("tender",),
        {"people": Kind.IDS},
    ),
    "conflicts.read": Action(
        "What stands between others and bidders was read.", ("tender",), {"people": _NUMBER}
    ),
    "conflict_decisions.read": Action(
        "Decisions about others' interests were read.", ("tender",), {"decisions": _NUMBER}
    ),
    "bids.read": Action(
        "The answers of opened bids were read.", ("lot",), {**_LOT, "bids": Kind.CODES}
    ),
    "scores.read": Action(
        "Others' scores were read with their reasons.",
        ("lot",),
        {**_LOT, "bids": Kind.CODES, "scores": _NUMBER},
    ),
    "moderation.read": Action(
        "The minutes of moderation were read.", ("lot",), {**_LOT, "bids": Kind.CODES}
    ),
    "ranking.read": Action(
        "The ranking was read, with so many bids' schedules of prices.",
        ("lot",),
        {**_LOT, "bids": Kind.CODES, "price_schedules": _NUMBER},
    ),
    "robustness.read": Action(
        "How firmly a ranking stands was read.", ("lot",), {**_LOT, "bids": Kind.CODES}
    ),
    "recommendation_report.read": Action(
        "The report on a recommendation was read.", ("lot",), {**_LOT, "bids": Kind.CODES}
    ),
    "allocation.read": Action("Who gets which lot was read.", ("tender",)),
    "notices.read": Action(
        "Notices to bidders were read by duty.", ("lot",), {**_LOT, "notices": _NUMBER}
    ),
    "evaluation_record.read": Action(
        "The record of a lot's evaluation was read, whole.",
        ("lot",),
        {**_LOT, "bids": Kind.CODES},
    ),
    "procurement_report.read": Action("The report on the procurement was read.", ("tender",)),
    "disclosure_bundle.read": Action(
        "A bundle of disclosure was read.", ("disclosure_bundle",), {**_LOT, "number": _NUMBER}
    ),
    "assurance.read": Action(
        "The assurance report was read as manager, guardian or auditor.",
        ("tender",),
        commits_to="the report's digest",
    ),
}

OF_TENDERS: Final[Mapping[str, Action]] = {
    **_PREPARING,
    **_DUTIES,
    **_BIDDING,
    **_EVALUATING,
    **_READING,
}
