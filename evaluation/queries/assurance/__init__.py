"""What the assurance report of a tender tells each reader, by noun."""
