"""Disclosure of an evaluation's record in one act: what is asked for, and what was made."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.rules.disclosure import Naming, Recipient
from evaluation.schemas.figures import Reason, ensure_says_something
from evaluation.schemas.lines import LINE
from market.signing import Digest

Addressee = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]


class Disclose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom the record goes, and why.

    For a bidder, `organisation` is its id: what others offered is withheld. For a court, or those
    it lets into a confidentiality ring, `addressee` says whom: nothing of bids is withheld.
    Evaluators and moderators stand under pseudonyms unless `evaluators` says otherwise.
    """

    recipient: Recipient
    organisation: UUID | None = None
    addressee: Addressee | None = None
    evaluators: Naming = Naming.PSEUDONYMS
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "recipient": "court",
        "addressee": "Technology and Construction Court, claim HT-2030-000017",
        "evaluators": "named",
        "reason": "Ordered on 4 May: early specific disclosure to the ring.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks, and a recipient that is not said as its kind needs."""
        ensure_says_something(self.reason)
        bidder = self.recipient is Recipient.BIDDER
        if bidder != (self.organisation is not None) or bidder != (self.addressee is None):
            message = "Name the organisation of a bidder, or the addressee at a court."
            raise ValueError(message)


class BundleView(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was handed over: its digest is the SHA-256 of the file.

    `redactions` counts what was withheld by rule, `proofs` the acts whose place in the log is
    proven in it; both are listed in the file.
    """

    number: int
    recipient: Recipient
    organisation: UUID | None
    addressee: str | None
    evaluators: Naming
    reason: str
    redactions: int
    proofs: int
    size: int
    digest: Digest
    disclosed_by: UUID
    disclosed_at: datetime
