"""Mails over a real SMTP server: each at least once, none to those it no longer concerns."""

import asyncio
import base64
import json
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from market.background import Workbench, workbench
from market.mail.posting import Posting
from market.worker import tasks
from tests.conftest import Databases
from tests.makers.log import keep_and_sign
from tests.makers.notices import (
    age,
    happen,
    make_due,
    notice,
    post,
    reach_digest,
    state_of,
)
from tests.makers.post_office import PostOffice, Received
from tests.makers.world import Person
from tests.market.mail.conftest import KINDS

REPOSITORY = Path(__file__).parents[3]


# -- what is sent ----------------------------------------------------------------------------------


async def test_a_notice_is_sent_at_once_to_whom_it_concerns(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    [mail] = post_office.mails
    assert mail.sender == "notices@market.example"
    assert mail.recipients == (ann.email,)
    assert mail.subject == "[SANDBOX] The deadline of Data services is near"
    assert "Bids for Data services can be given for one more day." in mail.text
    assert "NHS Bedfordshire CCG" in mail.html
    row = await superuser.fetchrow("SELECT * FROM notice")
    assert (row["state"], row["attempts"], row["last_error"]) == ("sent", 1, None)
    assert mail.message["Message-ID"] == f"<{row['id']}@market.example>"
    await post(bench, KINDS)
    assert len(post_office.mails) == 1


async def test_many_mails_go_over_one_connection(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    for _ in range(12):
        await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert len(post_office.mails) == 12
    assert post_office.sessions == 1
    assert len({mail.message["Message-ID"] for mail in post_office.mails}) == 12


async def test_a_digest_goes_at_its_hour_with_all_of_it_in_one_mail(
    ann: Person, bob: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    for title in ("Pathology", "Radiology", "Prescribing"):
        await happen(superuser, "test.told", ann, title=title)
    await happen(superuser, "test.told", bob, title="Transport")
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert post_office.mails == []
    await reach_digest(superuser)
    await asyncio.gather(*(post(bench, KINDS) for _ in range(3)))
    by_recipient = {mail.recipients: mail for mail in post_office.mails}
    assert len(post_office.mails) == 2
    mail = by_recipient[ann.email,]
    assert mail.subject.endswith(": 3 notices")
    for title in ("Pathology", "Radiology", "Prescribing"):
        assert f"The deadline of {title} is near" in mail.text
        assert f"Tender: {title}" in mail.text
    assert "Transport" not in mail.text
    assert {row[0] for row in await state_of(superuser)} == {"sent"}


async def test_the_newest_checkpoint_goes_with_every_mail(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await keep_and_sign(bench, superuser)
    size = await keep_and_sign(bench, superuser)
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    [mail] = post_office.mails
    older, newest = await superuser.fetch("SELECT root, note FROM checkpoint ORDER BY size")
    assert f"size {size}, root {base64.b64encode(newest['root']).decode()}." in mail.text
    signature = newest["note"].splitlines()[-1]
    assert newest["note"].strip() in mail.text
    assert signature in mail.html
    assert older["note"].splitlines()[-1] not in mail.text


@pytest.mark.parametrize(
    "name", ['Zoë "Z" O\'Néil, Dr', "a\r\nBcc: evil@evil.example", "名前" * 40, "x" * 200]
)
async def test_an_awkward_name_reaches_one_recipient_and_adds_no_header(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice, name: str
) -> None:
    async with superuser.transaction():
        await happen(superuser, "test.greeted", ann, title=f"T {name}")
        await superuser.execute("UPDATE person SET name = $1 WHERE id = $2", name, ann.id)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    [mail] = post_office.mails
    assert mail.recipients == (ann.email,)
    assert [one.addr_spec for one in mail.message["To"].addresses] == [ann.email]
    assert "Bcc" not in mail.message


async def test_an_address_in_other_letters_is_reached(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    async with superuser.transaction():
        await happen(superuser, "test.greeted", ann)
        await superuser.execute(
            "UPDATE person SET email = 'jürgen@bücher.nhs.uk' WHERE id = $1", ann.id
        )
    await notice(bench, KINDS)
    await post(bench, KINDS)
    [mail] = post_office.mails
    assert mail.recipients == ("jürgen@xn--bcher-kva.nhs.uk",)


# -- what is not sent ------------------------------------------------------------------------------


async def test_who_left_the_organisation_gets_nothing(
    ann: Person, bob: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann, bob)
    await notice(bench, KINDS)
    async with superuser.transaction():
        await happen(superuser, "membership.ended")
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", ann.id
        )
    await post(bench, KINDS)
    assert [mail.recipients for mail in post_office.mails] == [(bob.email,)]
    reason = await superuser.fetchval("SELECT last_error FROM notice WHERE person = $1", ann.id)
    assert reason == "You no longer belong to the organisation it was for."


async def test_what_was_switched_off_meanwhile_is_not_sent_and_what_is_formal_is(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await happen(superuser, "test.decided", ann)
    await notice(bench, KINDS)
    answer = await ann.put("/notice-preferences", {"kinds": {"deadline-near": "off"}}, version=1)
    assert answer.status_code == 200, answer.text
    # as if a kind had become formal after somebody had switched it off
    async with superuser.transaction():
        await happen(superuser, "test.changed")
        await superuser.execute(
            'UPDATE notice_preferences SET choices = choices || \'{"outcome": "off"}\''
        )
    await post(bench, KINDS)
    assert [mail.subject for mail in post_office.mails] == ["[SANDBOX] The outcome"]
    assert "cannot be switched off" in post_office.mails[0].text
    assert [row[0] for row in await state_of(superuser)] == ["skipped", "sent"]


async def test_a_kind_that_is_no_more_is_not_sent(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS[1:])
    assert post_office.mails == []
    assert await state_of(superuser) == [
        ("skipped", 1, "The market has no notices of this kind any more.")
    ]


async def test_what_waited_a_day_for_its_first_attempt_is_skipped(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await age(superuser, timedelta(hours=25))
    await post(bench, KINDS)
    assert post_office.mails == []
    assert (await state_of(superuser))[0][0] == "skipped"


async def test_where_mail_was_switched_off_what_waits_is_skipped_and_says_so(
    ann: Person, superuser: Any, bench: Workbench, bench_without_mail: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    assert await Posting(bench_without_mail, KINDS).run() > 0
    assert await state_of(superuser) == [
        ("skipped", 0, "No mail server is set, so the market sends no mail.")
    ]


async def test_a_letter_that_cannot_be_written_any_more_is_tried_and_then_failed(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await happen(superuser, "test.greeted", ann, title="Whole")
    await notice(bench, KINDS)
    await superuser.execute(
        "UPDATE notice SET facts = facts || '{\"broken\": true}' WHERE facts ->> 'title' <> 'Whole'"
    )
    for _ in range(9):
        await post(bench, KINDS)
        await make_due(superuser)
    assert await state_of(superuser) == [
        ("failed", 8, "RuntimeError: This letter cannot be written."),
        ("sent", 1, None),
    ]
    assert len(post_office.mails) == 1


# -- several, and stopped half way -----------------------------------------------------------------


async def test_several_posters_at_once_send_each_mail_once(
    ann: Person, bob: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    for _ in range(15):
        await happen(superuser, "test.greeted", ann, bob)
    await notice(bench, KINDS)
    await asyncio.gather(*(post(bench, KINDS) for _ in range(5)))
    assert len(post_office.mails) == 30
    assert len({mail.message["Message-ID"] for mail in post_office.mails}) == 30
    assert {row[:2] for row in await state_of(superuser)} == {("sent", 1)}


async def test_no_transaction_is_open_while_a_mail_is_sent(
    ann: Person, superuser: Any, databases: Databases, bench: Workbench, post_office: PostOffice
) -> None:
    seen: list[int] = []

    def look(_: Received) -> None:
        async def count() -> int:
            connection = await asyncpg.connect(**databases.superuser)
            number = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'market worker' AND xact_start IS NOT NULL"
            )
            await connection.close()
            return int(number)

        # the server's thread has a loop that is busy with this very mail
        thread = threading.Thread(target=lambda: seen.append(asyncio.run(count())))
        thread.start()
        thread.join()

    post_office.received = look
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert seen == [0]


async def test_mails_are_sent_no_faster_than_the_settings_say(
    ann: Person, superuser: Any, databases: Databases, bench: Workbench, post_office: PostOffice
) -> None:
    for _ in range(4):
        await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    slow = replace(bench.settings, mails_per_minute=300)
    async with workbench(slow, databases.worker, bench.vault) as opened:
        began = asyncio.get_running_loop().time()
        await post(opened, KINDS)
        took = asyncio.get_running_loop().time() - began
    assert len(post_office.mails) == 4
    assert took > 0.6


_POSTER = """
import asyncio, json, secrets, sys
import msgspec
from market.background import workbench
from market.mail.posting import Posting
from market.sealing import ServerCustodian
from market.settings import Settings
from market.signing import SigningKey
from market.vault import Vault
from tests.market.mail.conftest import KINDS

given = json.loads(sys.argv[1])
vault = Vault(
    custodian=ServerCustodian({"t": secrets.token_bytes(32)}, "t"),
    signing_key=SigningKey.from_seed(secrets.token_bytes(32)), sandbox=True, name="tests.example",
)

async def main():
    settings = msgspec.convert(given["settings"], Settings)
    async with workbench(settings, given["parameters"], vault) as bench:
        await Posting(bench, KINDS).run()

asyncio.run(main())
"""


@pytest.mark.parametrize("action", ["test.greeted", "test.told"])
async def test_who_is_killed_between_sending_and_keeping_it_is_known_by_the_name_of_the_mail(  # noqa: PLR0913, PLR0917  # fixtures
    ann: Person,
    superuser: Any,
    databases: Databases,
    bench: Workbench,
    post_office: PostOffice,
    action: str,
) -> None:
    for title in ("One", "Two"):
        await happen(superuser, action, ann, title=title)
    await notice(bench, KINDS)
    await reach_digest(superuser)
    given = {"parameters": databases.worker, "settings": msgspec.to_builtins(bench.settings)}
    poster = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _POSTER, json.dumps(given), cwd=REPOSITORY
    )
    # the server has taken the mail, and the poster never hears of it
    post_office.received = lambda _: poster.kill()
    assert await poster.wait() == -signal.SIGKILL
    post_office.received = None
    [first] = post_office.mails
    assert {row[0] for row in await state_of(superuser)} == {"waiting"}
    if action == "test.told":  # what comes too late for a mail is not slipped into it
        await happen(superuser, action, ann, title="Three")
        await notice(bench, KINDS)
        await superuser.execute(
            "UPDATE notice SET digest_at = (SELECT min(digest_at) FROM notice)"
            " WHERE mailing IS NULL"
        )
    await make_due(superuser)
    await post(bench, KINDS)
    again = [
        mail
        for mail in post_office.mails[1:]
        if mail.message["Message-ID"] == first.message["Message-ID"]
    ]
    assert len(again) == 1
    assert again[0].text.partition("-- ")[0] == first.text.partition("-- ")[0]
    assert {row[0] for row in await state_of(superuser)} == {"sent"}
    assert len(post_office.mails) == 3


def test_the_worker_makes_and_sends_notices(bench: Workbench) -> None:
    names = [task.name for task in tasks(bench)]
    assert {"noticing", "reminding", "posting"} <= set(names)
    assert len(names) == len(set(names))
