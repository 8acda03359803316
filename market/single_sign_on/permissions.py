"""Who may remove an identity, and why not."""

from market.single_sign_on.errors import LastWayIn


def ensure_way_in_remains(*, password: bool, other_links: int) -> None:
    """Leave everybody a way to sign in.

    Raises:
        LastWayIn: without the link that is to be removed there is none.
    """
    if not password and other_links == 0:
        raise LastWayIn
