"""What a market of sealed bids does, in as few words as can be: to compare the market with."""

from msgspec import Struct, field

REFUSED_AFTER_THE_DEADLINE = "bidding-closed"


class Bid(Struct):
    """A bid: its version, whether it was withdrawn, what was offered last, and upon what."""

    version: int
    given: bool
    offer: str
    amendment: int
    """The last amendment it was given or confirmed under."""
    form: int


class Draft(Struct):
    """What a bidder has saved for a lot, and of which form."""

    version: int
    offer: str
    form: int


class Model(Struct):
    """One tender with lots, bidders by their names, and two openers.

    Each act gives the name of the refusal it must meet, or None where it must be accepted.
    """

    bids: dict[tuple[str, int], Bid] = field(default_factory=dict)
    drafts: dict[tuple[str, int], Draft] = field(default_factory=dict)
    saves: dict[str, int] = field(default_factory=dict)
    amendments: int = 0
    material: int = 0
    """The latest amendment after which every bid is confirmed or replaced."""
    forms: dict[int, int] = field(default_factory=dict)
    closed: bool = False
    confirmed: set[int] = field(default_factory=set)

    @property
    def opened(self) -> bool:
        """Two confirmations open the bids."""
        return len(self.confirmed) == 2

    # ------------------------------------------------------------------------------------- bidders

    def submit(self, bidder: str, lot: int, offer: str) -> str | None:
        """Give a first bid for a lot."""
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        if (bidder, lot) in self.bids:
            return "already-bid"
        self._give(bidder, lot, offer)
        return None

    def replace(self, bidder: str, lot: int, offer: str, *, read: int) -> str | None:
        """Replace a bid, as it was when version `read` was the last, or give it again."""
        if (refusal := self._changes(bidder, lot, read)) is not None:
            return refusal
        self._give(bidder, lot, offer)
        return None

    def withdraw(self, bidder: str, lot: int, *, read: int) -> str | None:
        """Withdraw a bid."""
        if (refusal := self._changes(bidder, lot, read)) is not None:
            return refusal
        bid = self.bids[bidder, lot]
        if not bid.given:
            return "nothing-to-withdraw"
        bid.version, bid.given = bid.version + 1, False
        return None

    def confirm_bid(self, bidder: str, lot: int, *, read: int, amendment: int) -> str | None:
        """Let a bid stand after a material amendment."""
        if (refusal := self._changes(bidder, lot, read)) is not None:
            return refusal
        bid = self.bids[bidder, lot]
        if not self._waits(bid):
            return "nothing-to-confirm"
        if amendment != self.material:
            return "amended-meanwhile"
        if bid.form != self.form(lot):
            return "must-be-replaced"
        bid.amendment = self.amendments
        return None

    # -------------------------------------------------------------------------------------- drafts

    def save(self, bidder: str, lot: int, offer: str, *, read: int | None) -> str | None:
        """Save a draft; the first without having read one."""
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        draft = self.drafts.get((bidder, lot))
        if draft is not None and read is None:
            return "precondition-missing"
        if read != (None if draft is None else draft.version):
            return "draft-changed"
        version = self.saves[bidder] = self.saves.get(bidder, 0) + 1
        self.drafts[bidder, lot] = Draft(version=version, offer=offer, form=self.form(lot))
        return None

    def submit_draft(self, bidder: str, lot: int, *, read: int) -> str | None:
        """Turn a draft into a bid, whether there was one or not."""
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        if (refusal := self._reads(bidder, lot, read)) is not None:
            return refusal
        draft = self.drafts[bidder, lot]
        if draft.form != self.form(lot):
            return "bid-incomplete"
        self._give(bidder, lot, draft.offer)
        del self.drafts[bidder, lot]
        return None

    def discard(self, bidder: str, lot: int, *, read: int) -> str | None:
        """Remove a draft, also after the deadline."""
        if (refusal := self._reads(bidder, lot, read)) is not None:
            return refusal
        del self.drafts[bidder, lot]
        return None

    # --------------------------------------------------------------------------------------- buyer

    def amend(self, *, material: bool, new_form_of: int | None = None) -> None:
        """Amend the tender, which takes bids."""
        self.amendments += 1
        if material:
            self.material = self.amendments
        if new_form_of is not None:
            self.forms[new_form_of] = self.form(new_form_of) + 1

    def confirm(self, opener: int) -> str | None:
        """Confirm the opening, which happens once."""
        if not self.closed or self.opened:
            return "opening-not-due"
        if opener in self.confirmed:
            return "already-confirmed"
        self.confirmed.add(opener)
        return None

    # -------------------------------------------------------------------------------- what is seen

    def form(self, lot: int) -> int:
        """Which form a bid for a lot has now, counted from nought."""
        return self.forms.get(lot, 0)

    def state(self, bid: Bid) -> str:
        """How a bid is said to stand."""
        if not bid.given:
            return "withdrawn"
        if not self._waits(bid):
            return "standing"
        return "lapsed" if self.closed else "to_confirm"

    def offers(self, lot: int) -> list[str]:
        """What is found in the envelopes of a lot: the last offer of every bid that stands."""
        return sorted(
            bid.offer
            for (_, of), bid in self.bids.items()
            if of == lot and self.state(bid) == "standing"
        )

    def _waits(self, bid: Bid) -> bool:
        return bid.given and bid.amendment < self.material

    def _give(self, bidder: str, lot: int, offer: str) -> None:
        bid = self.bids.get((bidder, lot))
        self.bids[bidder, lot] = Bid(
            version=1 if bid is None else bid.version + 1,
            given=True,
            offer=offer,
            amendment=self.amendments,
            form=self.form(lot),
        )

    def _changes(self, bidder: str, lot: int, read: int) -> str | None:
        if (bidder, lot) not in self.bids:
            return "not-found"
        if self.closed:
            return REFUSED_AFTER_THE_DEADLINE
        return "bid-changed" if self.bids[bidder, lot].version != read else None

    def _reads(self, bidder: str, lot: int, read: int) -> str | None:
        if (bidder, lot) not in self.drafts:
            return "not-found"
        return "draft-changed" if self.drafts[bidder, lot].version != read else None
