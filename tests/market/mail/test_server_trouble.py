"""A mail server that refuses, is down, or says nothing: nothing is lost, and nobody is flooded."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from market.background import Workbench, workbench
from market.mail.posting import MailServerDown, Posting
from market.settings import Settings
from market.vault import Vault
from tests.conftest import Databases
from tests.makers.notices import age, exhaust, happen, make_due, notice, post, state_of
from tests.makers.post_office import PostOffice, free_port, post_office_at_work
from tests.makers.world import Person
from tests.market.mail.conftest import KINDS


async def test_what_is_refused_for_now_is_sent_later(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    post_office.recipient_answers.append("451 4.7.1 Greylisted, come again")
    post_office.content_answers.append("452 4.3.1 No room")
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert await state_of(superuser) == [("waiting", 1, "451 4.7.1 Greylisted, come again")]
    wait = await superuser.fetchval("SELECT send_after - clock_timestamp() FROM notice")
    assert timedelta(seconds=25) < wait < timedelta(seconds=95)
    await post(bench, KINDS)
    assert post_office.mails == []  # not before its time
    await make_due(superuser)
    await post(bench, KINDS)
    assert await state_of(superuser) == [("waiting", 2, "452 4.3.1 No room")]
    await make_due(superuser)
    await post(bench, KINDS)
    assert await state_of(superuser) == [("sent", 3, None)]
    assert len(post_office.mails) == 1


async def test_what_is_refused_for_good_fails_at_once_and_stops_no_other(
    ann: Person, bob: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    post_office.recipient_answers.append("550 5.1.1 No such mailbox")
    await happen(superuser, "test.greeted", ann)
    await happen(superuser, "test.greeted", bob)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert await state_of(superuser) == [
        ("failed", 1, "550 5.1.1 No such mailbox"),
        ("sent", 1, None),
    ]
    assert [mail.recipients for mail in post_office.mails] == [(bob.email,)]


async def test_a_refusal_of_the_market_s_own_address_fails_no_notice(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    post_office.sender_answers.append("550 5.7.1 Not you")
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    with pytest.raises(MailServerDown, match="Not you"):
        await Posting(bench, KINDS).run()
    assert await state_of(superuser) == [("waiting", 1, "550 5.7.1 Not you")]


async def test_what_is_no_address_fails(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    async with superuser.transaction():
        await happen(superuser, "test.greeted", ann)
        await superuser.execute("UPDATE person SET email = 'nowhere' WHERE id = $1", ann.id)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert (await state_of(superuser))[0][0] == "failed"
    assert post_office.mails == []


@pytest.fixture
async def bench_to_nowhere(
    databases: Databases, settings: Settings, vault: Vault
) -> AsyncIterator[Workbench]:
    """A workbench whose mail server is down."""
    async with workbench(
        replace(settings, smtp_port=free_port()), databases.worker, vault
    ) as opened:
        yield opened


async def test_while_the_server_is_down_nothing_is_lost_and_one_mail_is_tried_at_a_time(
    ann: Person, superuser: Any, bench: Workbench, bench_to_nowhere: Workbench
) -> None:
    for _ in range(3):
        await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    task = Posting(bench_to_nowhere, KINDS)
    with pytest.raises(MailServerDown, match="cannot be used"):
        await task.run()
    assert sorted(row[:2] for row in await state_of(superuser)) == [
        ("waiting", 0),
        ("waiting", 0),
        ("waiting", 1),
    ]
    with post_office_at_work(port=bench_to_nowhere.settings.smtp_port) as office:
        await make_due(superuser)
        await exhaust(task)
    assert len(office.mails) == 3
    assert {row[0] for row in await state_of(superuser)} == {"sent"}


async def test_after_two_days_a_mail_is_given_up(
    ann: Person, superuser: Any, bench: Workbench, bench_to_nowhere: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    with pytest.raises(MailServerDown):
        await Posting(bench_to_nowhere, KINDS).run()
    await age(superuser, timedelta(hours=47))
    with pytest.raises(MailServerDown):
        await Posting(bench_to_nowhere, KINDS).run()
    await make_due(superuser)
    await age(superuser, timedelta(hours=2))
    await post(bench, KINDS)
    assert (await state_of(superuser))[0][::2] == ("failed", "It could not be sent in two days.")


async def test_a_server_that_says_nothing_is_not_waited_for(
    ann: Person, superuser: Any, databases: Databases, bench: Workbench
) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()

    silent = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    settings = replace(bench.settings, smtp_port=port, smtp_timeout=1)
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    async with workbench(settings, databases.worker, bench.vault) as opened:
        began = asyncio.get_running_loop().time()
        with pytest.raises(MailServerDown):
            await Posting(opened, KINDS).run()
        assert asyncio.get_running_loop().time() - began < 5
    await left.wait()  # whoever gave up has hung up
    silent.close()
    await silent.wait_closed()
    assert (await state_of(superuser))[0][0] == "waiting"
