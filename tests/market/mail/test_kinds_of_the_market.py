"""The market's own kinds of notices on their whole way: from an act to the mail that arrives."""

from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from market.background import Workbench
from market.mail.noticing import Reminding
from market.notices import KINDS
from tests.makers.clock import advance_to, registrar
from tests.makers.notices import notice, post
from tests.makers.post_office import PostOffice
from tests.makers.searches import saved
from tests.makers.suppliers import admitted_supplier, application, apply, decide
from tests.makers.tenders import approved_tender, publish
from tests.makers.world import World


def _to(office: PostOffice, address: str) -> list[str]:
    return [mail.subject for mail in office.mails if parseaddr(mail.recipients[0])[1] == address]


async def test_an_applicant_who_was_refused_and_belongs_to_nothing_is_told_all_the_same(
    world: World, bench: Workbench, post_office: PostOffice, superuser: Any
) -> None:
    body = application("Newcomer Analytics")
    applied = (await apply(world, body)).json()
    await decide(await registrar(world), applied["id"], "refused", "A telling reason.")
    await notice(bench, KINDS)
    await post(bench, KINDS)
    mails = [m for m in post_office.mails if m.recipients == (body["applicant"]["email"],)]
    assert [mail.subject for mail in mails] == [
        "[SANDBOX] The application of Newcomer Analytics was refused"
    ]
    assert "you act for, or applied for, Newcomer Analytics" in mails[0].text.replace("\n", " ")
    assert "telling" not in mails[0].text + mails[0].html
    assert await superuser.fetchval("SELECT count(*) FROM notice_fault") == 0


async def test_a_supplier_is_mailed_a_matching_opportunity_and_reminded_of_its_deadline(
    world: World, bench: Workbench, post_office: PostOffice, superuser: Any
) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    await saved(supplier, "Dashboards", service_lines=["bi-decision-support"])
    tender = await approved_tender(world)
    await publish(tender)
    await notice(bench, KINDS)
    await advance_to(world, tender.deadline - timedelta(hours=20))
    await Reminding(bench, KINDS).run()
    await post(bench, KINDS)
    assert sorted(_to(post_office, supplier.email)) == [
        "[SANDBOX] A day or less to the deadline: Business intelligence for three groups",
        "[SANDBOX] Fenland Data is admitted as a supplier",
        "[SANDBOX] New opportunity: Business intelligence for three groups",
    ]
    assert await superuser.fetchval("SELECT count(*) FROM notice_fault") == 0
