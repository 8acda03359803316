"""What can be read of amendments: public, with what each changed."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, reading
from market.errors import NotFound
from market.pages import Page
from tenders.permissions.tenders import ensure_sees
from tenders.queries.facts import facts_of
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.rules.amendments import changes, new_forms
from tenders.rules.requirement import Requirement
from tenders.schemas.amendments import AmendmentView

_AMENDMENTS = """
SELECT a.id, a.tender, a.number, a.summary, a.reason, a.material, a.published_at,
    a.deadline_before, a.deadline_after, a.requirement_before, a.requirement_after,
    encode(b.digest, 'hex') AS digest_before, encode(n.digest, 'hex') AS digest_after,
    b.content AS before, n.content AS after
FROM amendment a
JOIN requirement_version b ON b.tender = a.tender AND b.number = a.requirement_before
JOIN requirement_version n ON n.tender = a.tender AND n.number = a.requirement_after
WHERE a.tender = $1
"""
_PAGE = (
    _AMENDMENTS
    + """
AND ($2::timestamptz IS NULL OR (a.published_at, a.id) < ($2, $3::uuid))
ORDER BY a.published_at DESC, a.id DESC LIMIT $4
"""
)
_ONE = _AMENDMENTS + " AND a.number = $2"

_TEXTS = """
SELECT r.number, r.content FROM requirement_version r
WHERE r.tender = $1 AND (
    r.number = (SELECT published_requirement FROM tender WHERE id = $1)
    OR r.number = (SELECT max(number) FROM requirement_version WHERE tender = $1))
ORDER BY r.number
"""


class Text(msgspec.Struct, frozen=True):
    """A version of a requirement, as it is stored."""

    number: int
    content: str


class _Amendment(msgspec.Struct, frozen=True):
    id: UUID
    tender: UUID
    number: int
    summary: str
    reason: str
    material: bool
    published_at: datetime
    deadline_before: datetime
    deadline_after: datetime
    requirement_before: int
    requirement_after: int
    digest_before: str
    digest_after: str
    before: str
    after: str

    def view(self) -> AmendmentView:
        """What everybody reads of it."""
        found, forms = [], []
        if self.requirement_before != self.requirement_after:
            earlier = msgspec.json.decode(self.before, type=Requirement)
            later = msgspec.json.decode(self.after, type=Requirement)
            found, forms = changes(earlier, later), new_forms(earlier, later)
        return AmendmentView(
            tender=self.tender,
            number=self.number,
            summary=self.summary,
            reason=self.reason,
            material=self.material,
            published_at=self.published_at,
            deadline_before=self.deadline_before,
            deadline_after=self.deadline_after,
            requirement_before=self.requirement_before,
            requirement_after=self.requirement_after,
            digest_before=self.digest_before,
            digest_after=self.digest_after,
            changes=found,
            new_forms=forms,
        )


async def texts_of(tender_id: UUID) -> tuple[Text, Text]:
    """The published version and the latest one, the same where none was drafted since.

    To be asked inside a transaction that has permitted it.

    Raises:
        NotFound: nothing is published.
    """
    rows = await fetch(Text, _TEXTS, tender_id)
    if not rows:
        raise NotFound
    return rows[0], rows[-1]


async def amendment_view_of(tender_id: UUID, number: int) -> AmendmentView:
    """Show one amendment inside a transaction that has permitted it.

    Raises:
        NotFound: there is none of that number.
    """
    rows = await fetch(_Amendment, _ONE, tender_id, number)
    if not rows:
        raise NotFound
    return rows[0].view()


async def amendments(
    actor: Actor, tender_id: UUID, *, limit: int, cursor: str | None
) -> Page[AmendmentView]:
    """List the amendments of a tender, the latest first, to whoever may see it.

    Raises:
        NotFound: there is no such tender, or a draft that the actor may not know of.
        Malformed: the cursor is none of ours.
    """
    moment, item = read_cursor(cursor)
    async with reading(actor):
        ensure_sees(actor, await facts_of(actor, tender_id))
        rows = await fetch(_Amendment, _PAGE, tender_id, moment, item, limit + 1)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursor_at(last.published_at, last.id)
    return Page(items=[row.view() for row in rows[:limit]], next=following)
