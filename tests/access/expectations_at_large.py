"""What operations about the market at large answer to everybody: one row an operation.

The organisation they are about is the group that buys; the interest and the gift are its
commissioner's; the key, the client and the webhook are its administrator's. Written, as the other
table, from the documents alone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.kinds import Of
from tests.access.rules import (
    FORBIDDEN,
    NOT_FOUND,
    Rule,
    administrators,
    everybody,
    people,
    signed_in,
)

_NOT_TO_STATE = "403 not-yours-to-state"
_NOT_YOUR_WEBHOOK = "403 not-your-webhook"
_SSO_OFF = "404 single-sign-on-off"
_KEEP_REGISTERS = frozenset({Of.BUYER, Of.OTHER, Of.OPERATOR, Of.HELPER})
"""Bodies that buy, and units that help them to."""


def _registrar(case: Case) -> bool:
    return case.holds("registrar")


def _buyers(*roles: str) -> Callable[[Case], bool]:
    """In one of the roles for the buyer."""
    return lambda case: case.acts_for(Of.BUYER) and bool(set(roles) & set(case.kind.roles))


def _anywhere(*roles: str) -> Callable[[Case], bool]:
    """In one of the roles, for whichever organisation."""
    return lambda case: bool(set(roles) & set(case.kind.roles))


def _is(name: str) -> Callable[[Case], bool]:
    return lambda case: case.kind.name == name


_holder = _is("buyer's commissioner")
_owner = _is("buyer's administrator")
_guardian = _buyers("conflicts_guardian")
_private = _buyers("conflicts_guardian", "auditor")
_private_or_lay = _buyers("conflicts_guardian", "auditor", "lay_member")


def _entry(
    readers: Callable[[Case], bool], may: Callable[[Case], bool], answer: str, refusal: str
) -> Rule:
    """About somebody's entry in a register, of which only they and its readers know."""

    def rule(case: Case) -> str:
        if may(case):
            return answer
        return refusal if readers(case) or _holder(case) else NOT_FOUND

    return signed_in(rule)


def _correct(readers: Callable[[Case], bool]) -> Rule:
    def may(case: Case) -> bool:
        return _holder(case) or _guardian(case)

    return _entry(readers, may, "201", "403 not-your-entry")


def _own_confirmation(answer: str, contradicted: str | None = None) -> Rule:
    """One's own confirmation, where one acts for a body that keeps a register."""

    def rule(case: Case) -> str:
        if case.acts_for(Of.THEMSELVES):
            return NOT_FOUND
        if case.kind.of not in _KEEP_REGISTERS:
            return "404 no-register"
        return contradicted if contradicted and _holder(case) else answer

    return signed_in(rule)


def _makes_credentials(case: Case) -> str:
    if not case.acts_for(Of.BUYER):
        return NOT_FOUND
    return "201" if case.holds("administrator") else "403 not-in-own-organisation"


def _credential(answer: str, registrar: str) -> Rule:
    """About the administrator's own credential; the registrar may end it, and not use it."""

    def rule(case: Case) -> str:
        if _owner(case):
            return answer
        return registrar if _registrar(case) else NOT_FOUND

    return signed_in(rule)


def _makes_webhooks(case: Case) -> str:
    if not case.acts_for(Of.BUYER):
        return NOT_FOUND
    return "201" if case.holds("administrator") else "403 not-for-this-organisation"


def _matches(case: Case) -> bool:
    return _registrar(case) or _holder(case) or _guardian(case)


def _decide_application(case: Case) -> str:
    if case.kind.name == "applicant":
        return "403 only-registrar-decides"
    return "201" if _registrar(case) else NOT_FOUND


def _for_an_organisation(answer: str, otherwise: str | None = None) -> Rule:
    """By whoever acts for an organisation; with another answer, the supplier's own alone."""

    def rule(case: Case) -> str:
        if case.acts_for(Of.THEMSELVES):
            return "403 not-acting"
        return answer if otherwise is None or case.acts_for(Of.SUPPLIER) else otherwise

    return signed_in(rule)


AT_LARGE: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        # signing in
        "signIn": everybody("201"),
        "beginSingleSignOn": everybody(_SSO_OFF),
        "answerSingleSignOn": everybody(_SSO_OFF),
        "acceptInvitation": everybody("201"),
        "resetPassword": everybody("404 reset-over"),
        "listMySessions": signed_in("200"),
        "endSession": signed_in("204"),
        "endOtherSessions": signed_in("204"),
        "confirmSession": signed_in("201"),
        "switchSession": people(lambda case: case.acts_for(Of.BUYER), "201", "403 not-a-member"),
        # oneself
        "getMyself": signed_in("200"),
        "changePassword": signed_in("403 confirmation-wrong"),
        "listMyAuthenticators": signed_in("200"),
        "enrolAuthenticator": signed_in("201"),
        "registerOfficerKey": signed_in("201"),
        "listOfficerKeys": signed_in("200"),
        "confirmAuthenticator": signed_in(NOT_FOUND),
        "removeAuthenticator": signed_in(NOT_FOUND),
        "listMyIdentities": signed_in("200"),
        "linkIdentity": signed_in(_SSO_OFF),
        "removeIdentity": signed_in(NOT_FOUND),
        "listMyInterests": signed_in("200"),
        "listMyGifts": signed_in("200"),
        "listNotices": signed_in("200"),
        "getNoticePreferences": signed_in("200"),
        "changeNoticePreferences": signed_in("200"),
        "getMyInterestConfirmation": _own_confirmation("200"),
        "confirmInterests": _own_confirmation("201", "409 confirmation-contradicted"),
        # the people of an organisation
        "invitePerson": administrators("201", registrar=True),
        "listInvitations": administrators("200", registrar=True),
        "revokeInvitation": administrators("204", registrar=True),
        "listMemberships": administrators("200", registrar=True),
        "endMembership": administrators("204", registrar=True),
        "giveRole": administrators("201", registrar=True),
        "removeMember": administrators("204", registrar=True),
        "offerPasswordReset": administrators("201", registrar=True),
        # organisations, suppliers, the clock
        "listOrganisations": everybody("200"),
        "getOrganisation": everybody("200"),
        "listServiceLines": everybody("200"),
        "listRuleSets": everybody("200"),
        "getClock": everybody("200"),
        "listEvents": everybody("200"),
        # no worker runs here, so that nothing is signed yet: tests/market/transparency has the rest
        "tryMethod": everybody("200"),
        "getLogKey": everybody("200"),
        "listLogRestarts": everybody("200"),
        "listCheckpoints": everybody("200"),
        "getCheckpoint": everybody("404 no-checkpoint"),
        "getInclusionProof": everybody("409 not-signed-yet"),
        "getConsistencyProof": everybody("409 not-signed-yet"),
        "getEventProof": everybody(NOT_FOUND),
        "shiftClock": people(_registrar, "201", FORBIDDEN),
        "applyToSupply": everybody("201"),
        "listSupplierApplications": people(_registrar, "200", FORBIDDEN),
        "getSupplierApplication": people(
            lambda case: _registrar(case) or case.kind.name == "applicant", "200", NOT_FOUND
        ),
        "decideSupplierApplication": signed_in(_decide_application),
        "getTrackRecord": everybody("200"),
        "listSuppliers": everybody("200"),
        # what one looks for
        "saveSearch": _for_an_organisation("201"),
        "listSavedSearches": _for_an_organisation("200"),
        "endSavedSearch": _for_an_organisation("204", NOT_FOUND),
        # systems
        "makeApiKey": signed_in(_makes_credentials),
        "listApiKeys": administrators("200", registrar=True),
        "replaceApiKey": _credential("201", FORBIDDEN),
        "revokeApiKey": _credential("204", "204"),
        "registerClient": signed_in(_makes_credentials),
        "listClients": administrators("200", registrar=True),
        "getClient": _credential("200", "200"),
        "changeClientKeys": _credential("200", FORBIDDEN),
        "revokeClient": _credential("204", "204"),
        # webhooks
        "makeWebhook": signed_in(_makes_webhooks),
        "listWebhooks": administrators("200", registrar=True),
        "getWebhook": _credential("200", "200"),
        "rotateWebhookSecret": _credential("201", _NOT_YOUR_WEBHOOK),
        "pauseWebhook": _credential("200", "200"),
        "resumeWebhook": _credential("409 not-paused", _NOT_YOUR_WEBHOOK),
        "endWebhook": _credential("204", "204"),
        "verifyWebhook": _credential("202", _NOT_YOUR_WEBHOOK),
        "replayWebhook": _credential("202", _NOT_YOUR_WEBHOOK),
        "listWebhookDeliveries": _credential("200", "200"),
        "getWebhookDelivery": signed_in(NOT_FOUND),  # it has delivered nothing yet
        # award duties held for another organisation
        "delegateAwardDuties": administrators("201", registrar=False),
        "listAwardDelegations": everybody("200"),
        "endAwardDelegation": administrators("201", registrar=False),
        "listProcurementDecisions": everybody("200"),
        # the registers
        "getRegisterOfInterests": everybody("200"),
        "getPrivateRegisterOfInterests": people(_private, "200", FORBIDDEN),
        "listInterestConfirmationsDue": people(
            _buyers("conflicts_guardian", "auditor", "administrator"), "200", FORBIDDEN
        ),
        "listRecordsPastKeeping": people(_private, "200", FORBIDDEN),
        "declareInterest": people(
            lambda case: case.acts_for(Of.BUYER), "201", "403 not-your-entry"
        ),
        "getInterest": _entry(
            _private, lambda case: _holder(case) or _private(case), "200", NOT_FOUND
        ),
        "correctInterest": _correct(_private),
        "endInterest": _correct(_private),
        "recordMitigation": _entry(_private, _guardian, "201", "403 not-yours-to-mitigate"),
        "decideOnConsent": _entry(_private, _guardian, "201", "403 not-yours-to-decide"),
        "getRegisterOfGifts": everybody("200"),
        "getPrivateRegisterOfGifts": people(_private_or_lay, "200", FORBIDDEN),
        "listGiftThresholds": everybody("200"),
        "declareGift": people(lambda case: case.acts_for(Of.BUYER), "201", "403 not-your-entry"),
        "getGift": _entry(
            _private_or_lay,
            lambda case: _holder(case) or _private_or_lay(case),
            "200",
            NOT_FOUND,
        ),
        "correctGift": _correct(_private_or_lay),
        "reviewGift": _entry(
            _private_or_lay,
            _buyers("conflicts_guardian", "lay_member"),
            "201",
            "403 not-yours-to-review",
        ),
        "decideOnGiftConsent": _entry(_private_or_lay, _guardian, "201", "403 not-yours-to-decide"),
        "listConflictBreaches": everybody("200"),
        "listPrivateConflictBreaches": people(_private, "200", FORBIDDEN),
        "recordBreach": people(_guardian, "201", "403 guardian-needed"),
        "publishBreach": signed_in(
            lambda case: (
                "201" if _guardian(case) else "403 guardian-needed" if _private(case) else NOT_FOUND
            )
        ),
        # ownership
        "listOwnership": everybody("200"),
        "listOwnershipImports": people(
            _anywhere("registrar", "conflicts_guardian", "auditor"), "200", FORBIDDEN
        ),
        "importOwnership": people(
            _anywhere("registrar", "conflicts_guardian"), "201", _NOT_TO_STATE
        ),
        "listOwnershipParties": signed_in("200"),
        "stateOwnershipLink": people(_registrar, "201", _NOT_TO_STATE),
        "endOwnershipLink": people(_registrar, "201", _NOT_TO_STATE),
        "listMatchedPeople": signed_in("200"),
        "matchPerson": people(_matches, "201", _NOT_TO_STATE),
        "withdrawMatch": people(
            lambda case: _registrar(case) or _guardian(case), "204", _NOT_TO_STATE
        ),
    }
)
