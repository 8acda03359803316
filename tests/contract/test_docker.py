"""The example in `docker/` names what there is: settings, scripts and files."""

import re
import subprocess
from pathlib import Path

import pytest

from market.settings import PREFIX, Settings

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE = (DOCKER / "compose.yaml").read_text()
_OF_THE_EXAMPLE = {"MARKET_APP_PASSWORD", "MARKET_WORKER_PASSWORD"}


def test_every_setting_of_the_example_is_one_of_the_market() -> None:
    known = {PREFIX + name.upper() for name in Settings.__struct_fields__} | _OF_THE_EXAMPLE
    assert set(re.findall(r"\bMARKET_[A-Z_]+", COMPOSE)) <= known


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = re.findall(r"- \./([\w.-]+):", COMPOSE)
    assert {"primary-init.sh", "standby.sh", "backup.sh"} == set(mounted)
    assert all((DOCKER / name).is_file() for name in mounted)


def test_every_way_to_the_database_names_both_servers() -> None:
    ways = re.findall(r"postgresql://.*@(\S+)", COMPOSE)
    assert len(ways) == 3
    assert set(ways) == {"primary:5432,standby:5432/market?target_session_attrs=read-write"}


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_can_be_read(script: Path) -> None:
    done = subprocess.run(["bash", "-n", str(script)], check=False, capture_output=True)  # noqa: S603, S607  # our script, bash wherever
    assert done.returncode == 0, done.stderr
