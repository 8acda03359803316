import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace

from market.embedded import Connection, EmbeddedPostgres, EmbeddedPostgresError

QUICK = {"fsync": "off", "full_page_writes": "off"}
REPOSITORY = Path(__file__).parents[2]

START_AND_WAIT = """
import sys
from pathlib import Path
from market.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1])).start()
print("started", flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    # Not tmp_path: its name is long, and the socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    yield folder / "postgres"
    shutil.rmtree(folder)


async def ask(way: Connection, question: str) -> str:
    connection = await asyncpg.connect(**way.parameters())
    try:
        return str(await connection.fetchval(question))
    finally:
        await connection.close()


async def do(way: Connection, statement: str) -> None:
    connection = await asyncpg.connect(**way.parameters())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def start_elsewhere(root: Path, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603  # this interpreter, a constant script
        [sys.executable, "-c", START_AND_WAIT, str(root)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


async def test_a_first_start_gives_a_durable_private_server_with_core_features(root: Path) -> None:
    with EmbeddedPostgres(root) as server:
        expected = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "max_connections": "100",
            "TimeZone": "UTC",
        }
        for name, value in expected.items():
            assert await ask(server.connection, f"SELECT current_setting('{name}')") == value
        locale = (
            "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"
        )
        assert await ask(server.connection, locale) == "bC.UTF-8"
        rules = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"
        assert await ask(server.connection, rules) == "scram-sha-256"


async def test_what_was_written_is_there_after_a_restart(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        await do(server.connection, "CREATE TABLE kept AS SELECT 42 AS answer")
        password = server.connection.password
    assert not (server.data / "postmaster.pid").exists()
    with EmbeddedPostgres(root, settings=QUICK) as again:
        assert again.connection.password == password
        assert await ask(again.connection, "SELECT answer FROM kept") == "42"


async def test_the_server_stays_until_its_last_user_has_left(root: Path) -> None:
    first = EmbeddedPostgres(root, settings=QUICK).start()
    second = EmbeddedPostgres(root, settings=QUICK).start()
    pid = postmaster(first)
    first.stop()
    assert postmaster(second) == pid
    assert await ask(second.connection, "SELECT 1") == "1"
    second.stop()
    assert not (second.data / "postmaster.pid").exists()


async def test_several_that_start_at_once_share_one_server(root: Path) -> None:
    servers = [EmbeddedPostgres(root, settings=QUICK) for _ in range(4)]
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(EmbeddedPostgres.start, servers))
    try:
        starts = servers[0].log.read_text().count("starting PostgreSQL")
        assert starts == 1
        assert await ask(servers[3].connection, "SELECT 1") == "1"
    finally:
        for server in servers:
            server.stop()


async def test_starting_twice_is_harmless_and_stopping_twice_too(root: Path) -> None:
    server = EmbeddedPostgres(root, settings=QUICK).start()
    pid = postmaster(server)
    assert postmaster(server.start()) == pid
    server.stop()
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="not started"):
        _ = server.connection


async def test_an_acknowledged_row_outlives_the_killing_of_the_server(root: Path) -> None:
    with EmbeddedPostgres(root) as server:
        await do(server.connection, "CREATE TABLE bid (price numeric); INSERT INTO bid VALUES (7)")
        killed = postmaster(server)
        os.kill(killed, signal.SIGKILL)
        server.start()
        assert postmaster(server) != killed
        assert await ask(server.connection, "SELECT price FROM bid") == "7"


async def test_a_stale_pid_that_another_process_has_by_now_is_left_alone(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        stale = (server.data / "postmaster.pid").read_text().splitlines()
    bystander = await asyncio.create_subprocess_exec("sleep", "60")
    (server.data / "postmaster.pid").write_text("\n".join([str(bystander.pid), *stale[1:]]) + "\n")
    with server:
        assert await ask(server.connection, "SELECT 1") == "1"
    assert bystander.returncode is None
    bystander.terminate()
    await bystander.wait()


async def test_a_server_whose_last_user_was_killed_is_found_again_and_stopped(root: Path) -> None:
    user = start_elsewhere(root)
    server = EmbeddedPostgres(root)
    left_behind = postmaster(server)
    user.kill()
    user.communicate()
    with server:
        assert postmaster(server) == left_behind
        assert await ask(server.connection, "SELECT 1") == "1"
    assert not (server.data / "postmaster.pid").exists()


async def test_nobody_else_can_enter_the_data_the_socket_or_the_password(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        folder = Path(server.connection.host)
        assert mode(root) == 0o700
        assert mode(server.data) == 0o700
        assert mode(folder) == 0o700
        assert mode(folder / ".s.PGSQL.5432") == 0o700
        assert mode(root / "password") == 0o600
        assert mode(server.log) == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(replace(server.connection, password="guessed"), "SELECT 1")  # noqa: S106  # wrong on purpose


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's list of sockets")
async def test_the_server_listens_on_no_tcp_port(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        descriptors = Path(f"/proc/{postmaster(server)}/fd").iterdir()
        held = {str(descriptor.readlink()) for descriptor in descriptors}
        sockets = {link[len("socket:[") : -1] for link in held if link.startswith("socket:[")}
        lines = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in Path("/proc/net", table).read_text().splitlines()[1:]
        ]
        unix = Path("/proc/net/unix").read_text()
        assert any(number in unix for number in sockets)
        assert not {columns[9] for columns in lines} & sockets


def test_data_of_another_major_version_are_refused_and_left_alone(root: Path) -> None:
    server = EmbeddedPostgres(root)
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(
        EmbeddedPostgresError, match=r"written by PostgreSQL 9.*MARKET_POSTGRES_PROGRAMS"
    ):
        server.start()
    assert [path.name for path in server.data.iterdir()] == ["PG_VERSION"]


def test_a_half_made_cluster_is_made_anew(root: Path) -> None:
    (root / "data.tmp").mkdir(parents=True)
    (root / "data.tmp" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(root, settings=QUICK) as server:
        assert (server.data / "global" / "pg_control").exists()
    assert not (root / "data.tmp").exists()


async def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(root: Path) -> None:
    with EmbeddedPostgres(root / ("deep" * 25), settings=QUICK) as server:
        folder = Path(server.connection.host)
        assert root not in folder.parents
        assert mode(folder) == 0o700
        assert await ask(server.connection, "SELECT 1") == "1"
    shutil.rmtree(folder)


def test_a_server_that_cannot_start_says_why_and_where_its_log_is(root: Path) -> None:
    server = EmbeddedPostgres(root, settings={**QUICK, "shared_buffers": "nonsense"})
    with pytest.raises(EmbeddedPostgresError, match=r"shared_buffers.*server\.log"):
        server.start()
    with pytest.raises(EmbeddedPostgresError, match="not started"):
        _ = server.connection


@pytest.mark.parametrize(
    "name", ["listen_addresses", "PORT", "hba_file", "unix_socket_directories"]
)
def test_settings_that_would_open_the_server_are_refused(root: Path, name: str) -> None:
    with pytest.raises(EmbeddedPostgresError, match=name.lower()):
        EmbeddedPostgres(root, settings={name: "anything"})


def test_a_folder_without_programs_is_refused(root: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no program called postgres"):
        EmbeddedPostgres(root, programs=root)


async def test_client_programs_run_against_the_server_and_say_what_failed(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        await do(server.connection, "CREATE TABLE tender (title text)")
        assert "CREATE TABLE public.tender" in server.run("pg_dump", "--schema-only")
        with pytest.raises(EmbeddedPostgresError, match=r"pg_dump failed: .*no matching tables"):
            server.run("pg_dump", "--table=nothing")


async def test_the_url_and_the_parameters_reach_the_same_database(root: Path) -> None:
    with EmbeddedPostgres(root, settings=QUICK) as server:
        connection = await asyncpg.connect(server.connection.url())
        assert await connection.fetchval("SELECT current_user::text") == server.connection.user
        await connection.close()


def test_a_connection_never_shows_its_password() -> None:
    way = Connection(host="/run", port=5432, user="u", password="p@ss/word", database="d")  # noqa: S106  # made up
    assert "p@ss" not in repr(way)
    assert "p@ss" not in str(way.__rich_repr__())
    assert way.url() == "postgresql://u:p%40ss%2Fword@/d?host=%2Frun&port=5432"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_as_root_without_user_namespaces_the_server_runs_as_nobody(root: Path) -> None:
    root.parent.chmod(0o711)
    user = start_elsewhere(root, PATH="")  # no unshare to be found
    server = EmbeddedPostgres(root)
    try:
        assert server.data.stat().st_uid != 0
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid == server.data.stat().st_uid
        assert (root / "password").stat().st_uid == 0
        with server:  # the data decide as whom it runs, so one who has unshare can join
            assert await ask(server.connection, "SELECT 1") == "1"
    finally:
        user.communicate()
    assert user.returncode == 0
    assert not (server.data / "postmaster.pid").exists()
