"""Every kind of notice the market knows: one line a feature."""

from market.mail.kinds import NoticeKind

KINDS: tuple[NoticeKind, ...] = ()
"""What `market worker` makes notices of and the API shows; a feature adds its own tuple here."""
