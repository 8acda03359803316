"""Pure rules of single sign-on: what is sent to the provider, and what its answers must be."""

from market.single_sign_on.rules.documents import (
    Metadata,
    TokenError,
    Tokens,
    client_authentication,
    ensure_usable,
    signing_keys,
)
from market.single_sign_on.rules.flow import (
    Proof,
    authorization_address,
    ensure_own_answer,
    proof_of,
)
from market.single_sign_on.rules.tokens import (
    Expected,
    Identity,
    UnknownKey,
    completed,
    ensure_invited,
    identity_in,
    name_of,
)

__all__ = [
    "Expected",
    "Identity",
    "Metadata",
    "Proof",
    "TokenError",
    "Tokens",
    "UnknownKey",
    "authorization_address",
    "client_authentication",
    "completed",
    "ensure_invited",
    "ensure_own_answer",
    "ensure_usable",
    "identity_in",
    "name_of",
    "proof_of",
    "signing_keys",
]
