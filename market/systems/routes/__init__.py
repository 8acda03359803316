"""HTTP about systems."""

from market.systems.routes.clients import ClientController, OrganisationClientController
from market.systems.routes.keys import ApiKeyController, OrganisationApiKeyController
from market.systems.routes.tokens import TokenController

CONTROLLERS = (
    OrganisationApiKeyController,
    ApiKeyController,
    OrganisationClientController,
    ClientController,
)
"""What belongs to the API; the token endpoint lies beside it, as RFC 6749 has it."""

TOKENS = (TokenController,)

__all__ = ["CONTROLLERS", "TOKENS"]
