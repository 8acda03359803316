"""Kinds of the tests' own, people, a market that knows them, and a real mail server."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from market.actor import Role
from market.background import Workbench
from market.mail.kinds import Letter, NoticeKind, Sending
from market.settings import Environment, MailSecurity, Settings
from market.vault import Vault
from tests.conftest import own_world
from tests.makers.databases import Databases, later_bench
from tests.makers.post_office import PostOffice, post_office_at_work
from tests.makers.world import Person, World

_TO_NAMED = """
SELECT (r ->> 'person')::uuid AS person, (r ->> 'organisation')::uuid AS organisation,
    e.id::text AS key, e.details -> 'facts' AS facts
FROM event e, jsonb_array_elements(e.details -> 'to') r WHERE e.id = $1
"""


def _letter(facts: Mapping[str, Any]) -> Letter:
    if facts.get("broken"):
        message = "This letter cannot be written."
        raise RuntimeError(message)
    return Letter(
        subject=f"The deadline of {facts['title']} is near",
        paragraphs=(f"Bids for {facts['title']} can be given for one more day.", "Do not wait."),
        facts=(("Tender", facts["title"]), ("Deadline", "Friday 5 February 2027, 12:00 noon")),
        path=f"/api/v1/tenders/{facts['tender']}",
    )


def _outcome(facts: Mapping[str, Any]) -> Letter:
    return Letter(
        subject="The outcome", paragraphs=(f"Lot 1 of {facts['title']} was awarded.",), path="/"
    )


KINDS = (
    NoticeKind(
        name="deadline-near",
        title="The deadline of a tender is near",
        actions=("test.greeted",),
        recipients=_TO_NAMED,
        letter=_letter,
    ),
    NoticeKind(
        name="outcome",
        title="The outcome of a tender",
        actions=("test.decided",),
        recipients=_TO_NAMED,
        letter=_outcome,
        formal=True,
    ),
    NoticeKind(
        name="news",
        title="News of tenders",
        actions=("test.told",),
        recipients=_TO_NAMED,
        letter=_letter,
        sending=Sending.DIGEST,
    ),
    NoticeKind(
        name="clock-shifted",
        title="The clock is ahead",
        recipients="""
            SELECT m.person, m.organisation, c.shift::text AS key,
                jsonb_build_object('title', 'the clock', 'tender', '1') AS facts
            FROM market_clock c, membership m WHERE c.shift > interval '0'
            AND m.ended_at IS NULL
        """,
        letter=_letter,
    ),
)


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """A real mail server on this machine, which keeps what it is given."""
    with post_office_at_work() as office:
        yield office


@pytest.fixture
def settings(post_office: PostOffice) -> Settings:
    """Settings by which mail goes to the tests' own server."""
    return Settings(
        environment=Environment.SANDBOX,
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        public_url="https://market.example",
        smtp_host="127.0.0.1",
        smtp_port=post_office.port,
        smtp_security=MailSecurity.NONE,
        smtp_timeout=2,
        mail_from="notices@market.example",
        mails_per_minute=60_000,
        digest_hour=7,
    )


@pytest.fixture
async def world(databases: Databases, settings: Settings, vault: Vault) -> AsyncIterator[World]:
    """A market that knows the kinds of the tests."""
    async with own_world(databases, settings, vault, KINDS) as opened:
        yield opened


@pytest.fixture
async def bench_without_mail(
    databases: Databases, settings: Settings, vault: Vault
) -> AsyncIterator[Workbench]:
    """A workbench by whose settings no mail is sent."""
    silent = msgspec.structs.replace(settings, smtp_host=None, mail_from=None)
    async with later_bench(databases, silent, vault) as opened:
        yield opened


@pytest.fixture
async def ann(world: World) -> Person:
    """Somebody who is told things."""
    return await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)


@pytest.fixture
async def bob(world: World) -> Person:
    """Somebody else of the same organisation."""
    return await world.person("Bob Buyer", await world.organisation("06F"), Role.COMMISSIONER)
