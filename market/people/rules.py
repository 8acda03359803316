"""Pure rules about people: what an e-mail address and a password must be, who grants which role."""

from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from email_validator import EmailNotValidError, validate_email

from market.actor import Role
from market.errors import Fault
from market.organisations.rules import BUYER_KINDS, SUPPLIER_KINDS, OrganisationKind

OPERATOR: Final[UUID] = uuid5(NAMESPACE_URL, "urn:market:operator")
"""The organisation that runs the market: the same id in every market, known to its guards."""

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

_BUYER_ROLES = frozenset(
    {
        Role.ADMINISTRATOR,
        Role.PROCUREMENT_LEAD,
        Role.COMMISSIONER,
        Role.LAY_MEMBER,
        Role.CONFLICTS_GUARDIAN,
        Role.AUDITOR,
    }
)
_SUPPLIER_ROLES = frozenset({Role.ADMINISTRATOR, Role.BID_MANAGER})
WATCHMEN: Final[frozenset[Role]] = frozenset(
    {Role.CONFLICTS_GUARDIAN, Role.LAY_MEMBER, Role.AUDITOR}
)
"""Roles that watch over others, and that nobody gives themselves."""


def normal_email(text: str) -> str:
    """Give the address in the one form in which it is stored and compared.

    Raises:
        ValueError: with a sentence that says what is wrong.
    """
    try:
        address = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return address.normalized.lower()


def password_faults(password: str, *, email: str, name: str) -> list[Fault]:
    """Everything that is wrong with a new password; length is what counts (NIST SP 800-63B)."""
    faults = []
    if len(password) < SHORTEST_PASSWORD:
        reason = f"A password has at least {SHORTEST_PASSWORD} characters; a few words do well."
        faults.append(Fault(field="password", reason=reason))
    if len(set(password)) < SHORTEST_PASSWORD // 2:
        reason = "A password is not made of the same few characters repeated."
        faults.append(Fault(field="password", reason=reason))
    spoken = {part for part in (email.partition("@")[0], *name.lower().split()) if len(part) > 3}  # noqa: PLR2004  # short names occur in any sentence
    if any(part.lower() in password.lower() for part in spoken):
        reason = "A password does not hold your name or e-mail address."
        faults.append(Fault(field="password", reason=reason))
    return faults


def grantable_roles(kind: OrganisationKind) -> frozenset[Role]:
    """The roles that people of an organisation of this kind can be given by its administrator.

    The registrar's role is given by the operator's command line alone.
    """
    roles: frozenset[Role] = frozenset()
    if kind in BUYER_KINDS:
        roles |= _BUYER_ROLES
    if kind in SUPPLIER_KINDS:
        roles |= _SUPPLIER_ROLES
    if kind is OrganisationKind.COMMISSIONING_SUPPORT_UNIT:
        # a unit's staff may also help a group to run a tender, in which the unit then cannot bid
        roles |= {Role.COMMISSIONER, Role.PROCUREMENT_LEAD}
    return roles
