"""Who acts: one person, for one organisation, in a session or by a system, by one request."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Role(StrEnum):
    """What a person may do for an organisation, before any duty in a tender."""

    ADMINISTRATOR = "administrator"
    PROCUREMENT_LEAD = "procurement_lead"
    COMMISSIONER = "commissioner"
    LAY_MEMBER = "lay_member"
    CONFLICTS_GUARDIAN = "conflicts_guardian"
    BID_MANAGER = "bid_manager"
    REGISTRAR = "registrar"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What the credential of a system may be used for; whatever else there is, persons do."""

    OPPORTUNITIES_READ = "opportunities:read"
    REGISTER_READ = "register:read"
    TENDERS_READ = "tenders:read"
    EVENTS_READ = "events:read"
    BIDS_READ = "bids:read"
    BIDS_WRITE = "bids:write"


class RequestKey(msgspec.Struct, frozen=True):
    """An Idempotency-Key with what it was used for; the body's digest is keyed by the key."""

    key: UUID
    operation: str
    body_digest: bytes


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The acting person, as the session's row said at the start of the request.

    `fresh` is whether they proved who they are within the last quarter of an hour; `address` is
    where the request came from.

    By a credential a system acts in the name of the person who made it: `credential` is then the
    id of the API key or client, and `scopes` what it may be used for; in a session both are None.
    """

    person: UUID | None = None
    organisation: UUID | None = None
    roles: frozenset[Role] = frozenset()
    session: UUID | None = None
    fresh: bool = False
    request: str = "-"
    address: str = ""
    key: RequestKey | None = None
    credential: UUID | None = None
    scopes: frozenset[Scope] | None = None

    def holds(self, role: Role) -> bool:
        """Say whether the actor holds a role in the organisation they act for."""
        return role in self.roles

    def continued(self) -> "Actor":
        """The same actor for a second command of one request, which no key covers."""
        return msgspec.structs.replace(self, key=None)


ANONYMOUS = Actor()
