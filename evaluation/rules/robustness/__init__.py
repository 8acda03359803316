"""How firmly a ranking stands: it informs the panel, and never changes a score."""
