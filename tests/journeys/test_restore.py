"""The restore drill: base backup and WAL to a new folder, verified, the log as it was signed."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from market import migrations
from market.background import Workbench, workbench
from market.embedded import EmbeddedPostgres
from market.settings import Environment, Settings
from market.transparency.checking import check_log
from market.transparency.keeping import Keeper
from market.transparency.restarting import Contradicted, known_keys, restart
from market.transparency.rules.notes import verify_checkpoint
from market.transparency.witness import Witness
from market.vault import Vault
from tests.makers.log import keep, number, record_straight

PASSWORD = "a password for tests alone"  # noqa: S105  # the server listens on a private socket


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that puts every finished piece of its log of changes into an archive."""
    archive = tmp_path / "archive"
    archive.mkdir()
    keeping = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "max_wal_size": "64MB",
    }
    with EmbeddedPostgres(tmp_path / "primary", settings=keeping) as running:
        yield running


async def _market(server: EmbeddedPostgres) -> dict[str, Any]:
    connection = await asyncpg.connect(**server.connection.parameters())
    await connection.execute("CREATE DATABASE market")
    await connection.close()
    parameters: dict[str, Any] = {**server.connection.parameters(), "database": "market"}
    await migrations.migrate(parameters, app_password=PASSWORD)
    await migrations.set_passwords(
        parameters, {migrations.APP: PASSWORD, migrations.WORKER: PASSWORD}
    )
    await migrations.initialise(parameters, environment=Environment.SANDBOX, name="tests.example")
    return parameters


@asynccontextmanager
async def _bench(server: EmbeddedPostgres, vault: Vault) -> AsyncIterator[tuple[Any, Workbench]]:
    parameters: dict[str, Any] = {**server.connection.parameters(), "database": "market"}
    worker = parameters | {"user": migrations.WORKER, "password": PASSWORD}
    connection = await asyncpg.connect(**parameters)
    try:
        while await connection.fetchval("SELECT pg_is_in_recovery()"):  # noqa: ASYNC110  # of a server
            await asyncio.sleep(0.02)
        async with workbench(Settings(), worker, vault) as bench:
            yield connection, bench
    finally:
        await connection.close()


@contextmanager
def _restored(
    primary: EmbeddedPostgres, backup: Path, target: str, folder: Path
) -> Iterator[EmbeddedPostgres]:
    """A server of its own, from a base backup and what the archive holds up to a target."""
    folder.mkdir()
    shutil.copytree(backup, folder / "data")
    (folder / "data").chmod(0o700)
    shutil.copy2(primary.root / "password", folder / "password")
    archive = primary.root.parent / "archive"
    with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"\nrestore_command = 'cp {archive}/%f %p'\n{target}\n"
            "recovery_target_action = 'promote'\narchive_mode = 'off'\n"
        )
    (folder / "data" / "recovery.signal").touch()
    with EmbeddedPostgres(folder) as running:
        yield running


def _faults(backup: Path) -> list[str]:
    """What pg_verifybackup would say of the files: that of the wheel does not run everywhere."""
    text = (backup / "backup_manifest").read_bytes()
    manifest = json.loads(text)
    signed = text[: text.rindex(b'"Manifest-Checksum"')]
    found = []
    if hashlib.sha256(signed).hexdigest() != manifest["Manifest-Checksum"]:
        found.append("backup_manifest")
    for file in manifest["Files"]:
        content = (backup / file["Path"]).read_bytes()
        if (len(content), hashlib.sha256(content).hexdigest()) != (file["Size"], file["Checksum"]):
            found.append(file["Path"])
    listed = {file["Path"] for file in manifest["Files"]} | {"backup_manifest"}
    there = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
    return found + sorted(path for path in there - listed if not path.startswith("pg_wal/"))


async def _signed(bench: Workbench, connection: Any, witness: Witness) -> str:
    for _ in range(40):
        await record_straight(connection)
    await record_straight(connection, action="lot.awarded")
    await keep(bench, Keeper(bench, witness))
    note: str = await connection.fetchval("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return note


async def test_a_restore_is_whole_or_the_log_says_that_it_is_not(
    primary: EmbeddedPostgres, vault: Vault, tmp_path: Path
) -> None:
    await _market(primary)
    witness = Witness(tmp_path / "home")
    backup = tmp_path / "backup"
    async with _bench(primary, vault) as (connection, bench):
        await _signed(bench, connection, witness)
        primary.run(
            "pg_basebackup",
            f"--pgdata={backup}",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--manifest-checksums=SHA256",
        )
        assert _faults(backup) == []
        earlier = await _signed(bench, connection, witness)
        await connection.execute("SELECT pg_create_restore_point('before the end')")
        last = await _signed(bench, connection, witness)
        await connection.execute("SELECT pg_switch_wal()")
    primary.stop()  # waits for the archiver

    with _restored(primary, backup, "", tmp_path / "whole") as whole:
        async with _bench(whole, vault) as (connection, bench):
            keys = await known_keys(connection, vault)
            assert (await check_log(connection, keys, [last, earlier])).good
            signed = verify_checkpoint(last, keys)
            root = await connection.fetchval(
                "SELECT root FROM checkpoint WHERE size = $1", signed.size
            )
            assert root == signed.root
            await record_straight(connection)
            await keep(bench, Keeper(bench, witness))  # the witness has nothing against it

    point = "recovery_target_name = 'before the end'"
    with _restored(primary, backup, point, tmp_path / "shorter") as shorter:
        async with _bench(shorter, vault) as (connection, bench):
            keys = await known_keys(connection, vault)
            assert (await check_log(connection, keys, [earlier])).good
            assert not (await check_log(connection, keys, [last])).good
            await record_straight(connection, action="lot.awarded")
            await number(bench)
            with pytest.raises(Contradicted, match="its end was lost"):
                await Keeper(bench, witness).run()
            [declared] = await restart(
                connection, vault, "Restored without its end.", witness.notes()
            )
            await keep(bench, Keeper(bench, witness))
            keys = await known_keys(connection, vault)
            newest = verify_checkpoint(witness.notes()[0], keys)
            assert newest.origin == declared.restart.origin
            assert declared.restart.kept == verify_checkpoint(earlier, keys).size
            assert declared.restart.known == verify_checkpoint(last, keys).size
            checked = await check_log(connection, keys, [earlier, last])
            assert (checked.good, checked.held, checked.lost) == (True, 1, 1)
