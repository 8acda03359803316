"""What people are told by e-mail of evaluations and awards: one entry a kind of notice."""

from typing import Final

from evaluation.notices import award, challenges, clarifications, joint, quality
from market.mail.kinds import NoticeKind

KINDS: Final[tuple[NoticeKind, ...]] = (
    *quality.KINDS,
    *clarifications.KINDS,
    *award.KINDS,
    *joint.KINDS,
    *challenges.KINDS,
)
