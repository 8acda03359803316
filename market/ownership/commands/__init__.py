"""Acts about ownership: importing statements, stating and ending links, saying who is who."""

from market.ownership.commands.imports import import_statements
from market.ownership.commands.links import end_link, state_link
from market.ownership.commands.matches import state_match, withdraw_match

__all__ = ["end_link", "import_statements", "state_link", "state_match", "withdraw_match"]
