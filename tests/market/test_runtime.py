"""Start-up: what is made once is kept, what does not fit is refused in one clear sentence."""

import asyncio
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from msgspec.structs import replace

from market import migrations
from market.reference import load_ccgs, load_csus
from market.runtime import CannotStart, join, migrated, open_vault, prepare
from market.settings import BadSettings, Environment, Settings
from tests.conftest import APP_PASSWORD, Databases

KEYS: dict[str, Any] = {
    "key_encryption_keys": "new:" + "QUFB" * 10 + "QUE=,old:" + "QkJC" * 10 + "QkI=",
    "signing_key": "Q0ND" * 10 + "Q0M=",
}


@pytest.fixture
def home() -> Iterator[Path]:
    # not tmp_path: its name is long, and the socket's path has to be short
    folder = Path(tempfile.mkdtemp(prefix="runtime-"))
    yield folder
    shutil.rmtree(folder)


def url(parameters: dict[str, Any]) -> str:
    login = f"{parameters['user']}:{quote(parameters['password'], safe='')}"
    host = quote(str(parameters["host"]), safe="")
    return f"postgresql://{login}@/{parameters['database']}?host={host}&port={parameters['port']}"


def external(databases: Databases, **others: Any) -> Settings:
    return Settings(database_url=url(databases.app), name="tests.example", **{**KEYS, **others})


async def ask(parameters: dict[str, Any], question: str) -> Any:
    connection = await asyncpg.connect(**parameters)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def start(settings: Settings) -> str:
    """Prepare in a thread, as the command line does outside any event loop; give the key's id."""

    def enter() -> str:
        with prepare(settings) as runtime:
            return runtime.vault.signing_key.key_id

    return await asyncio.to_thread(enter)


def test_a_first_start_makes_everything_and_a_second_finds_it(home: Path) -> None:
    settings = Settings(home=str(home))
    with prepare(settings) as first:
        assert first.environment is Environment.SANDBOX
        assert first.vault.sandbox
        count = asyncio.run(ask(first.connection, "SELECT count(*) FROM organisation"))
        assert count == len([*load_ccgs(), *load_csus()])
        assert asyncio.run(ask(first.connection, "SELECT current_user")) == migrations.APP
        assert APP_PASSWORD not in repr(first)
        kept = {path.name: path.read_text() for path in (home / "keys").iterdir()}
        assert set(kept) == {
            "app-password",
            "key-encryption-keys",
            "signing-key",
            "worker-password",
        }
        for path in (home / "keys").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
        with join(settings) as second:
            assert second.vault.signing_key.key_id == first.vault.signing_key.key_id
    (home / "keys" / "app-password").unlink()  # may be lost: the role gets the new one
    with prepare(settings) as again:
        assert again.vault.signing_key.key_id == first.vault.signing_key.key_id
        assert asyncio.run(ask(again.connection, "SELECT count(*) FROM organisation")) == count
        keys = (home / "keys" / "key-encryption-keys").read_text()
        assert keys == kept["key-encryption-keys"]
    (home / "keys" / "key-encryption-keys").unlink()
    with pytest.raises(CannotStart, match="key-encryption-keys of this market are missing"):
        prepare(settings).__enter__()
    assert not (home / "keys" / "key-encryption-keys").exists()


async def test_with_a_database_of_ones_own_the_keys_come_from_the_settings(
    databases: Databases,
) -> None:
    key = open_vault(external(databases), sandbox=True).signing_key.key_id
    assert await start(external(databases)) == key
    with pytest.raises(BadSettings, match="MARKET_SIGNING_KEY must be set when"):
        await start(external(databases, signing_key=None))


def test_the_first_key_encryption_key_is_the_current_one() -> None:
    vault = open_vault(Settings(database_url="unused", **KEYS), sandbox=True)
    assert repr(vault.custodian) == "ServerCustodian(key_ids=['new', 'old'], current='new')"


@pytest.mark.parametrize(
    "keys", ["", "noid", ":QUFB", "a:b,a:c", "a:QUFB", KEYS["key_encryption_keys"] * 2]
)
def test_malformed_keys_are_refused_without_being_repeated(keys: str) -> None:
    settings = Settings(database_url="unused", **{**KEYS, "key_encryption_keys": keys})
    with pytest.raises(BadSettings) as refused:
        open_vault(settings, sandbox=True)
    assert "MARKET_KEY_ENCRYPTION_KEYS" in str(refused.value)
    assert "QUFB" not in str(refused.value)


async def test_a_database_stays_what_it_was_initialised_as(databases: Databases) -> None:
    with pytest.raises(CannotStart, match="initialised as sandbox, but MARKET_ENVIRONMENT says"):
        await start(
            external(databases, environment=Environment.PRODUCTION, documents_folder="documents")
        )


async def test_an_api_process_does_not_start_as_somebody_too_mighty(databases: Databases) -> None:
    settings = replace(external(databases), database_url=url(databases.superuser))
    with pytest.raises(CannotStart, match="superuser"):
        await start(settings)


async def test_an_api_process_does_not_start_on_a_database_that_is_behind(
    databases: Databases, superuser: Any
) -> None:
    last = migrations.expected()[-1].partition("/")[2]
    await superuser.execute(
        "DELETE FROM migration WHERE name = $1 AND app_name = 'evaluation'", last
    )
    with pytest.raises(CannotStart, match=f"lacks 1 migrations, evaluation/{last} first"):
        await start(external(databases))


async def test_a_database_that_nobody_initialised_is_not_served(
    databases: Databases, superuser: Any
) -> None:
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute(
        "ALTER TABLE installation DISABLE TRIGGER USER; DELETE FROM installation"
    )
    with pytest.raises(CannotStart, match="not initialised: say `market init"):
        await start(external(databases))


async def test_a_database_that_does_not_answer_is_named_as_the_reason(databases: Databases) -> None:
    wrong = url(databases.app | {"password": "wrong"})
    with pytest.raises(CannotStart, match="does not let the market in: password authentication"):
        await start(replace(external(databases), database_url=wrong))
    nobody = "postgresql://market_app:x@127.0.0.1:1/market"
    with pytest.raises(CannotStart, match="does not let the market in"):
        await start(replace(external(databases), database_url=nobody))


async def test_migrating_needs_the_role_that_may(databases: Databases) -> None:
    def go(settings: Settings) -> list[str]:
        with migrated(settings) as ran:
            return ran

    with pytest.raises(CannotStart, match="MARKET_MIGRATION_URL is not set"):
        await asyncio.to_thread(go, external(databases))
    known = replace(external(databases), migration_url=url(databases.superuser))
    assert await asyncio.to_thread(go, known) == []
    assert await start(known)
