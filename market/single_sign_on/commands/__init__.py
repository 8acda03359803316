"""Acts of single sign-on: beginning, answering, linking and removing."""

from market.single_sign_on.commands.identities import link_identity, remove_identity
from market.single_sign_on.commands.requests import ask
from market.single_sign_on.commands.sessions import sign_in

__all__ = ["ask", "link_identity", "remove_identity", "sign_in"]
