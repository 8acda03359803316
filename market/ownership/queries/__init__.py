"""What can be asked about ownership: imports, parties, who holds what, paths between parties."""

from market.ownership.queries.lists import (
    list_imports,
    list_matches,
    list_ownership,
    list_parties,
)
from market.ownership.queries.paths import FoundPath, paths_between

__all__ = [
    "FoundPath",
    "list_imports",
    "list_matches",
    "list_ownership",
    "list_parties",
    "paths_between",
]
