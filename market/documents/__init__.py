"""Documents of bids: how their parts are sealed, where they are stored, what they may be."""
