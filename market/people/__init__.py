"""People, what they may do for which organisation, and how they sign in."""
