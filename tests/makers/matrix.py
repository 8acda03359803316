"""Which duties one person may hold together, written out by hand for the tests to compare with."""

# DESIGN, section 5, written out: F is refused whatever anybody decides, D is refused without an
# exemption by the conflicts guardian, + is lawful. The columns are the rows in their order.
_TABLE = """
tender_manager     . + + + F F F F F + +
author             + . F F D F F F F + F
reviewer           + F . + D D D + F + +
opener             + F + . + + + D F + +
quality_evaluator  F D D + . F + F F + +
price_evaluator    F F D + F . + F F + +
moderator          F F D + + + . F F + +
award_approver     F F + D F F F . F + F
guardian           F F F F F F F F . F F
contract_manager   + + + + + + + + F . F
outcome_reviewer   + F + + + + + F F F .
"""
_ROWS = [line.split() for line in _TABLE.strip().splitlines()]
DUTIES = [row[0] for row in _ROWS]
EXPECTED = {
    (row[0], second): cell
    for row in _ROWS
    for second, cell in zip(DUTIES, row[1:], strict=True)
    if cell != "."
}


def pairs(cell: str) -> list[tuple[str, str]]:
    """The ordered pairs of one kind."""
    return [pair for pair, kind in EXPECTED.items() if kind == cell]
