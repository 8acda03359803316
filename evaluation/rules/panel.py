"""Who scores what: what a panel must be, and how far its scores lie apart."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from market.errors import Fault


def panel_faults(
    seats: Sequence[tuple[UUID, Sequence[str]]],
    *,
    criteria: Sequence[str],
    evaluators: Collection[UUID],
    minimum: int,
) -> Iterator[Fault]:
    """Find everything wrong with a panel: `seats` are evaluators with the codes they score.

    `evaluators` are those who hold the duty and, once the bids are open, can act. Nobody is listed
    twice, every code is one that the lot scores, and every criterion has the published minimum.
    """
    named = Counter(person for person, _ in seats)
    for index, (person, codes) in enumerate(seats):
        field = f"evaluators[{index}]"
        if person not in evaluators:
            reason = "That is no quality evaluator of this tender who can act; give the duty first."
            yield Fault(field=f"{field}.person", reason=reason)
        if named[person] > 1:
            yield Fault(field=f"{field}.person", reason="List each evaluator once.")
        for place, code in enumerate(codes):
            if code not in criteria:
                reason = f"The lot scores no criterion with the code {code}."
                yield Fault(field=f"{field}.criteria[{place}]", reason=reason)
            elif code in codes[:place]:
                reason = f"The criterion {code} is listed more than once."
                yield Fault(field=f"{field}.criteria[{place}]", reason=reason)
    scored_by = Counter(code for person, codes in seats if person in evaluators for code in codes)
    for code in criteria:
        if scored_by[code] < minimum:
            reason = (
                f"{code} has {scored_by[code]} evaluators who can act; the published minimum is"
                f" {minimum}."
            )
            yield Fault(field="evaluators", reason=reason)


def spread(values: Sequence[Decimal]) -> Decimal:
    """Return how far values lie apart; nothing apart where there are fewer than two."""
    return max(values) - min(values) if values else Decimal(0)


def is_flagged(values: Sequence[Decimal], tolerance: Decimal | None, *, pass_fail: bool) -> bool:
    """Say whether scores lie further apart than was published; exactly as far is not further.

    Where nothing was published nothing is flagged; where something was, verdicts that differ are.
    """
    if tolerance is None:
        return False
    return spread(values) > (0 if pass_fail else tolerance)


def deltas(agreed: Fraction, originals: Mapping[UUID, Decimal]) -> dict[UUID, Fraction]:
    """Return by how much the agreed value lies above each evaluator's own; below is negative."""
    return {person: agreed - Fraction(value) for person, value in originals.items()}
