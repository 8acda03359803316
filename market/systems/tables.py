"""Tables of systems: API keys, clients, their tokens, and when each was last used."""

from typing import Any

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import MembershipTable, PersonTable

_SCOPES_KNOWN = (
    "cardinality(scopes) > 0 AND scopes <@ ARRAY['opportunities:read', 'register:read',"
    " 'tenders:read', 'events:read', 'bids:read', 'bids:write']::varchar[]"
)


class ApiKeyTable(Table, db=DB, tablename="api_key"):
    """A key by which a system acts in the name of whoever made it; of the secret only a code."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    membership = columns.ForeignKey(
        MembershipTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    name = columns.Varchar(length=100, default=None, null=False)
    scopes = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    addresses = columns.Array(base_column=columns.Varchar(length=50), default=None, null=False)
    secret_code = columns.Bytea(default=None, null=False, secret=True)
    predecessor: columns.ForeignKey[Any] = columns.ForeignKey(
        "self", default=None, null=True, on_delete=OnDelete.restrict, index=False
    )
    made_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)
    revoked_at = columns.Timestamptz(default=None, null=True)
    revoked_by = columns.UUID(default=None, null=True)

    api_key_scopes_known = Check(_SCOPES_KNOWN)
    api_key_one_successor = Unique(["predecessor"])


class ClientTable(Table, db=DB, tablename="oauth_client"):
    """A system that proves who it is by its own key pair; only public keys are here."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    membership = columns.ForeignKey(
        MembershipTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    name = columns.Varchar(length=100, default=None, null=False)
    scopes = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    keys = columns.JSONB(default=None, null=False)
    version = columns.Integer(default=None, null=False)
    made_at = columns.Timestamptz(default=None, null=False)
    revoked_at = columns.Timestamptz(default=None, null=True)
    revoked_by = columns.UUID(default=None, null=True)

    oauth_client_scopes_known = Check(_SCOPES_KNOWN)


class ClientTokenTable(Table, db=DB, tablename="client_token"):
    """A short token that a client got for one assertion; of both there are only digests."""

    id = columns.UUID(primary_key=True)
    client = columns.ForeignKey(
        ClientTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    token_digest = columns.Bytea(default=None, null=False, unique=True, secret=True)
    assertion_digest = columns.Bytea(default=None, null=False)
    scopes = columns.Array(base_column=columns.Varchar(length=40), default=None, null=False)
    issued_at = columns.Timestamptz(default=None, null=False)
    expires_at = columns.Timestamptz(default=None, null=False)

    client_token_assertion_once = Unique(["client", "assertion_digest"])
    client_token_scopes_known = Check(_SCOPES_KNOWN)


class CredentialUseTable(Table, db=DB, tablename="credential_use"):
    """When and from where a key or client was last used, to the minute.

    Not an event: it says no more than the log of requests does, changes with every use, and what
    the system did with it has events of its own.
    """

    credential = columns.UUID(primary_key=True, default=None)
    last_used_at = columns.Timestamptz(default=None, null=False)
    last_used_address = columns.Varchar(length=50, default=None, null=False)
