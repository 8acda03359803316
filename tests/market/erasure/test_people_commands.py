"""`market people`: first what would go and what stays, then, with --yes, for good."""

import argparse
import asyncio
import base64
import re
import secrets
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
import pytest

from market.actor import Role
from market.cli import parser
from market.erasure.errors import NobodySuch, NoSuchHold, ReleasedAlready
from market.runtime import CannotStart
from market.settings import Environment, Settings
from tests.conftest import APP_PASSWORD, Databases
from tests.makers.sign_in import joined
from tests.makers.tenders import drafted_tender
from tests.makers.world import Person, World

WHY = ("--because", "They asked for it.")


def _url(parameters: dict[str, Any]) -> str:
    login = f"{quote(parameters['user'], safe='')}:{quote(parameters['password'], safe='')}"
    host = quote(parameters["host"], safe="")
    return f"postgresql://{login}@/{parameters['database']}?host={host}&port={parameters['port']}"


@pytest.fixture
def there(databases: Databases) -> Settings:
    """The settings of a market over the test's database."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return Settings(
        environment=Environment.SANDBOX,
        name="tests.example",
        database_url=_url(databases.app | {"password": APP_PASSWORD}),
        migration_url=_url(databases.superuser),
        key_encryption_keys=f"tests:{key}",
        signing_key=key,
    )


@pytest.fixture
async def ann(world: World) -> Person:
    group = await world.organisation("06F")
    return await joined(world, "Annabel Quillfeather", group, Role.COMMISSIONER)


class Terminal:
    """The command line, with what it said."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings = settings
        self._capsys = capsys

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Say something, beside the running API."""
        chosen: argparse.Namespace = parser().parse_args(["people", *arguments])
        self._capsys.readouterr()  # what the API logged
        status = await asyncio.to_thread(chosen.do, self.settings, chosen)
        said = self._capsys.readouterr()
        return status, said.out, said.err


@pytest.fixture
def people(there: Settings, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(there, capsys)


async def test_without_yes_it_says_what_would_go_and_what_stays_and_does_nothing(
    people: Terminal, superuser: Any, ann: Person
) -> None:
    status, out, err = await people("erase", ann.email.upper(), *WHY)
    assert (status, err) == (0, "")
    assert out.startswith(f"Annabel Quillfeather <{ann.email}>, {ann.id}\n")
    assert "  name, address, password\n" in out
    assert "  roles: ended (1)\n" in out
    assert "  invitations to them: the address (1)\n" in out
    assert "the log verifies as before" in out
    assert out.endswith("Nothing was erased. Say it again with --yes to erase them for good.\n")
    assert await superuser.fetchval("SELECT count(*) FROM person_erasure") == 0
    assert (await ann.get("/me")).status_code == 200


async def test_with_yes_they_are_erased_and_a_second_time_there_is_nobody(
    people: Terminal, superuser: Any, ann: Person
) -> None:
    status, out, _ = await people("erase", str(ann.id), *WHY, "--yes")
    assert status == 0
    assert out.splitlines()[-1].startswith(f"Erased {ann.id} (erasure ")
    assert (await ann.get("/me")).status_code == 401
    row = await superuser.fetchrow("SELECT person, because FROM person_erasure")
    assert tuple(row) == (ann.id, WHY[1])
    status, _, err = await people("erase", str(ann.id), *WHY, "--yes")
    assert status == 1
    assert re.match(rf"market: {ann.id} was erased on \d\d \w+ \d{{4}}\.\n", err)


async def test_whoever_must_be_kept_is_refused_with_every_reason(
    people: Terminal, world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    status, out, err = await people("erase", tender.manager.email, *WHY, "--yes")
    assert (status, out) == (1, "")
    told = err.splitlines()
    assert any(f"in the tender {tender.reference}, which is not concluded" in one for one in told)
    assert told[-1] == f"market: {tender.manager.id} cannot be erased now."
    assert await superuser.fetchval("SELECT count(*) FROM person_erasure") == 0


async def test_the_only_administrator_is_refused_by_name_of_the_organisation(
    people: Terminal, world: World
) -> None:
    alone = await world.person("Una Alone", await world.organisation("0AR"), Role.ADMINISTRATOR)
    status, _, err = await people("erase", alone.email, *WHY)
    assert status == 1
    assert "They are the only administrator of " in err


async def test_a_legal_hold_is_placed_forbids_and_is_released(
    people: Terminal, superuser: Any, ann: Person
) -> None:
    status, out, _ = await people("hold", ann.email, "--because", "Case 7.")
    assert status == 0
    found = re.fullmatch(
        rf"Placed the legal hold (\S+) on {ann.id}\. Release it by this id\.\n", out
    )
    assert found is not None
    status, _, err = await people("erase", ann.email, *WHY, "--yes")
    assert status == 1
    assert re.match(r"A legal hold is in force since \d+ \w+ \d{4}, until .*: Case 7\.\n", err)
    status, out, _ = await people("release", found[1], "--because", "Settled.")
    assert (status, out) == (0, f"Released the legal hold {found[1]} on {ann.id}.\n")
    row = await superuser.fetchrow("SELECT * FROM legal_hold")
    assert (row["because"], row["released_because"]) == ("Case 7.", "Settled.")
    actions = await superuser.fetch(
        "SELECT action FROM event WHERE subject = $1 AND action LIKE 'legal_hold.%'"
        " ORDER BY serial",
        ann.id,
    )
    assert [one["action"] for one in actions] == ["legal_hold.placed", "legal_hold.released"]
    assert (await people("erase", ann.email, *WHY, "--yes"))[0] == 0


async def test_nobody_and_no_hold_are_said_to_be_none(
    people: Terminal, there: Settings, ann: Person
) -> None:
    for given in ("nobody@nowhere.example", str(uuid4()), "x"):
        with pytest.raises(NobodySuch):
            await people("erase", given, *WHY)
    with pytest.raises(NoSuchHold):
        await people("release", str(uuid4()), *WHY)
    _, out, _ = await people("hold", ann.email, *WHY)
    hold = out.split()[4]
    await people("release", hold, *WHY)
    with pytest.raises(ReleasedAlready):
        await people("release", hold, *WHY)
    people.settings = msgspec.structs.replace(there, migration_url=None)
    with pytest.raises(CannotStart, match="MARKET_MIGRATION_URL is not set"):
        await people("erase", ann.email, *WHY)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("erase",),
        ("erase", "x@y.example"),
        ("erase", "x@y.example", "--because", " "),
        ("erase", "x@y.example", "--because", "x" * 2001),
        ("erase", "x@y.example", "--because", "two\nlines"),
        ("release", "no-id", "--because", "x"),
        ("hold", "--because", "x"),
    ],
)
def test_what_is_not_understood_ends_with_status_2(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["people", *arguments])
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err
