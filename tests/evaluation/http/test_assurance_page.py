"""The page of the assurance report: it says what the report says, and stands by itself."""

import hashlib
from base64 import b64encode
from html import unescape
from html.parser import HTMLParser
from typing import Any

from tests.makers.assurance import (
    report_of,
    report_path,
)
from tests.makers.bids import declare
from tests.makers.evaluation import (
    notified_lot,
)
from tests.makers.world import World


class _Page(HTMLParser):
    """The words of a page, and that its tags are few, known, closed and without scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.open: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {
            *("html", "head", "meta", "title", "style", "body", "main", "section", "div"),
            *("h1", "h2", "h3", "p", "ul", "li", "strong", "code"),
        }, tag
        names = {name for name, _ in attrs}
        assert names <= {
            *("lang", "charset", "name", "content", "class", "id", "aria-labelledby"),
        }, names
        if tag != "meta":
            self.open.append(tag)
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


HOSTILE = """Eve <script>alert("1")</script> O'Neil & Sons</li>"""


async def test_the_page_holds_every_name_and_sentence_of_the_report_and_escapes_them(
    world: World, superuser: Any
) -> None:
    lot = await notified_lot(world)
    eve = lot.tender.quality_evaluators[0]
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE person DISABLE TRIGGER USER")
    await superuser.execute("ALTER TABLE organisation DISABLE TRIGGER USER")
    await superuser.execute("UPDATE person SET name = $2 WHERE id = $1", eve.id, HOSTILE)
    await superuser.execute(
        "UPDATE organisation SET name = '<b>&amp;\"' || name WHERE id = $1",
        lot.suppliers[0].organisation,
    )
    await declare(lot.tender.approvers[0], lot.tender, "financial", "<script>steal()</script>")
    for person in (lot.tender.guardian, lot.tender.manager):
        report = await report_of(lot.tender, person)
        answer = await person.get(f"{report_path(lot.tender)}/page")
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<script" not in answer.text
        page = _Page()
        page.feed(answer.text)
        page.close()
        assert page.open == []
        assert page.headings[0] == "h1"
        assert page.headings.count("h1") == 1
        text = " ".join("".join(page.words).split())
        for name in (
            *(one["name"] for one in report["people"]),
            *(one["name"] for one in report["helpers"]),
            *(one["organisation_name"] for person in report["people"] for one in person["duties"]),
            *report["buyers"],
            report["title"],
            report["reference"],
            report["digest"],
        ):
            assert name in text
        for sentence in (
            *report["statement"]["sentences"],
            *report["withheld"],
            *(act["sentence"] for act in report["acts"]),
            *(
                one["details"]
                for person in report["people"]
                for one in person["about_bidders"]
                if one["details"]
            ),
        ):
            assert " ".join(sentence.split()) in text
        assert HOSTILE in text
        assert unescape(answer.text).count(HOSTILE) >= 3


async def test_the_page_stands_by_itself_and_may_load_nothing(world: World) -> None:
    lot = await notified_lot(world)
    answer = await world.public(f"{report_path(lot.tender)}/page")
    assert answer.status_code == 200
    assert '<html lang="en-GB">' in answer.text
    assert "@media print" in answer.text
    for outside in ("http:", "https:", "src=", "href=", "url(", "@import", "style=", "<script"):
        assert outside not in answer.text, outside
    policy = answer.headers["Content-Security-Policy"]
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = hashlib.sha256(style.encode()).digest()
    assert f"style-src 'sha256-{b64encode(digest).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert answer.headers["Cache-Control"] == "no-cache"
