"""HTTP behind the List-Unsubscribe of every mail: one click of a mail programme, or a page."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, MediaType, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from market.actor import Actor
from market.mail import commands, queries
from market.mail.errors import UnsubscribeAddressFaulty
from market.mail.kinds import DIGEST, NoticeKind
from market.mail.routes.unsubscribe_page import content_security_policy, page
from market.mail.rules.tokens import LONGEST, PATH, PURPOSE, Leaving, read_leaving
from market.vault import Vault

Token = Annotated[str, QueryParameter(name="token", max_length=LONGEST)]


def _leaving(vault: Vault, token: str) -> Leaving:
    """Read what the address names.

    Raises:
        UnsubscribeAddressFaulty: the market did not give it.
    """
    leaving = read_leaving(vault.derive_secret(PURPOSE), token)
    if leaving is None:
        raise UnsubscribeAddressFaulty
    return leaving


def _named(kinds: Sequence[NoticeKind], leaving: Leaving) -> tuple[str, bool]:
    """What the page calls it, and whether it is formal; a kind that is no more is off already."""
    for kind in kinds:
        if kind.name == leaving.name:
            return kind.title, kind.formal
    return ("The daily digest" if leaving.name == DIGEST else "Notices of a former kind"), False


def _shown(body: str) -> Response[str]:
    headers = {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-store"}
    return Response(body, media_type=MediaType.HTML, status_code=200, headers=headers)


class UnsubscribeController(Controller):
    """Leaving a kind of notice, or the digest, without signing in (RFC 8058).

    What lets one is in the query string, which is never logged.
    """

    path = PATH
    include_in_schema = False
    opt = {"public": True, "anonymous": True, "form": True}  # noqa: RUF012  # read by the guard, never changed

    @get()
    async def show(
        self,
        token: Token,
        state: State,
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[str]:
        """Show what would be switched off, with a button. Changes nothing: programmes look too."""
        leaving, kinds = _leaving(vault, token), state["notice_kinds"]
        title, formal = _named(kinds, leaving)
        left = await queries.to_leave(actor, kinds, leaving)
        return _shown(page(title, formal=formal, to_leave=[kind.title for kind in left]))

    @post()
    async def unsubscribe(
        self,
        token: Token,
        state: State,
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> Response[str]:
        """Switch it off. Whatever the body says, the address is what counts; again is as once."""
        leaving, kinds = _leaving(vault, token), state["notice_kinds"]
        await commands.unsubscribe(actor, kinds, leaving)
        return _shown(page(_named(kinds, leaving)[0], formal=False, to_leave=[]))
