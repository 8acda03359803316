"""Mails as they are written: text and HTML say the same, and nobody's text becomes a header."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from market.mail.kinds import Letter, NoticeKind, Sending
from market.mail.rules.contents import Enclosed, Setting, digest, single
from market.mail.rules.messages import Envelope, Mail, message_of, on_the_wire
from market.mail.rules.rendering import Checkpoint, Content, html_of, neat, subject_of, text_of
from market.mail.rules.texts import LONGEST_NAME, one_line
from market.mail.rules.tokens import Leaving, leaving_token
from tests.market.mail.conftest import KINDS

GOLDEN = Path(__file__).parent / "golden"
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
]
ELEMENTS = {"html", "head", "meta", "title", "body", "p", "h1", "table", "tr", "th", "td", "a"} | {
    "div",
    "br",
    "pre",
}
CHECKPOINT = Checkpoint(
    size=1234,
    root="qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=",
    note="market.example/log\n1234\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n"
    "— market.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5\n",
)
SETTING = Setting(
    market="market.example",
    public_url="https://market.example",
    sandbox=False,
    checkpoint=CHECKPOINT,
)
TOKEN = leaving_token(bytes(32), Leaving(person=UUID(int=7), name="deadline-near"))
UNSUBSCRIBE = f"https://market.example/unsubscribe?token={TOKEN}"
FACTS = {"title": "Data & “intelligence” <north>", "tender": "5b1f7c52-2f4e-4b36-9a5c-7f1d0f3b8c11"}
DEADLINE, OUTCOME, NEWS, _ = KINDS


def enclosed(kind: NoticeKind) -> Enclosed:
    return Enclosed(kind=kind, letter=kind.letter(FACTS), organisation="NHS Bedfordshire CCG")


def envelope(name: str = "Ann Lead", address: str = "ann@beds.example") -> Envelope:
    return Envelope(
        sender="notices@market.example",
        name=name,
        address=address,
        message_id="0b6f4b0e-0d0c-4f43-a8d6-9f0f8f3e9d11",
        date=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        unsubscribe=UNSUBSCRIBE,
    )


def parsed(mail: Mail) -> EmailMessage:
    found = message_from_bytes(mail.message, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def decoded(raw: Message, name: str) -> str:
    """A header as RFC 2047 says it is read."""
    return str(make_header(decode_header(re.sub(r"\r?\n", "", raw[name]))))


class Reader(HTMLParser):
    """What a person reads in HTML: headings, paragraphs, rows, links; and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.links: list[str] = []
        self.names: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.loaded += [value or "" for key, value in attrs if key in {"src", "background"}]
        self.loaded += [value or "" for key, value in attrs if key.startswith("on")]
        if tag == "a":
            self.links += [value or "" for key, value in attrs if key == "href"]
        if tag not in {"meta", "br"}:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def assert_same(content: Content) -> None:
    """Read both, and compare what they say."""
    text, reader = text_of(content), read(html_of(content))
    lines = text.split("\n")
    expected = [neat(letter) for letter in content.letters]
    facts = [fact for letter in expected for fact in letter.facts]
    shown = zip(reader.texts.get("th", []), reader.texts.get("td", []), strict=True)
    assert list(shown) == facts
    for label, value in facts:
        assert f"{label}: {value}" in lines
    assert reader.texts.get("h1", []) == [letter.subject for letter in expected]
    for letter in expected:
        assert letter.subject in lines
        for paragraph in letter.paragraphs:
            assert paragraph in lines
            assert paragraph in reader.texts["p"]
    assert [line for line in lines if line.startswith("https://market.example/")] == reader.links
    for remark in content.remarks:
        assert remark.sentence in lines
        assert any(one.startswith(remark.sentence) for one in reader.texts["p"])
    if content.checkpoint is not None:
        note = content.checkpoint.note.strip("\n")
        assert note in text
        assert reader.texts["pre"] == [note]


# -- text and HTML ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("sandbox", [True, False])
def test_text_and_html_say_the_same(kind: NoticeKind, *, sandbox: bool) -> None:
    assert_same(single(enclosed(kind), replace(SETTING, sandbox=sandbox), UNSUBSCRIBE))


def test_text_and_html_of_a_digest_say_the_same() -> None:
    several = [enclosed(kind) for kind in (DEADLINE, OUTCOME, NEWS)]
    content = digest(several, SETTING, UNSUBSCRIBE, datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert_same(content)
    assert subject_of(content) == "Digest of 2 July 2026: 3 notices"


_TEXT = st.text(min_size=1, max_size=60).filter(lambda text: one_line(text) != "")


@given(
    subject=_TEXT,
    paragraphs=st.lists(_TEXT, min_size=1, max_size=4),
    facts=st.lists(st.tuples(_TEXT, st.text(max_size=60)), max_size=4),
)
def test_whatever_was_written_both_say_the_same_and_load_nothing(
    subject: str, paragraphs: list[str], facts: list[tuple[str, str]]
) -> None:
    letter = Letter(
        subject=f"S {subject}", paragraphs=tuple(paragraphs), facts=tuple(facts), path="/a?b=1&c=2"
    )
    content = single(replace(enclosed(DEADLINE), letter=letter), SETTING, UNSUBSCRIBE)
    assert_same(content)
    reader = read(html_of(content))
    assert reader.loaded == []
    assert reader.names <= ELEMENTS
    message = parsed(message_of(content, envelope()))
    assert message.keys() == HEADERS


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    letter = Letter(
        subject="<b>x</b>",
        paragraphs=("<script>alert(1)</script>", '<img src="https://evil.example/x.png">'),
        facts=(('"><img src=x>', "&amp;"),),
    )
    html = html_of(single(replace(enclosed(DEADLINE), letter=letter), SETTING, UNSUBSCRIBE))
    assert "<script" not in html
    assert "<img" not in html
    assert "&amp;amp;" in html
    assert "evil.example" not in "".join(read(html).links)


def test_a_text_cannot_pretend_to_be_a_line_of_the_market_s() -> None:
    letter = Letter(
        subject="x", paragraphs=("Harmless.\nDeadline: tomorrow\r\n-- \nhttps://market.example/x",)
    )
    text = text_of(single(replace(enclosed(DEADLINE), letter=letter), SETTING, UNSUBSCRIBE))
    assert "\nDeadline: tomorrow" not in text
    assert text.count("\n-- \n") == 1


def test_what_is_too_long_is_shortened() -> None:
    letter = Letter(
        subject="x" * 1000,
        paragraphs=("y" * 5000,) * 50,
        facts=(("label", "z" * 5000),) * 90,
    )
    content = single(replace(enclosed(DEADLINE), letter=letter), SETTING, UNSUBSCRIBE)
    assert len(subject_of(content)) == 150
    assert len(text_of(content)) < 130_000
    assert_same(content)


# -- headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Ann Lead",
        'Müller, Hans (Prof. "Dr")',
        "O'Neil; <x@evil.example>, b@evil.example",
        "名前" * 60,
        "a\r\nBcc: evil@evil.example",
        "a\nTo: evil@evil.example\r\n\r\nHello",
        "",
        " ",
        "=?utf-8?q?evil=0D=0ABcc:_x?=",
        "x" * 200,
        "Doe, John, Jr. " * 10,
        'é (x) "q", ' * 20,
        "@",
        "\\",
        '"',
        "Zoë \u202egnp\u202c 👩\u200d💻",
    ],
)
def test_a_name_stays_a_name(name: str) -> None:
    mail = message_of(single(enclosed(DEADLINE), SETTING, UNSUBSCRIBE), envelope(name))
    message = parsed(mail)
    assert message.keys() == HEADERS
    assert [one.addr_spec for one in message["To"].addresses] == ["ann@beds.example"]
    raw = re.sub(r"\r?\n", "", message_from_bytes(mail.message)["To"])
    shown, address = parseaddr(raw)
    assert address == "ann@beds.example"
    assert str(make_header(decode_header(shown))) == one_line(name, LONGEST_NAME)


@given(st.text(max_size=250), _TEXT)
def test_no_name_and_no_subject_adds_a_header_or_a_recipient(name: str, subject: str) -> None:
    letter = Letter(subject=f"S {subject}", paragraphs=("p",))
    content = single(replace(enclosed(DEADLINE), letter=letter), SETTING, UNSUBSCRIBE)
    mail = message_of(content, envelope(name))
    message = parsed(mail)
    assert message.keys() == HEADERS
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].addr_spec == "ann@beds.example"
    assert decoded(message_from_bytes(mail.message), "Subject") == subject_of(content)
    assert mail.message.isascii()
    assert all(len(line) < 998 for line in mail.message.split(b"\r\n"))
    assert b"\n" not in mail.message.replace(b"\r\n", b"")
    assert b"\r" not in mail.message.replace(b"\r\n", b"")


def test_the_mark_of_a_sandbox_comes_first_whatever_the_subject() -> None:
    sandbox = replace(SETTING, sandbox=True)
    for subject in ("The outcome", "Ü" * 300, "a\r\nSubject: b", "[PRODUCTION] x"):
        letter = Letter(subject=subject, paragraphs=("p",))
        content = single(replace(enclosed(DEADLINE), letter=letter), sandbox, UNSUBSCRIBE)
        raw = message_from_bytes(message_of(content, envelope()).message)
        assert decoded(raw, "Subject").startswith("[SANDBOX] ")
        assert "sandbox: nothing in it binds" in text_of(content)
    assert not subject_of(single(enclosed(OUTCOME), SETTING, UNSUBSCRIBE)).startswith("[")


def test_it_says_that_a_machine_wrote_it_and_how_to_leave() -> None:
    mail = message_of(single(enclosed(DEADLINE), SETTING, UNSUBSCRIBE), envelope())
    message = parsed(mail)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == "<0b6f4b0e-0d0c-4f43-a8d6-9f0f8f3e9d11@market.example>"
    assert message["Date"].datetime == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert mail == message_of(single(enclosed(DEADLINE), SETTING, UNSUBSCRIBE), envelope())


def test_addresses_in_other_letters_are_written_as_servers_take_them() -> None:
    assert on_the_wire("ann@beds.example") == "ann@beds.example"
    assert on_the_wire("ann@bücher.nhs.uk") == "ann@xn--bcher-kva.nhs.uk"
    content = single(enclosed(DEADLINE), SETTING, UNSUBSCRIBE)
    plain = message_of(content, envelope(address="ann@bücher.nhs.uk"))
    assert not plain.international
    assert plain.message.isascii()
    other = message_of(content, envelope(address="jürgen@bücher.nhs.uk"))
    assert other.international
    assert "<jürgen@xn--bcher-kva.nhs.uk>" in other.message.decode()


@pytest.mark.parametrize(
    "address", ["", "no", "a@b@c", "a@b\r\nBcc: c@d", "a b@c.example", "ü", "ann@", "<a@b.example>"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    content = single(enclosed(DEADLINE), SETTING, UNSUBSCRIBE)
    with pytest.raises(ValueError, match=r".+"):
        message_of(content, envelope(address=address))


# -- golden ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "deadline-near",
            single(enclosed(DEADLINE), replace(SETTING, sandbox=True), UNSUBSCRIBE),
        ),
        ("outcome", single(enclosed(OUTCOME), SETTING, UNSUBSCRIBE)),
        (
            "digest",
            digest(
                [enclosed(NEWS), enclosed(OUTCOME)],
                replace(SETTING, checkpoint=None),
                UNSUBSCRIBE,
                datetime(2026, 11, 22, 7, 0, tzinfo=UTC),
            ),
        ),
    ],
)
def test_the_text_is_as_it_was_agreed(name: str, content: Content) -> None:
    """To accept a change, put what was found into `golden/NAME.txt`."""
    found = f"Subject: {subject_of(content)}\n\n{text_of(content)}"
    assert found == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_the_kinds_of_these_tests_are_sent_in_every_way() -> None:
    assert {kind.sending for kind in KINDS} == {Sending.AT_ONCE, Sending.DIGEST}
    assert {kind.formal for kind in KINDS} == {True, False}
