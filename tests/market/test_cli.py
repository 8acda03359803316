"""The command line: complete help, one clear line when something fails, an orderly end."""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import structlog

from market.cli import main
from market.settings import Settings

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "import sys; from market.cli import main; sys.exit(main())")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    # not tmp_path: its name is long, and the socket's path has to be short
    folder = Path(tempfile.mkdtemp(prefix="cli-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in os.environ:
        if name.startswith("MARKET_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MARKET_HOME", str(home))
    before = signal.getsignal(signal.SIGTERM)
    log, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    signal.signal(signal.SIGTERM, before)
    structlog.configure(**log)
    root.handlers[:] = handlers
    root.setLevel(level)


def market(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as ended:  # argparse's own way out
        status = int(ended.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_help_names_every_command_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = market(capsys, "--help")
    assert status == 0
    for command in (
        "run",
        "demo",
        "migrate",
        "init",
        "operator",
        "people",
        "clock",
        "openapi",
        "status",
    ):
        assert re.search(rf"^    {command}  ", out, re.MULTILINE), command
    for setting in Settings.__struct_fields__:
        assert f"MARKET_{setting.upper()} " in out
    for command in ("run", "init", "operator invite"):
        status, out, _ = market(capsys, *command.split(), "--help")
        assert status == 0
        assert "--" in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("sing",),
        ("run", "--port", "high"),
        ("run", "--port", "65536"),
        ("run", "--workers", "0"),
        ("init",),
        ("init", "--environment", "staging"),
        ("operator", "invite"),
    ],
)
def test_what_is_not_understood_ends_with_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, out, err = market(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "error: " in err.splitlines()[-1]


def test_what_fails_is_told_in_one_line_with_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, out, err = market(capsys, "run", "--port", port)
    assert (status, out) == (1, "")
    assert err.startswith(f"market: Port {port} on 127.0.0.1 is in use: stop what uses it, or")
    assert err.count("\n") == 1
    assert market(capsys, "run", "--host", "nowhere.invalid")[2].startswith(
        "market: There is no address nowhere.invalid"
    )
    production = market(capsys, "init", "--environment", "production")
    assert production == (1, "", "market: MARKET_DATABASE_URL must be set in production.\n")
    monkeypatch.setenv("MARKET_PROT", "1")
    status, _, err = market(capsys, "clock")
    assert (status, err.count("\n")) == (1, 1)
    assert "MARKET_PROT" in err
    monkeypatch.delenv("MARKET_PROT")
    monkeypatch.setenv("MARKET_DATABASE_URL", "postgresql://market_app:x@127.0.0.1:1/market")
    status, _, err = market(capsys, "status")
    assert (status, err.count("\n")) == (1, 1)
    assert "does not let the market in" in err


def test_a_new_market_is_set_up_and_its_registrar_invited(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = market(capsys, "migrate")
    assert status == 0
    assert out.startswith("ran market/")
    assert market(capsys, "migrate")[1] == "Nothing to do: every migration has run.\n"
    assert market(capsys, "init", "--environment", "sandbox") == (
        0,
        "The database is ready as sandbox.\n",
        "",
    )
    status, out, _ = market(capsys, "operator", "invite", "--email", "rita@market.example")
    assert status == 0
    secret = out.splitlines()[-1]
    assert re.fullmatch(r"[\w-]{40,}", secret)
    status, _, err = market(capsys, "operator", "invite", "--email", "nobody")
    assert (status, err.count("\n")) == (1, 1)
    status, out, _ = market(capsys, "clock")
    assert status == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, with real time \(sandbox\)\n", out)


def test_the_status_is_computed_and_nothing_is_missing_in_a_new_market(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = market(capsys, "status")
    assert status == 0, out
    assert out.startswith("SANDBOX, version ")
    assert "MISSING" not in out
    assert "fsync on, full_page_writes on" in out


def test_the_document_is_printed_as_it_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = market(capsys, "openapi")
    assert status == 0
    assert json.loads(out)["openapi"].startswith("3.1")


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start `market run` on any port, and give the address it prints once it answers."""
    process = subprocess.Popen(  # noqa: S603  # this interpreter, constant arguments
        [*COMMAND, "run", "--port", "0", "--no-demonstration", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    found = re.search(r"http://\S+", first)
    assert found is not None, first + process.communicate()[1]
    assert process.stdout.readline().endswith(f"{found[0]}/docs\n")
    return process, found[0]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_in_order_when_asked(home: Path, stop: signal.Signals) -> None:
    process, address = start()
    answer = httpx.get(f"{address}/ready", headers={"X-Request-Id": "asked-by-a-test"})
    assert answer.status_code == 200
    assert "server" not in answer.headers
    process.send_signal(stop)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["path"] for line in lines if line.get("request") == "asked-by-a-test"] == [
        "/ready"
    ]
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")])
def test_who_waits_for_events_does_not_hold_up_the_end(
    home: Path, arguments: tuple[str, ...]
) -> None:
    process, address = start(*arguments)
    follows = {"Accept": "text/event-stream"}
    with httpx.Client(base_url=address, timeout=30) as client, ThreadPoolExecutor() as threads:
        newest = client.get("/api/v1/events?limit=1").json()["next"]
        asked = f"/api/v1/events?wait=30&after={newest}&type=nothing.yet"
        waiting = [threads.submit(client.get, asked) for _ in range(4)]
        with client.stream("GET", asked, headers=follows) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            time.sleep(0.5)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert not any(line.startswith("event: nothing") for line in lines)
        assert {one.result().status_code for one in waiting} == {200}
        assert time.monotonic() - began < 5
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_several_processes_share_one_port_and_their_measures(home: Path) -> None:
    process, address = start("--workers", "2")
    with httpx.Client(base_url=address, timeout=20) as client:
        for _ in range(5):
            assert client.get("/ready").status_code == 200
        measured = client.get("/metrics").text
    assert 'market_requests_total{method="GET",route="/ready",status="2xx"} 5.0' in measured
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only there a port is shared out")
def test_a_burst_of_connections_is_dealt_out_to_all_processes() -> None:
    process, address = start("--workers", "2")
    host, port = address.removeprefix("http://").split(":")
    deadline = time.monotonic() + 20
    while _listening(int(port)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    both = _answering(process.pid)
    before = {one: _sockets(one) for one in both}
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
        while sum(taken := [_sockets(one) - before[one] for one in both]) < 100:
            assert time.monotonic() < deadline, taken
    assert len(taken) == 2
    assert min(taken) > 25
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def _answering(first: int) -> list[int]:
    """The processes that a first one has started to answer."""
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [
        int(one) for one in children if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()
    ]


def _listening(port: int) -> int:
    """How many sockets listen at a port of this machine."""
    found = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(one[1].endswith(f":{port:04X}") and one[3] == "0A" for one in found)


def _sockets(process: int) -> int:
    """How many sockets a process has open."""
    return sum("socket:" in str(one.readlink()) for one in Path(f"/proc/{process}/fd").iterdir())


def test_when_the_first_of_several_processes_is_killed_the_others_end_too(home: Path) -> None:
    process, address = start("--workers", "2")
    assert httpx.get(f"{address}/ready", timeout=20).status_code == 200
    process.kill()
    process.communicate(timeout=20)  # until all of them have let go of what they write to
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health", timeout=5)
    again, address = start()  # over the database that the killed one left running
    assert httpx.get(f"{address}/ready", timeout=20).status_code == 200
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=20)
    assert again.returncode == 0
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_a_body_too_large_is_refused_over_a_real_connection() -> None:
    process, address = start()

    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(1_000_000)

    with httpx.Client(base_url=address, timeout=20) as client:
        headers = {"Content-Type": "application/json"}
        for _ in range(3):
            for body in (endless(), bytes(50_000_000)):
                answer = client.post("/api/v1/sessions", content=body, headers=headers)
                assert answer.status_code == 413
                assert answer.json()["type"] == "/problems/too-large"
        assert client.get("/health").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    process.communicate()
