"""Every kind of notice the market knows: one line a feature."""

from evaluation import notices as evaluation_notices
from market.mail.kinds import NoticeKind
from tenders import notices as tender_notices

KINDS: tuple[NoticeKind, ...] = (*tender_notices.KINDS, *evaluation_notices.KINDS)
"""What `market worker` makes notices of and the API shows; a feature adds its own tuple here."""
