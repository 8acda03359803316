"""Links as they are shown: from either end, with their source."""

from uuid import UUID

from market.database import fetch, fetch_one
from market.errors import NotFound
from market.ownership.schemas import LinkView

_SHOWN = """
SELECT l.id, l.holder, h.name AS holder_name, h.kind AS holder_kind, l.subject,
    s.name AS subject_name, l.kind, trim_scale(l.share_minimum)::text AS share_minimum,
    trim_scale(l.share_maximum)::text AS share_maximum, l.majority, l.indirect, l.summary,
    l.starts_on, l.ends_on, l.superseded_at, coalesce(l.source, i.source) AS source,
    t.statement, l.recorded_at,
    l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= d.today)
        AND (l.ends_on IS NULL OR l.ends_on > d.today) AS in_force
FROM ownership_link l
JOIN ownership_party h ON h.id = l.holder
JOIN ownership_party s ON s.id = l.subject
LEFT JOIN ownership_statement t ON t.id = l.statement
LEFT JOIN ownership_import i ON i.id = t.imported_in
CROSS JOIN (SELECT (market_now() AT TIME ZONE 'Europe/London')::date AS today) d
"""
_ONE = f"{_SHOWN} WHERE l.id = $1"
_OF_ORGANISATION = f"""{_SHOWN}
WHERE (l.holder IN (SELECT parties_of_organisation($1))
       OR l.subject IN (SELECT parties_of_organisation($1)))
  AND ($2::uuid IS NULL OR l.id > $2)
ORDER BY l.id LIMIT $3
"""


async def link_view(link: UUID) -> LinkView:
    """One link, in the current transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(LinkView, _ONE, link)
    if found is None:
        raise NotFound
    return found


async def links_of_organisation(
    organisation: UUID, after: UUID | None, limit: int
) -> list[LinkView]:
    """The links at either end of an organisation, by id, in the current transaction."""
    return await fetch(LinkView, _OF_ORGANISATION, organisation, after, limit)
