"""A mail as it goes over the wire: multipart/alternative, its headers proof against injection."""

import re
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec
from email_validator import EmailNotValidError, validate_email

from market.mail.rules.rendering import Content, html_of, subject_of, text_of
from market.mail.rules.texts import LONGEST_NAME, one_line

SENDER_NAME = "Commissioning support market"
# as `market.people` lets them in: no quoted names, comments or numbers for domains
_ADDRESS = re.compile(r"[^\s<>@\"(),:;\\\[\]\x00-\x1f\x7f]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")
_TO_QUOTE = re.compile(r'["\\]')


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail server is given: to whom, and the message as it is sent."""

    recipient: str
    message: bytes
    international: bool
    """Whether the address cannot be written without SMTPUTF8 (RFC 6531)."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is written around the content."""

    sender: str
    name: str
    address: str
    message_id: str
    date: datetime
    unsubscribe: str


def on_the_wire(address: str) -> str:
    """The address as it is sent: a domain in other letters as its ASCII form (RFC 5891).

    Raises:
        ValueError: it is none that a mail could go to.
    """
    if address.isascii():
        if not _ADDRESS.fullmatch(address):
            message = "This is no address that a mail could go to."
            raise ValueError(message)
        return address
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return f"{found.local_part}@{found.ascii_domain}"


def _words(text: str) -> str:
    """A text of one line for a header: as it is where that is ASCII, or as encoded words.

    Encoded words (RFC 2047) by the old `Header`: the new one loses or adds spaces in long names.
    """
    if text.isascii() and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=75).encode(splitchars="", linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """A name and an address; whatever the name holds, there is one address."""
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        quoted = _TO_QUOTE.sub(r"\\\g<0>", name)
        return f'"{quoted}"\r\n <{address}>'
    return f"{_words(name)}\r\n <{address}>"


def message_of(content: Content, envelope: Envelope) -> Mail:
    """Write the message.

    It says that a machine wrote it (RFC 3834), so that no other machine answers, and how to leave
    with one click (RFC 8058). It is 7-bit clean, except for an address that cannot be.

    Raises:
        ValueError: the address is none that a mail could go to.
    """
    recipient = on_the_wire(envelope.address)
    domain = envelope.sender.rpartition("@")[2]
    headers = {
        "From": _mailbox(SENDER_NAME, envelope.sender),
        "To": _mailbox(one_line(envelope.name, LONGEST_NAME), recipient),
        "Subject": _words(subject_of(content)),
        "Date": format_datetime(envelope.date),
        "Message-ID": f"<{envelope.message_id}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{envelope.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    written = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = EmailMessage(SMTP)
    body.set_content(text_of(content), cte="quoted-printable")
    body.add_alternative(html_of(content), subtype="html", cte="quoted-printable")
    # the boundary is made from the name of the mail, so that a mail is the same when sent again
    body.set_boundary(f"=_{envelope.message_id}")
    return Mail(
        recipient=recipient,
        message=written.encode("utf-8") + body.as_bytes(),
        international=not recipient.isascii(),
    )
