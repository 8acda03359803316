"""Every kind of person of the access matrix, as data: the cast and the expectations rest on it."""

from enum import StrEnum
from typing import Final

import msgspec


class Of(StrEnum):
    """Whom somebody acts for."""

    NOBODY = "nobody: not signed in"
    THEMSELVES = "no organisation"
    OPERATOR = "the market's operator"
    BUYER = "the group that buys"
    OTHER = "another group"
    WINNER = "the supplier whose bid is the best"
    LOSER = "a supplier that bids and does not win"
    SUPPLIER = "a supplier that does not bid"
    HELPER = "a commissioning support unit that helps to run the tender"


class Standing(StrEnum):
    """How somebody's duties in the tender stand, as long as nothing more is decided."""

    IN_FORCE = "in force"
    OFFERED = "given, and not taken up by a declaration"
    RELEASED = "released"
    SUSPENDED = "suspended"
    GONE = "held for an organisation that they have left"


class Interest(StrEnum):
    """What becomes of somebody's interest in a bidder, once bidders are known to them."""

    NONE = "declared to have none"
    UNDECLARED = "never declared"
    UNDECIDED = "declared, and not decided upon"
    MAY_DISCUSS = "decided: may discuss and not decide"
    MUST_LEAVE = "decided: must leave"
    REMOVED = "decided: removed for good"
    MEMBER = "a member of a bidder, which nobody decides upon"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of person: whom they act for, in which roles, and with what part in the tender."""

    name: str
    of: Of
    roles: tuple[str, ...] = ()
    duties: tuple[str, ...] = ()
    standing: Standing = Standing.IN_FORCE
    interest: Interest = Interest.NONE
    old_session: bool = False
    """Signed in more than a quarter of an hour ago, and not confirmed since."""
    system_of: str = ""
    """For an API key, in whose name it acts; and `scopes` is what it may be used for."""
    scopes: tuple[str, ...] | None = None


DUTIES: Final = (
    "tender_manager",
    "author",
    "reviewer",
    "opener",
    "quality_evaluator",
    "price_evaluator",
    "moderator",
    "award_approver",
    "guardian",
    "contract_manager",
    "outcome_reviewer",
)
_BUYER_ROLES: Final = (
    "administrator",
    "procurement_lead",
    "commissioner",
    "lay_member",
    "conflicts_guardian",
    "auditor",
)


def _holder(
    name: str,
    *duties: str,
    of: Of = Of.BUYER,
    role: str = "commissioner",
    interest: Interest = Interest.NONE,
) -> Kind:
    """Somebody who has taken up a duty, under a role that gives sight of drafts at most."""
    return Kind(name=name, of=of, roles=(role,), duties=duties, interest=interest)


def _part(name: str, *duties: str, standing: Standing, of: Of = Of.BUYER) -> Kind:
    """Somebody whose duties do not work, under a role that by itself gives nothing."""
    return Kind(name=name, of=of, roles=("lay_member",), duties=duties, standing=standing)


OUTSIDE: Final = (
    Kind(name="anonymous", of=Of.NOBODY),
    Kind(name="applicant", of=Of.THEMSELVES),
    Kind(name="registrar", of=Of.OPERATOR, roles=("registrar",)),
    *(Kind(name=f"buyer's {role}", of=Of.BUYER, roles=(role,)) for role in _BUYER_ROLES),
    *(Kind(name=f"other group's {role}", of=Of.OTHER, roles=(role,)) for role in _BUYER_ROLES),
    Kind(name="winner", of=Of.WINNER, roles=("administrator", "bid_manager")),
    Kind(name="loser", of=Of.LOSER, roles=("administrator", "bid_manager")),
    Kind(name="winner's colleague", of=Of.WINNER, roles=("administrator",)),
    Kind(name="supplier without a bid", of=Of.SUPPLIER, roles=("administrator", "bid_manager")),
    Kind(name="helping unit", of=Of.HELPER, roles=("administrator", "bid_manager")),
)
"""People without a duty in the tender."""

HOLDERS: Final = (
    # the manager begins the tender, for which the role of a procurement lead is needed
    _holder("tender_manager", "tender_manager", role="procurement_lead"),
    _holder("author", "author"),
    _holder("reviewer", "reviewer", of=Of.OTHER),
    *(_holder(duty, duty) for duty in DUTIES[3:]),
    _holder("second opener", "opener"),
    _holder("lay approver", "award_approver", role="lay_member"),
    _holder("helping author", "author", of=Of.HELPER),
    _holder("exempted evaluator", "author", "quality_evaluator"),
    *(
        msgspec.structs.replace(_holder(f"{duty} of an old session", duty), old_session=True)
        for duty in ("opener", "price_evaluator", "award_approver")
    ),
)
"""Each of the duties taken up, by people with no interest in a bidder."""

WITHOUT: Final = (
    *(_part(f"offered {duty}", duty, standing=Standing.OFFERED) for duty in DUTIES),
    _part("released manager", "tender_manager", standing=Standing.RELEASED),
    _part("released evaluator", "quality_evaluator", standing=Standing.RELEASED),
    _part("expired exemption", "author", "quality_evaluator", standing=Standing.SUSPENDED),
    _part("ended delegation", "moderator", standing=Standing.SUSPENDED, of=Of.OTHER),
    Kind(
        name="ended membership",
        of=Of.THEMSELVES,
        duties=("quality_evaluator",),
        standing=Standing.GONE,
    ),
)
"""Duties that were given and do not work: offered, released, suspended."""

INTERESTED: Final = (
    _holder("undeclared moderator", "moderator", interest=Interest.UNDECLARED),
    _holder("undecided opener", "opener", interest=Interest.UNDECIDED),
    _holder("undecided evaluator", "quality_evaluator", interest=Interest.UNDECIDED),
    _holder("undecided manager", "tender_manager", interest=Interest.UNDECIDED),
    _holder("discussing price evaluator", "price_evaluator", interest=Interest.MAY_DISCUSS),
    _holder("discussing evaluator", "quality_evaluator", interest=Interest.MAY_DISCUSS),
    _holder("leaving approver", "award_approver", interest=Interest.MUST_LEAVE),
    _holder("removed manager", "tender_manager", interest=Interest.REMOVED),
    _holder("evaluator in a bidder", "quality_evaluator", interest=Interest.MEMBER),
)
"""Duties in force, held by people with something that stands between them and the bids."""

EVERY_SCOPE: Final = (
    "opportunities:read",
    "register:read",
    "tenders:read",
    "events:read",
    "bids:read",
    "bids:write",
)
SYSTEMS: Final = (
    Kind(
        name="winner's system",
        of=Of.WINNER,
        roles=("administrator", "bid_manager"),
        system_of="winner",
        scopes=EVERY_SCOPE,
    ),
    Kind(
        name="system that only bids",
        of=Of.SUPPLIER,
        roles=("administrator", "bid_manager"),
        system_of="supplier without a bid",
        scopes=("bids:write",),
    ),
    Kind(
        name="buyer's system",
        of=Of.BUYER,
        roles=("administrator",),
        system_of="buyer's administrator",
        scopes=EVERY_SCOPE,
    ),
)
"""API keys, which act in the name of who made them, for what their scopes cover."""

KINDS: Final = (*OUTSIDE, *HOLDERS, *WITHOUT, *INTERESTED, *SYSTEMS)
