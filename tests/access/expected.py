"""What every operation answers to every kind of person in every state: both tables, and two walls.

Before an operation's own row two things decide, whatever it is: an API key does only what its
scopes cover, and an old session does not what asks for a fresh one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.expectations import OF_TENDERS
from tests.access.expectations_at_large import AT_LARGE
from tests.access.expectations_of_awards import OF_AWARDS
from tests.access.expectations_of_challenges import OF_CHALLENGES
from tests.access.expectations_of_contracts import OF_CONTRACTS
from tests.access.expectations_of_documents import OF_DOCUMENTS
from tests.access.expectations_of_records import OF_RECORDS
from tests.access.rules import Rule

EXPECTED: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        **AT_LARGE,
        **OF_TENDERS,
        **OF_AWARDS,
        **OF_DOCUMENTS,
        **OF_CHALLENGES,
        **OF_CONTRACTS,
        **OF_RECORDS,
    }
)

SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "getClock": "opportunities:read",
        "listRuleSets": "opportunities:read",
        "listTenders": "opportunities:read",
        "getTender": "opportunities:read",
        "getRequirement": "opportunities:read",
        "listAmendments": "opportunities:read",
        "listSealingKeys": "opportunities:read",
        "listOrganisations": "register:read",
        "getOrganisation": "register:read",
        "listServiceLines": "register:read",
        "listSuppliers": "register:read",
        "getTrackRecord": "register:read",
        "listMyTenders": "tenders:read",
        "listRequirementVersions": "tenders:read",
        "getRequirementVersion": "tenders:read",
        "listTenderRecord": "events:read",
        "listEvents": "events:read",
        "getLogKey": "events:read",
        "listLogRestarts": "events:read",
        "listCheckpoints": "events:read",
        "getCheckpoint": "events:read",
        "getInclusionProof": "events:read",
        "getConsistencyProof": "events:read",
        "getEventProof": "events:read",
        "listMyBids": "bids:read",
        "getMyBid": "bids:read",
        "listSigningKeys": "bids:read",
        "getDraft": "bids:read",
        "listDraftFaults": "bids:read",
        "getMyBidForLot": "bids:read",
        "saveDraft": "bids:write",
        "submitDraft": "bids:write",
        "discardDraft": "bids:write",
        "submitBid": "bids:write",
        "submitSealedBid": "bids:write",
        "replaceBySealedBid": "bids:write",
        "replaceBid": "bids:write",
        "withdrawBid": "bids:write",
        "beginDocument": "bids:write",
        "sendDocumentPart": "bids:write",
        "completeDocument": "bids:write",
        "removeDocument": "bids:write",
        "listMyDocuments": "bids:read",
        "getMyDocument": "bids:read",
        "askUploadOffset": "bids:read",
        "confirmBid": "bids:write",
    }
)
"""What systems may do at all, and by which scope; everything else persons do."""

FRESH: Final = frozenset(
    {
        "confirmOpening",
        "resumeOpening",
        "openPrices",
        "approveAward",
        "decideForBuyer",
        "offerPasswordReset",
        "enrolAuthenticator",
        "confirmAuthenticator",
        "registerOfficerKey",
        "passKeyShares",
        "releaseKeys",
    }
)
"""What asks for a sign-in of the last quarter of an hour."""


def expected(operation: str, case: Case) -> str:
    """The answer that is theirs."""
    scopes = case.kind.scopes
    if scopes is not None and SCOPES.get(operation) not in scopes:
        return "403 beyond-scope"
    if case.kind.old_session and operation in FRESH:
        return "403 fresh-sign-in-needed"
    return EXPECTED[operation](case)
