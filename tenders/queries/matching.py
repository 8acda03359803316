"""Which opportunities match: one predicate for the list of them and for saved searches."""

from typing import Final

_MATCHES = r"""(
    (cardinality({lines}) = 0 OR EXISTS (
        SELECT 1 FROM lot l JOIN lot_service_line s ON s.lot = l.id
        WHERE l.tender = t.id AND s.service_line = ANY ({lines})))
    AND ({text} IS NULL OR t.title ILIKE
        '%' || regexp_replace({text}, '([\\%_])', '\\\1', 'g') || '%')
    AND ({buyer} IS NULL OR EXISTS (
        SELECT 1 FROM tender_buyer b WHERE b.tender = t.id AND b.organisation = {buyer}))
    AND ({minimum} IS NULL AND {maximum} IS NULL OR EXISTS (
        SELECT 1 FROM lot l WHERE l.tender = t.id
        AND l.estimated_annual_value >= coalesce({minimum}, 0)
        AND l.estimated_annual_value <= coalesce({maximum}, 'Infinity')))
)"""
"""About the published tender `t`. The text is looked for as it stands, not as a pattern."""


def matching(*, text: str, lines: str, buyer: str, minimum: str, maximum: str) -> str:
    """Give the condition that the tender `t` fulfils some filters, each an SQL expression."""
    return _MATCHES.format(text=text, lines=lines, buyer=buyer, minimum=minimum, maximum=maximum)


MATCHES_SAVED: Final = matching(
    text="search.text",
    lines="search.service_lines",
    buyer="search.buyer",
    minimum="search.minimum_value",
    maximum="search.maximum_value",
)
"""That the tender `t` matches the saved search `search`."""
