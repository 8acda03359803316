"""Who may do what with a tender, and why not."""
