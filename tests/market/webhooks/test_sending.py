"""Sending: to the address that was checked and no other, for so long, and no further."""

import asyncio
from typing import Any

import pytest

from market.settings import Settings
from market.webhooks.rules.retries import Verdict
from market.webhooks.sending import MOST_READ, Answer, Sender, looked_up
from tests.makers.certificates import trusting
from tests.makers.webhooks import Answer as Given
from tests.makers.webhooks import Received, Receiver, always, receiving
from tests.market.webhooks.test_rules import NEVER, PRIVATE

STRICT = Settings(webhook_timeout=1.0)
LENIENT = Settings(webhook_timeout=1.0, webhook_private_targets=True)
BODY = b'{"type": "thing.happened"}'
NOT_SENT_TO = "Its name leads to no address that the market sends to."


class Names:
    """A name server that says what it is told, and something else the next time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError("no such name")
        return answer


async def _send(
    url: str, names: Names | None = None, settings: Settings = STRICT, **more: Any
) -> Answer:
    trust = more.pop("trust", None)
    resolve = looked_up if names is None else names
    sender = Sender(settings, resolve=resolve, trust=trust)
    return await sender.send(url, {"webhook-id": "evt_1"}, BODY, **more)


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
async def test_a_name_that_leads_to_an_address_not_sent_to_is_not_connected_to(
    address: str,
) -> None:
    """pytest-socket would let a connection to loopback pass: the answer says there was none."""
    for found in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        answer = await _send("https://hooks.example.org/", Names(found))
        assert (answer.verdict, answer.failure) == (Verdict.FAILED, NOT_SENT_TO)


async def test_of_a_name_that_is_unknown_has_no_address_or_a_hundred_the_same_is_said() -> None:
    for found in ([], ["8.8.8.8"] * 100):
        answer = await _send("https://hooks.example.org/", Names(found))
        assert answer.failure == NOT_SENT_TO


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "https://user@hooks.example.org/",
    ],
)
async def test_a_url_that_is_not_taken_is_not_sent_to_either(url: str) -> None:
    names = Names(["8.8.8.8"])
    answer = await _send(url, names)
    assert answer.failure == "The market does not send to this URL."
    assert names.asked == []


async def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_found() -> None:
    """A name that leads to a good address when it is checked, and to another one afterwards."""
    async with receiving() as good, receiving() as trap:
        port = _port(good)
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        answer = await _send(f"http://hooks.example.org:{port}/hook", names, LENIENT)
        assert answer.verdict is Verdict.DELIVERED, answer
        assert names.asked == [("hooks.example.org", port)]
        assert good.received[0].headers["host"] == f"hooks.example.org:{port}"
        second = await _send(f"http://hooks.example.org:{port}/hook", names, LENIENT)
    assert second.failure == NOT_SENT_TO
    assert len(good.received) == 1
    assert trap.received == []


def _port(receiver: Receiver) -> int:
    return int(receiver.url.rpartition(":")[2].partition("/")[0])


async def test_when_the_first_address_does_not_answer_the_next_one_is_tried() -> None:
    async with receiving() as receiver:
        names = Names(["::1", "127.0.0.1"])
        url = f"http://hooks.example.org:{_port(receiver)}/hook"
        answer = await _send(url, names, LENIENT)
    assert answer.verdict is Verdict.DELIVERED


async def test_a_redirect_is_a_failure_wherever_it_leads() -> None:
    async with receiving() as trap:
        for status in (301, 302, 303, 307, 308):
            behaves = always(status=status, headers={"Location": trap.url})
            async with receiving(behaves) as receiver:
                answer = await _send(receiver.url, settings=LENIENT)
            assert (answer.verdict, answer.status) == (Verdict.FAILED, status)
    assert trap.received == []


async def test_no_cookie_is_kept_and_no_proxy_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behaves = always(headers={"Set-Cookie": "session=1; Path=/"})
    async with receiving(behaves) as receiver, receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        sender = Sender(LENIENT)
        for _ in range(2):
            assert (await sender.send(receiver.url, {}, BODY)).verdict is Verdict.DELIVERED
    assert len(receiver.received) == 2
    assert not any("cookie" in one.headers for one in receiver.received)
    assert proxy.received == []


async def test_it_says_who_it_is_and_asks_for_nothing_to_be_packed() -> None:
    async with receiving() as receiver:
        await _send(receiver.url, settings=LENIENT)
    (got,) = receiver.received
    assert got.headers["user-agent"].startswith("commissioning-support-market/")
    assert got.headers["accept-encoding"] == "identity"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "evt_1"
    assert "authorization" not in got.headers
    assert got.body == BODY


async def test_of_an_endless_answer_no_more_than_16_kb_is_read() -> None:
    async with receiving(always(endless=True)) as receiver:
        answer = await _send(receiver.url, settings=LENIENT, read=True)
        assert len(answer.body) == MOST_READ + 1
        unread = await _send(receiver.url, settings=LENIENT)
    assert unread.body == b""
    assert unread.verdict is Verdict.DELIVERED
    assert unread.milliseconds < 1000


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Given(never=True), "It did not answer within 0.3 seconds."),
        (Given(raw=(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n")), "It did not answer within 0.3 seconds."),
        (Given(raw=(b"SSH-2.0-OpenSSH_9.9\r\n\r\n",)), "What it answered is not HTTP."),
        (Given(raw=(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,)), "What it answered is not HTTP."),
    ],
    ids=["silence", "dribble", "ssh", "huge header"],
)
async def test_whatever_is_no_answer_fails_in_words_and_in_time(answer: Given, words: str) -> None:
    settings = Settings(webhook_timeout=0.3, webhook_private_targets=True)
    async with receiving(lambda _: answer) as receiver:
        found = await _send(receiver.url, settings=settings)
    assert (found.verdict, found.failure) == (Verdict.FAILED, words)
    assert found.milliseconds < 1500


async def test_who_hangs_up_without_a_word_has_not_answered() -> None:
    async with receiving(_hang_up) as receiver:
        found = await _send(receiver.url, settings=LENIENT)
    assert found.failure == "What it answered is not HTTP."


def _hang_up(_: Received) -> Given:
    raise ConnectionResetError


async def test_tls_is_checked_by_the_name_and_not_by_the_address() -> None:
    with trusting("hooks.example.org") as (server, client):
        async with receiving(tls=server) as receiver:
            port = _port(receiver)
            names = Names(["127.0.0.1"])
            url = f"https://hooks.example.org:{port}/hook"
            answer = await _send(url, names, LENIENT, trust=client)
            assert answer.verdict is Verdict.DELIVERED, answer
            other = f"https://others.example.org:{port}/hook"
            wrong_name = await _send(other, names, LENIENT, trust=client)
            unknown_signer = await _send(url, names, LENIENT)
    for refused in (wrong_name, unknown_signer):
        assert refused.verdict is Verdict.FAILED
        assert str(refused.failure).startswith("Its TLS certificate is not good:")
    assert len(receiver.received) == 1


async def test_plain_http_where_tls_was_expected_is_no_tls() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await _send(f"https://127.0.0.1:{port}/", settings=LENIENT)
    server.close()
    await server.wait_closed()
    assert answer.failure == "TLS could not be agreed on."


async def test_a_slow_name_server_is_cut_off_too() -> None:
    async def slow(_: str, __: int) -> list[str]:
        await asyncio.sleep(30)
        return ["8.8.8.8"]

    sender = Sender(Settings(webhook_timeout=0.2), resolve=slow)
    answer = await sender.send("https://hooks.example.org/", {}, BODY)
    assert answer.failure == "It did not answer within 0.2 seconds."


async def test_names_are_looked_up_by_the_system() -> None:
    assert await looked_up("127.0.0.1", 80) == ["127.0.0.1"]
    assert "127.0.0.1" in await looked_up("localhost", 80)
    with pytest.raises(OSError, match=r"."):
        await looked_up("::1%", 80)
