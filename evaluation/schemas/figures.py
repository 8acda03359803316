"""How reasons travel."""

from typing import Annotated, Final

from msgspec import Meta

SHORTEST_REASON: Final = 20

Reason = Annotated[
    str,
    Meta(
        min_length=SHORTEST_REASON,
        max_length=20_000,
        pattern=r"^[^\u0000]*$",
        description="At least 20 characters, blanks at the ends not counted.",
    ),
]
Comment = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"^[^\x00]*\S[^\x00]*$")]


def ensure_says_something(reason: str) -> None:
    """Raise `ValueError` for a reason that is long only because of blanks."""
    if len(reason.strip()) < SHORTEST_REASON:
        message = f"Give a reason of at least {SHORTEST_REASON} characters."
        raise ValueError(message)
