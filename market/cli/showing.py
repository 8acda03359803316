"""`market demo`, and the demonstration's data in a new sandbox."""

import argparse
import asyncio
import sys

import httpx
import msgspec
from rich.console import Console

from market.demo.bidders import BIDDERS
from market.demo.cast import BUYERS, REGISTRAR
from market.demo.desk import DemonstrationFailed
from market.observation.log import configure_log
from market.openapi import PREFIX
from market.performance import demonstrate, ensure_populated
from market.runtime import Runtime, prepare
from market.settings import Environment, Settings

_UNLIMITED = 1_000_000_000


def demo(settings: Settings, _: argparse.Namespace) -> int:
    """Play the whole competition, told as it happens."""
    configure_log("ERROR")
    with prepare(settings) as runtime:
        asyncio.run(demonstrate(_unlimited(runtime), Console(highlight=False)))
    return 0


def ensure_demonstration(runtime: Runtime) -> list[str]:
    """Load the demonstration's data into a new embedded sandbox; say how to sign in to it.

    A sandbox that fails to be loaded is served as it is: the reason is told on stderr.
    """
    if not runtime.settings.embedded or runtime.environment is not Environment.SANDBOX:
        return []
    configure_log("ERROR")
    try:
        password = asyncio.run(ensure_populated(_unlimited(runtime)))
    except (DemonstrationFailed, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())
        sys.stderr.write(f"market: the demonstration's data could not be loaded: {reason}\n")
        return []
    finally:
        configure_log(runtime.settings.log_level)
    if password is None:
        return []
    lead, supplier = BUYERS[0].email, BIDDERS[-1].email
    return [
        f"  sign in        POST {PREFIX}/sessions; everybody's password is {password}",
        f"                 {lead} (procurement lead), {supplier} (supplier), {REGISTRAR.email}",
    ]


def _unlimited(runtime: Runtime) -> Runtime:
    """The same market without limits of rate: all of the demonstration comes from one address."""
    settings = msgspec.structs.replace(
        runtime.settings, requests_per_minute=_UNLIMITED, sign_ins_per_minute=_UNLIMITED
    )
    return msgspec.structs.replace(runtime, settings=settings)
