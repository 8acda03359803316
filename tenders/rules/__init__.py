"""The pure rules of tenders: requirements, bids, rule sets, duties and stages."""
