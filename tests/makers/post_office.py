"""A real SMTP server on loopback in a thread of its own: keeps mails, refuses on request."""

import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Received(msgspec.Struct, frozen=True):
    """A mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    protected: bool

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(make_header(decode_header(message_from_bytes(self.content)["Subject"])))

    @property
    def text(self) -> str:
        """Its plain text."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """Its HTML."""
        return self._part("html")

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        text: str = part.get_content()
        return text.replace("\r\n", "\n")


class PostOffice:
    """What the server does with what it is given; answers are scripted, one a mail."""

    def __init__(self) -> None:
        """Take everything."""
        self.mails: list[Received] = []
        self.sessions = 0
        self.port = 0
        self.recipient_answers: deque[str] = deque()
        self.content_answers: deque[str] = deque()
        self.sender_answers: deque[str] = deque()
        self.received: Callable[[Received], None] | None = None

    async def handle_EHLO(  # noqa: N802  # the library's names
        self, _: Any, session: Any, __: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet."""
        session.host_name = hostname
        self.sessions += 1
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _: Any, __: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take or refuse a sender."""
        if self.sender_answers:
            return self.sender_answers.popleft()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _: Any, __: Any, envelope: Any, address: str, ___: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if self.recipient_answers and (answer := self.recipient_answers.popleft()) != "250 OK":
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take or refuse a mail."""
        if self.content_answers and (answer := self.content_answers.popleft()) != "250 OK":
            return answer
        mail = Received(
            envelope.mail_from,
            tuple(envelope.rcpt_tos),
            envelope.content,
            session.ssl is not None,
        )
        self.mails.append(mail)
        if self.received is not None:
            self.received(mail)
        return "250 OK"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def post_office_at_work(
    *,
    port: int | None = None,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    password: str | None = None,
) -> Iterator[PostOffice]:
    """Run the server for as long as the context lasts, protected and with a password if wished."""
    office = PostOffice()
    office.port = port or free_port()

    def allow(_: Any, __: Any, ___: Any, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == (password or "").encode()
        return AuthResult(success=right and mechanism in {"LOGIN", "PLAIN"}, handled=False)

    secured: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
    guarded: dict[str, Any] = (
        {"authenticator": allow, "auth_required": True, "auth_require_tls": starttls is not None}
        if password is not None
        else {}
    )
    controller = Controller(
        office, hostname="127.0.0.1", port=office.port, ssl_context=tls, **secured, **guarded
    )
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
