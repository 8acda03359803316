"""E-mail addresses in one form, and which roles people of an organisation can be given."""

from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from email_validator import EmailNotValidError, validate_email

from market.actor import Role
from market.organisations.rules import BUYER_KINDS, SUPPLIER_KINDS, OrganisationKind

OPERATOR: Final[UUID] = uuid5(NAMESPACE_URL, "urn:market:operator")
"""The organisation that runs the market: the same id in every market, known to its guards."""

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
