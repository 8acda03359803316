"""Tables of tenders: what is needed, who holds which duty, and the sealed bids."""
