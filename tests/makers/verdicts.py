"""Judging a tender's record by both verifiers: the market's own, and the one that stands alone."""

from collections.abc import Sequence

from market.transparency.rules.verdicts import Verdict
from market.transparency.stand_alone_verifier import findings
from market.transparency.verification import verify_export
from tests.makers.tender_records import KEY


def judged(
    content: bytes,
    held: Sequence[str] = (),
    keys: Sequence[str] = (KEY.vkey,),
    *,
    in_frame: bool = False,
) -> Verdict:
    """Verify by both; they must agree on good or bad, and on the first bad position.

    Of a file that is malformed in its frame, which is all but its events (`in_frame`), they need
    only agree that it is bad: the one that stands alone does not look for the position as far.
    """
    verdict = verify_export(content, keys, held)
    other = list(findings(content, keys, held))
    positions = [position for _, position in other if position is not None]
    assert verdict.good == (not other), (verdict.findings, other)
    if not in_frame:
        assert verdict.first_bad_position == min(positions, default=None), (
            verdict.findings,
            other,
        )
    assert verdict.good == (not verdict.findings)
    return verdict
