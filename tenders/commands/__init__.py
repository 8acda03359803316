"""Acts on tenders, by noun: each one transaction."""
