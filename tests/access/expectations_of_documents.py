"""What operations about documents of bids answer to everybody: one row an operation.

The paths lead to the winner's document, which is complete, and listed in its bid.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.expectations import PRICES_OPEN, READS_QUALITY, own_bid, submission
from tests.access.kinds import Of
from tests.access.rules import FORBIDDEN, NOT_FOUND, Rule, bidders_known, people, signed_in


def _begin_document(case: Case) -> str:
    """As a bid is given, but that a bidder may have any number of documents."""
    answer = submission(case)
    return "201" if answer == "409 already-bid" else answer


def _removal_of_document(case: Case) -> str:
    """The winner's document, which a bid lists."""
    open_still = case.moment.tender == "published" and not case.moment.closed
    return own_bid("409 document-listed" if open_still else "409 bidding-closed")(case)


def _opened_documents(*, reading: bool) -> Rule:
    """The winner's, which its quality envelope lists: for those who read that, and the winner."""
    known = bidders_known("200", reading=True)

    def rule(case: Case) -> str:
        if case.moment.opened and case.acts_for(Of.WINNER) and case.holds("bid_manager"):
            return "200"
        if (refusal := known(case)) != "200":
            return refusal
        if case.moment.opened and case.in_force & READS_QUALITY:
            return "200"
        prices_open = case.moment.lot in PRICES_OPEN and "price_evaluator" in case.in_force
        return "200" if prices_open and not reading else NOT_FOUND

    return rule


OF_DOCUMENTS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "beginDocument": signed_in(_begin_document),
        "listMyDocuments": people(lambda case: case.holds("bid_manager"), "200", FORBIDDEN),
        "getMyDocument": own_bid("200"),
        "askUploadOffset": own_bid("204"),
        "sendDocumentPart": own_bid("409 document-complete"),
        "completeDocument": own_bid("201"),
        "removeDocument": _removal_of_document,
        "listOpenedDocuments": _opened_documents(reading=False),
        "readOpenedDocument": _opened_documents(reading=True),
    }
)
