"""Mails over a real SMTP server."""

from typing import Any

from market.actor import Role
from market.background import Workbench
from tests.makers.notices import happen, notice, post
from tests.makers.post_office import PostOffice
from tests.makers.world import World
from tests.market.mail.conftest import KINDS


async def test_a_notice_is_sent_at_once(
    world: World, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    ann = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    [mail] = post_office.mails
    assert mail.recipients == (ann.email,)
