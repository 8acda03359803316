"""Pages for people: status, problems, the API's reference; they need nothing from outside."""

import functools
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template

from market.status.errors import NoSuchPage
from market.status.schemas import Mark, ProblemKind, Status

_WORDS = {Mark.GOOD: "as it should be", Mark.MISSING: "MISSING", Mark.NOTE: "to know"}
_REFERENCE_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}

REFERENCE_START = """\
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "none",
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
};
"""
"""Starts the reference on its page: a file of its own, since the page allows no inline script."""

REFERENCE_PAGE = """\
<!DOCTYPE html>
<html lang="en-GB">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>The commissioning support market: API reference</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
    <noscript>This page needs JavaScript; the document itself is at /openapi.json.</noscript>
  </body>
</html>
"""


def _file(name: str) -> str:
    return resources.files("market.status").joinpath(name).read_text(encoding="utf-8")


def stylesheet() -> str:
    """The style sheet of the pages."""
    return _file("page.css")


def _page(title: str, body: str) -> str:
    return Template(_file("page.html")).substitute(title=escape(title), body=body)


def status_page(status: Status) -> str:
    """The status as a person reads it: what it is for in large letters, then line by line."""
    rows = "\n".join(
        f'<tr class="{line.mark}"><th scope="row">{escape(line.name)}</th>'
        f'<td class="mark">{_WORDS[line.mark]}</td>'
        f"<td>{escape(line.found)}</td><td>{escape(line.meaning)}</td></tr>"
        for line in status.lines
    )
    summary = (
        "Everything is as it should be." if status.complete else "Something is missing: see below."
    )
    environment = escape(status.environment)
    body = (
        f"<h1>The commissioning support market</h1>\n"
        f'<p class="environment {environment}">{environment.upper()}</p>\n'
        f"<p>Version {escape(status.version)}. {summary}</p>\n"
        "<table><caption>Each line was looked up for this page.</caption>\n"
        "<thead><tr><th>What</th><th></th><th>Found</th><th>What it means</th></tr></thead>\n"
        f"<tbody>{rows}</tbody></table>\n"
        '<p><a href="/docs">API reference</a> · <a href="/problems">Problems</a></p>'
    )
    return _page(f"Status ({status.environment})", body)


def problems_page(kinds: list[ProblemKind]) -> str:
    """Every kind of refusal, as a person reads it."""
    rows = "\n".join(
        f'<tr id="{escape(kind.type.rpartition("/")[2])}"><th scope="row">'
        f'<a href="{escape(kind.type)}">{escape(kind.type.rpartition("/")[2])}</a></th>'
        f"<td>{kind.status}</td><td>{escape(kind.title)}</td><td>{escape(kind.meaning)}</td></tr>"
        for kind in kinds
    )
    body = (
        "<h1>Problems</h1>\n"
        "<p>Why the market refuses a request (RFC 9457). The <code>type</code> of a problem is its"
        " address here and never changes.</p>\n"
        "<table><thead><tr><th>Type</th><th>Status</th><th>Title</th><th>Meaning</th></tr></thead>"
        f"\n<tbody>{rows}</tbody></table>"
    )
    return _page("Problems", body)


@functools.cache
def reference_file(name: str) -> tuple[bytes, str]:
    """A file of the reference page and its media type.

    Raises:
        NoSuchPage: the page uses no file of that name.
    """
    if name == "start.js":
        return REFERENCE_START.encode(), "text/javascript"
    if name not in _REFERENCE_FILES:
        raise NoSuchPage
    return _swagger_folder().joinpath(name).read_bytes(), _REFERENCE_FILES[name]


def _swagger_folder() -> Traversable:
    """Where the package with Swagger UI has put its files; the folder is named by its version."""
    vendor = resources.files("swagger_ui_bundle").joinpath("vendor")
    return next(item for item in vendor.iterdir() if item.name.startswith("swagger-ui-"))
