"""What people are told by e-mail of tenders and of their standing: one entry a kind of notice."""

from typing import Final

from market.mail.kinds import NoticeKind
from tenders.notices import amendments, duties, extensions, opportunities, standing

KINDS: Final[tuple[NoticeKind, ...]] = (
    *opportunities.KINDS,
    *amendments.KINDS,
    *duties.KINDS,
    *extensions.KINDS,
    *standing.KINDS,
)
