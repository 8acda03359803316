"""Who owns, controls and directs whom: imported statements, stated links, and the paths in them."""
