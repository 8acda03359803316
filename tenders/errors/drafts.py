"""Refusals about drafts of bids."""

from market.errors import MarketError, Stale, keeps


@keeps("bid_draft_counts", "bid_draft_once")
class DraftChanged(Stale):
    """The draft was saved, submitted or discarded since the caller read it."""

    title = "The draft has changed since you read it. Read it again and repeat the request."


class DraftUnreadable(MarketError):
    """The draft cannot be decrypted: the key it was saved under is missing, or it was changed."""

    status = 503
    title = "The draft cannot be read now. Nothing is lost by waiting; tell the operator."
    retry_after = 60
