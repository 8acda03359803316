"""A state of the access matrix as it is kept, and what requests to it say."""

from datetime import timedelta

import msgspec

from evaluation.schemas.performance import RecordBaseline
from tests.access.kinds import Of
from tests.makers.bids import asked, bid_body
from tests.makers.cast import INVITED, YEARS, Cast
from tests.makers.suppliers import application
from tests.makers.systems import client_body, key_pair
from tests.makers.tenders import market_time
from tests.makers.world import PASSWORD, World


class Bid(msgspec.Struct, frozen=True, kw_only=True):
    """A bid as its bidder knows it, and as nobody else should before the time."""

    supplier: str
    organisation: str
    id: str
    unit_price: str
    answer: str
    pseudonym: str


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """A state: its database, who is in it, and what requests to it are about."""

    database: str
    tokens: dict[str, str]
    sessions: dict[str, str]
    path: dict[str, str]
    versions: dict[str, int]
    bodies: dict[str, object]
    bids: dict[str, Bid]
    made_at: float
    """By the monotonic clock of this process."""


async def bodies(world: World, cast: Cast) -> dict[str, object]:
    """The bodies that name something of this market; other operations are sent their example."""
    now = await market_time(world)
    bid = bid_body(asked(cast.running, 1))
    score = {"criterion": "Q1.1", "value": "10", "reason": "Meets the need in two groups."}
    buyer, winner = cast.organisations[Of.BUYER], cast["winner"].organisation
    return {
        "signIn": {"email": INVITED, "password": PASSWORD},
        "acceptInvitation": {
            "secret": cast.body["secret"],
            "name": "Ivy Invited",
            "password": PASSWORD,
        },
        "applyToSupply": application(
            "Newcomer Analytics",
            applicant={"email": INVITED, "name": "Ivy Invited", "password": PASSWORD},
        ),
        "shiftClock": {"forward_to": (now + timedelta(days=400)).isoformat()},
        "setTimetable": {
            "deadline": cast.body["deadline"],
            "contract_starts": (cast.running.deadline + timedelta(days=90)).date().isoformat(),
        },
        "addBuyer": {"organisation": str(cast.organisations["fourth group"])},
        "replaceRequirement": cast.running.requirement,
        "publishAmendment": {
            "summary": "A week more",
            "reason": "Suppliers asked for it.",
            "material": False,
            "deadline": (cast.running.deadline + timedelta(days=7)).isoformat(),
        },
        "assignDuty": {
            "person": str(cast["buyer's commissioner"].id),
            "organisation": str(buyer),
            "duty": "contract_manager",
        },
        "grantExemption": {
            "person": str(cast["buyer's commissioner"].id),
            "duties": ["reviewer", "moderator"],
            "reason": "She is the only one who knows the service.",
            "expires_at": (now + YEARS).isoformat(),
        },
        "decideConflict": {
            "person": str(cast["undecided evaluator"].id),
            "bidder": str(winner),
            "outcome": "must_leave",
            "reason": "A brother is too near.",
        },
        "delegateAwardDuties": {
            "delegate": str(cast.organisations[Of.OTHER]),
            "authority": "Governing body, item 8.",
            "starts_on": now.date().isoformat(),
            "ends_on": "2059-12-31",
        },
        "declareInterests": {
            "declarations": [{"bidder": str(winner), "interest": "none", "details": ""}]
        },
        "saveDraft": {"quality": {"answers": []}},
        "submitBid": bid,
        "replaceBid": bid,
        "giveScore": score,
        "agreeScore": score,
        "askBidder": {
            "question": "Which of the two groups do you mean in your answer?",
            "answer_by": (now + timedelta(days=50)).isoformat(),
        },
        "askForPriceExplanation": {
            "pseudonym": cast.path["pseudonym"],
            "question": "How can you do this at half the price of the others?",
            "answer_by": (now + timedelta(days=50)).isoformat(),
        },
        "decideLowPrice": {
            "pseudonym": cast.path["pseudonym"],
            "outcome": "accepted",
            "reason": "The bills that it showed account for the price.",
        },
        "recordAwardCheck": {
            "check": "insurance",
            "outcome": "verified",
            "reason": "The certificates cover what the requirement asks for.",
            "evidence": "Certificate 4711, file P-12",
        },
        "recordDissent": {"criterion": "Q1.1", "reason": "I found this nowhere in the answer."},
        "recordBaseline": {
            **RecordBaseline.example,
            "yearly_costs": [
                {"buyer": str(buyer), "cost": {"amount": "310000.00", "currency": "GBP"}}
            ],
        },
        "setPanel": {
            "evaluators": [
                {"person": str(cast[name].id), "criteria": ["Q1.1", "Q1.2", "Q2"]}
                for name in ("quality_evaluator", "exempted evaluator")
            ],
            "because": "Everybody scores everything.",
        },
        "switchSession": {"organisation": str(buyer)},
        "giveRole": {"role": "auditor"},
        "recordMitigation": {
            "what": "Takes no part in decisions about informatics.",
            "agreed_with": str(cast["buyer's conflicts_guardian"].id),
        },
        "matchPerson": {
            "person": str(cast["buyer's commissioner"].id),
            "party": cast.body["party"],
            "reason": "They said so themselves.",
        },
        "stateOwnershipLink": {
            "holder": {"party": cast.body["party"]},
            "subject": {
                "registered": {"scheme": "GB-COH", "identifier": "01234567", "name": "B Ltd"}
            },
            "kind": "shareholding",
            "source": "Companies House, read today.",
        },
        "endOwnershipLink": {"ends_on": "2026-01-31", "source": "Companies House, TM01."},
        "registerClient": client_body(key_pair()),
        "changeClientKeys": {"jwks": {"keys": [key_pair(kid="second").public]}},
        "beginSingleSignOn": {},
        "dropBidOut": {
            "pseudonym": cast.path["pseudonym"],
            "reason": "The supplier withdrew by its letter of 3 March.",
        },
        "recommendAward": {
            "pseudonym": cast.path["pseudonym"],
            "reason": "It has the most points of quality and price together.",
        },
    }
