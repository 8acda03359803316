"""What a market of sealed bids does, in as few words as can be: to compare the market with."""

from msgspec import Struct, field

REFUSED_AFTER_THE_DEADLINE = "bidding-closed"


class Bid(Struct):
    """A bid: its version, whether it stands, and what was offered last."""

    version: int
    stands: bool
    offer: str


class Model(Struct):
    """One tender with lots, bidders by their names, and two openers.

    Each act gives the name of the refusal it must meet, or None where it must be accepted.
    """

    bids: dict[tuple[str, int], Bid] = field(default_factory=dict)
    closed: bool = False
    confirmed: set[int] = field(default_factory=set)

    @property
    def opened(self) -> bool:
        """Two confirmations open the bids."""
        return len(self.confirmed) == 2

    def submit(self, bidder: str, lot: int, offer: str) -> str | None:
        """Give a first bid for a lot."""
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        if (bidder, lot) in self.bids:
            return "already-bid"
        self.bids[bidder, lot] = Bid(version=1, stands=True, offer=offer)
        return None

    def replace(self, bidder: str, lot: int, offer: str, *, read: int) -> str | None:
        """Replace a bid, as it was when version `read` was the last, or give it again."""
        if (refusal := self._changes(bidder, lot, read)) is not None:
            return refusal
        bid = self.bids[bidder, lot]
        bid.version, bid.stands, bid.offer = bid.version + 1, True, offer
        return None

    def withdraw(self, bidder: str, lot: int, *, read: int) -> str | None:
        """Withdraw a bid."""
        if (refusal := self._changes(bidder, lot, read)) is not None:
            return refusal
        bid = self.bids[bidder, lot]
        if not bid.stands:
            return "nothing-to-withdraw"
        bid.version, bid.stands = bid.version + 1, False
        return None

    def confirm(self, opener: int) -> str | None:
        """Confirm the opening, which happens once."""
        if not self.closed or self.opened:
            return "opening-not-due"
        if opener in self.confirmed:
            return "already-confirmed"
        self.confirmed.add(opener)
        return None

    def offers(self, lot: int) -> list[str]:
        """What is found in the envelopes of a lot: the last offer of every bid that stands."""
        return sorted(bid.offer for (_, of), bid in self.bids.items() if of == lot and bid.stands)

    def _changes(self, bidder: str, lot: int, read: int) -> str | None:
        if (bidder, lot) not in self.bids:
            return "not-found"
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        return "bid-changed" if self.bids[bidder, lot].version != read else None
