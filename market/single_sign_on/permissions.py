"""Who may link and remove identities, and why not."""

from market.single_sign_on.errors import LastWayIn, LinkNeedsFreshSignIn


def ensure_signed_in_lately(*, lately: bool) -> None:
    """Link identities only from a session that began lately, so that a stolen one gains nothing.

    Raises:
        LinkNeedsFreshSignIn: it began more than fifteen minutes ago.
    """
    if not lately:
        raise LinkNeedsFreshSignIn


def ensure_way_in_remains(*, password: bool, other_links: int) -> None:
    """Leave everybody a way to sign in.

    Raises:
        LastWayIn: without the link that is to be removed there is none.
    """
    if not password and other_links == 0:
        raise LastWayIn
