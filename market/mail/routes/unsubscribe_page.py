"""The page behind an unsubscribe link: what would be switched off, a button, and nothing else."""

import base64
import functools
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from string import Template


@functools.cache
def _file(name: str) -> str:
    return resources.files("market.mail.routes").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def content_security_policy() -> str:
    """What the page may do: show its own style, known by its digest, and send its own form."""
    digest = hashlib.sha256(_file("unsubscribe_page.css").encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )


_BUTTON = """\
<form method="post">
<button name="List-Unsubscribe" value="One-Click">Switch these mails off</button>
</form>
<p>Nothing has been changed yet.</p>"""


def page(title: str, *, formal: bool, to_leave: Sequence[str]) -> str:
    """Write the page about what is called `title`, given the titles of what would be left."""
    if formal:
        body = (
            "<p>Notices of this kind are formal: they cannot be switched off. Signed in, you can"
            " have them gathered in the daily digest.</p>"
        )
    elif to_leave:
        titles = "\n".join(f"<li>{escape(one)}</li>" for one in to_leave)
        body = f"<p>You get mails about:</p>\n<ul>\n{titles}\n</ul>\n{_BUTTON}"
    else:
        body = (
            "<p>These mails are switched off. What they would have said stays in your list of"
            " notices, and formal notices still come.</p>"
        )
    return Template(_file("unsubscribe_page.html")).substitute(
        title=escape(title), style=_file("unsubscribe_page.css"), body=body
    )
