"""What is secret about bids, who may know it when, and how it is found in an answer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from tests.access.cases import Case
from tests.access.kinds import Of
from tests.access.requests import Operation
from tests.makers.frozen import Bid, Frozen

Secret = tuple[str, str]
"""A class of secret, and whose bid it is about."""

NAME, BID, ANSWER, UNIT_PRICE, TOTAL, WHOSE = (
    "name",
    "bid",
    "answer",
    "unit price",
    "total",
    "whose",
)
CLASSES: Final = (NAME, BID, ANSWER, UNIT_PRICE, TOTAL, WHOSE)
_OF: Final[Mapping[str, Of]] = {"winner": Of.WINNER, "loser": Of.LOSER}
_TOTALS: Final[Mapping[str, str]] = {
    "winner": "316216.75",
    "loser": "364269.23",
    "failing": "282564.79",
}
"""What the bids come to by the quantities of the lot, 36 and 7.25."""

_UNDECIDED: Final = frozenset({"bidding", "quality_scoring"})
_TOLD: Final = frozenset({"standstill", "standstill_over", "contracted"})
_RANKED: Final = _TOLD | {"ranked", "recommended", "awarded"}


def may_know(case: Case) -> frozenset[Secret]:
    """Everything secret that somebody may be shown at a moment, by whatever operation."""
    return frozenset((what, bid) for bid in _TOTALS for what in CLASSES if _RULES[what](case, bid))


def owns(case: Case, secret: Secret) -> bool:
    """Whether it is about their own bid, which nobody need show them."""
    return _own(case, secret[1])


def _name(case: Case, bid: str) -> bool:
    """Who bids: the bidder; those who must declare; the buyer's auditors; the winner, everybody."""
    won = bid == "winner" and _told(case)
    return _own(case, bid) or case.knows_bidders or (case.audits and case.moment.opened) or won


def _bid(case: Case, bid: str) -> bool:
    """The bid itself, as the record names it, once it is opened."""
    if _own(case, bid):
        return True
    if not case.moment.opened:
        return False
    if "guardian" in case.in_force:
        return True
    manages = "tender_manager" in case.in_force and case.conflict is None
    return manages or (case.audits and case.moment.lot not in _UNDECIDED)


def _answer(case: Case, _: str) -> bool:
    """What it says: those who score, agree, approve or guard."""
    reads = {"quality_evaluator", "moderator", "award_approver", "guardian"}
    return _reads(case, *reads)


def _unit_price(case: Case, bid: str) -> bool:
    """What it asks for each item: those who rank, approve or guard, or read the record.

    Never of a bid that failed.
    """
    if case.moment.lot not in _RANKED or bid == "failing":
        return False
    reads = _reads(case, "price_evaluator", "award_approver", "guardian")
    return reads or _reads_record(case)


def _total(case: Case, bid: str) -> bool:
    """What it comes to: those who read the ranking; then its bidder, and the winner's everybody."""
    if bid == "failing":
        return False
    if _told(case) and (bid == "winner" or (_OF[bid] is case.kind.of)):
        return True
    readers = _reads(
        case,
        "quality_evaluator",
        "moderator",
        "price_evaluator",
        "award_approver",
        "tender_manager",
        "guardian",
        "contract_manager",
        "outcome_reviewer",
    )
    return case.moment.lot in _RANKED and (readers or _reads_record(case))


def _whose(case: Case, _: str) -> bool:
    """Which pseudonym is whose: nobody who scores or may yet score, until quality is decided."""
    if _reads_record(case):
        return True
    if not case.moment.opened or not case.knows_bidders or case.conflict_in_reading:
        return False
    knows = bool(case.in_force & {"opener", "guardian"})
    return knows or case.moment.lot not in _UNDECIDED


def _reads_record(case: Case) -> bool:
    """The whole record: once awarded or given up, those who answer for it, and auditors."""
    given_up = case.moment.lot == "abandoned" and case.moment.opened
    if not given_up and case.moment.lot not in {"awarded", *_TOLD}:
        return False
    return case.audits or _reads(
        case, "tender_manager", "guardian", "award_approver", "outcome_reviewer"
    )


def _told(case: Case) -> bool:
    """Whether the award is public, to people: no scope of a system covers it."""
    return case.moment.lot in _TOLD and case.kind.scopes is None


def _own(case: Case, bid: str) -> bool:
    mine = bid in _OF and case.acts_for(_OF[bid]) and case.holds("bid_manager")
    return mine and case.moment.published


def _reads(case: Case, *duties: str) -> bool:
    opened = case.moment.opened and not case.conflict_in_reading
    return opened and bool(case.in_force & set(duties))


_RULES: Final = {
    NAME: _name,
    BID: _bid,
    ANSWER: _answer,
    UNIT_PRICE: _unit_price,
    TOTAL: _total,
    WHOSE: _whose,
}


# -- finding --------------------------------------------------------------------------------------


class Watch:
    """Looks for everything secret in the answers that a state's market gives."""

    def __init__(self, state: Frozen) -> None:
        """Know the words that give each secret of the state away."""
        self._bids = state.bids
        self._words = [
            (word.encode(), what, name)
            for name, bid in state.bids.items()
            for what, word in _words(name, bid)
        ]

    def shown(self, operation: Operation, body: bytes) -> set[Secret]:
        """Everything secret that an answer holds, wherever in it.

        Who is a supplier at all is public: names count in what is said about the tender alone.
        """
        found = {(what, name) for word, what, name in self._words if word in body}
        if not operation.of_tender:
            found = {(what, name) for what, name in found if what != NAME}
        elif found and body.startswith((b"{", b"[")):
            found |= {(WHOSE, name) for name in self._paired(body)}
        return found

    def _paired(self, body: bytes) -> Iterator[str]:
        """The bids of which an answer says whose they are."""
        named = {name for name, bid in self._bids.items() if bid.pseudonym.encode() in body}
        for item in _items(msgspec.json.decode(body)) if named else ():
            for name in named:
                if _says_whose(item, self._bids[name]):
                    yield name


def _words(name: str, bid: Bid) -> Iterator[tuple[str, str]]:
    yield NAME, bid.supplier
    yield NAME, bid.organisation
    yield BID, bid.id
    yield ANSWER, bid.answer
    yield UNIT_PRICE, bid.unit_price
    yield TOTAL, _TOTALS[name]


def _items(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _items(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _items(inner)


def _says_whose(item: dict[str, Any], bid: Bid) -> bool:
    """Whether one object holds the pseudonym, and beside it, at whatever depth, whose it is."""
    if not bid.pseudonym or bid.pseudonym not in item.values():
        return False
    said = msgspec.json.encode(item)
    return bid.supplier.encode() in said or bid.organisation.encode() in said
