"""Leaving by the address in a mail: with one click of a programme, or on a page."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.background import Workbench
from market.mail.rules.tokens import PURPOSE, Leaving, leaving_token
from market.vault import Vault
from tests.makers.notices import happen, notice, post
from tests.makers.post_office import PostOffice, Received
from tests.makers.world import Person, World
from tests.market.mail.conftest import KINDS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def address_in(mail: Received) -> str:
    """The address for unsubscribing, below the public one."""
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<https://market\.example(/\S+)>", mail.message["List-Unsubscribe"])
    assert found is not None
    assert f"https://market.example{found[1]}" in mail.text or "formal" in mail.text
    return found[1]


def address(vault: Vault, person: Person, name: str) -> str:
    secret = vault.signing_key.derive_secret(PURPOSE)
    return f"/unsubscribe?token={leaving_token(secret, Leaving(person=person.id, name=name))}"


async def click(world: World, path: str) -> httpx.Response:
    """What a mail programme sends (RFC 8058, section 3.2)."""
    return await world.client.post(path, content="List-Unsubscribe=One-Click", headers=FORM)


async def sending(person: Person) -> dict[str, str]:
    shown = (await person.get("/notice-preferences")).json()
    return {one["kind"]: one["sending"] for one in shown["kinds"]}


async def test_one_click_in_a_mail_switches_its_kind_off_without_signing_in(
    ann: Person, world: World, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    path = address_in(post_office.mails[0])
    answer = await click(world, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert await sending(ann) == {
        "deadline-near": "off",
        "outcome": "at_once",
        "news": "digest",
        "clock-shifted": "at_once",
    }
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    assert len(post_office.mails) == 1
    row = await superuser.fetchrow("SELECT * FROM event WHERE action = 'notice.unsubscribed'")
    assert (row["person"], row["subject"]) == (ann.id, ann.id)
    assert '"deadline-near"' in row["details"]


async def test_to_click_again_or_many_times_at_once_is_as_to_click_once(
    ann: Person, world: World, superuser: Any, vault: Vault
) -> None:
    for name in ("deadline-near", "clock-shifted"):
        path = address(vault, ann, name)
        answers = await asyncio.gather(*(click(world, path) for _ in range(6)))
        assert {one.status_code for one in answers} == {200}
        assert (await click(world, path)).status_code == 200
    found = await sending(ann)
    assert (found["deadline-near"], found["clock-shifted"]) == ("off", "off")
    events = "SELECT count(*) FROM event WHERE action = 'notice.unsubscribed'"
    assert await superuser.fetchval(events) == 2


async def test_the_body_may_be_a_form_of_either_kind_or_none(
    ann: Person, world: World, vault: Vault
) -> None:
    path = address(vault, ann, "deadline-near")
    files = {"List-Unsubscribe": (None, "One-Click")}
    assert (await world.client.post(path, files=files)).status_code == 200
    assert (await world.client.post(path)).status_code == 200
    assert (await world.client.post(path, content=b"{", headers=FORM)).status_code == 200


async def test_the_page_shows_a_button_and_changes_nothing_by_itself(
    ann: Person, world: World, superuser: Any, vault: Vault
) -> None:
    path = address(vault, ann, "deadline-near")
    events = "SELECT count(*) FROM event"
    before = await superuser.fetchval(events)
    page = await world.client.get(path)
    assert page.status_code == 200
    assert await superuser.fetchval(events) == before
    assert (await sending(ann))["deadline-near"] == "at_once"
    assert "<li>The deadline of a tender is near</li>" in page.text
    form = re.search(r'<form method="post">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None
    assert '<button name="List-Unsubscribe" value="One-Click">' in form[1]
    pressed = await click(world, path)
    assert "are switched off" in pressed.text
    assert "<form" not in (await world.client.get(path)).text
    assert (await sending(ann))["deadline-near"] == "off"


async def test_the_page_loads_nothing_and_is_kept_by_nobody(
    ann: Person, world: World, vault: Vault
) -> None:
    page = await world.client.get(address(vault, ann, "deadline-near"))
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "script" not in policy + page.text
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"src=|href=|http", page.text)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert ann.name not in page.text
    assert ann.email not in page.text


async def test_a_formal_kind_says_that_it_cannot_be_switched_off(
    ann: Person, world: World, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    await happen(superuser, "test.decided", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    path = address_in(post_office.mails[0])
    page = await world.client.get(path)
    assert "cannot be switched off" in page.text
    assert "<form" not in page.text
    answer = await click(world, path)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/formal-kind")
    assert (await sending(ann))["outcome"] == "at_once"


async def test_leaving_the_digest_leaves_all_that_it_gathers(
    ann: Person, world: World, vault: Vault
) -> None:
    await ann.put(
        "/notice-preferences",
        {"kinds": {"deadline-near": "digest", "outcome": "digest"}},
        version=1,
    )
    path = address(vault, ann, "digest")
    page = await world.client.get(path)
    assert "<h1>The daily digest</h1>" in page.text
    assert page.text.count("<li>") == 2
    assert (await click(world, path)).status_code == 200
    assert await sending(ann) == {
        "deadline-near": "off",
        "outcome": "digest",
        "news": "off",
        "clock-shifted": "at_once",
    }


async def test_an_address_of_a_kind_that_is_no_more_is_left_already(
    ann: Person, world: World, vault: Vault
) -> None:
    path = address(vault, ann, "former")
    assert "switched off" in (await world.client.get(path)).text
    assert (await click(world, path)).status_code == 200
    assert (await ann.get("/notice-preferences")).json()["version"] == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_address_but_the_market_s_own_leaves_anything(
    ann: Person, world: World, vault: Vault, method: str
) -> None:
    right = address(vault, ann, "deadline-near")
    forged = leaving_token(bytes(32), Leaving(person=ann.id, name="deadline-near"))
    other = leaving_token(
        vault.signing_key.derive_secret(b"something else"),
        Leaving(person=uuid4(), name="deadline-near"),
    )
    for path in (
        f"/unsubscribe?token={forged}",
        f"/unsubscribe?token={other}",
        right[:-3],
        f"{right}AA",
        "/unsubscribe?token=",
        "/unsubscribe?token=%00%ff",
        f"/unsubscribe?token={'A' * 201}",
        "/unsubscribe",
        f"{right}&kind=outcome",
    ):
        answer = await world.client.request(method, path)
        assert answer.status_code == 400, path
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (await ann.get("/notice-preferences")).json()["version"] == 1


async def test_what_lets_one_leave_is_not_logged(
    ann: Person, world: World, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    path = address(vault, ann, "deadline-near")
    await click(world, path)
    said = capsys.readouterr()
    assert "/unsubscribe" in said.out + said.err
    assert path.partition("=")[2] not in said.out + said.err
