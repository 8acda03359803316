"""Who acted in a tender is kept as long as its record; afterwards the record stays, unnamed."""

import json
from datetime import timedelta
from typing import Any

from market.actor import Role
from market.background import Workbench
from market.transparency.checking import check_log
from market.transparency.exporting import export_tender
from market.transparency.keys import checkpoint_key
from market.transparency.verification import verify_export
from tests.makers.bids import declare
from tests.makers.clock import advance_to
from tests.makers.conflicts import decided
from tests.makers.direct import refused
from tests.makers.erasure import erase, tables_with, years_pass
from tests.makers.evaluation import contracted_lot, lot_to_score
from tests.makers.log import keep_and_sign
from tests.makers.tenders import drafted_tender, published_tender
from tests.makers.world import World

_CONCLUDED = "SELECT concluded_on FROM kept_of_person($1) WHERE kind = 'tender'"


async def test_somebody_with_a_duty_in_a_tender_is_kept_until_six_years_after_it(
    world: World, superuser: Any
) -> None:
    tender = await drafted_tender(world, lots=1)
    assert await superuser.fetchval(_CONCLUDED, tender.openers[0].id) is None
    async with refused("retention_runs"):
        await erase(superuser, tender.openers[0])
    await tender.act(tender.manager, "/abandonment", {"reason": "No need any more."})
    today = await superuser.fetchval("SELECT register_day(market_now())")
    assert await superuser.fetchval(_CONCLUDED, tender.openers[0].id) == today
    await years_pass(world, 5.9)
    async with refused("retention_runs"):
        await erase(superuser, tender.openers[0])
    await years_pass(world, 0.2)
    await erase(superuser, tender.openers[0])


async def test_a_published_tender_without_an_end_is_never_let_go(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world, lots=1)
    await years_pass(world, 20)
    async with refused("retention_runs"):
        await erase(superuser, tender.author)


async def test_a_tender_is_over_when_its_last_contract_has_ended(
    world: World, superuser: Any
) -> None:
    lot = await contracted_lot(world)
    ends = await superuser.fetchval("SELECT max(ends) FROM contract")
    for person in (lot.tender.moderator, lot.suppliers[0]):
        assert await superuser.fetchval(_CONCLUDED, person.id) == ends


async def test_the_record_of_a_competition_outlives_the_names_in_it_and_verifies(
    world: World, superuser: Any, bench: Workbench
) -> None:
    lot = await contracted_lot(world)
    tender = lot.tender
    evaluator, bidder = tender.quality_evaluators[0], lot.suppliers[0]
    await evaluator.post(f"{lot.path}/evaluation/locks")
    words = await superuser.fetchval(
        "SELECT count(*) FROM score WHERE evaluator = $1 AND reason <> ''", evaluator.id
    )
    salts = "SELECT count(*) FROM event e JOIN event_private v ON v.event = e.id WHERE v.salt <> ''"
    proof = f"{salts} AND e.action IN ('score.given', 'bid.submitted', 'award.approved')"
    provable = await superuser.fetchval(proof)
    assert provable > 0
    await keep_and_sign(bench, superuser)
    held = await superuser.fetchval("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    ends = await superuser.fetchval("SELECT max(ends) FROM contract")
    now = await superuser.fetchval("SELECT market_now()")
    await advance_to(world, now + (ends - now.date()) + timedelta(days=6 * 366))
    await world.person("Sal Second", bidder.organisation, Role.ADMINISTRATOR)
    for person in (evaluator, bidder):
        await erase(superuser, person)
    # unnamed, but theirs: by an id that leads to nobody
    for person in (evaluator, bidder):
        assert await tables_with(superuser, person.name) == set()
        assert await superuser.fetchval(
            "SELECT count(*) > 3 FROM event WHERE person = $1", person.id
        )
    assert words == await superuser.fetchval(
        "SELECT count(*) FROM score WHERE evaluator = $1 AND reason NOT LIKE 'erased'", evaluator.id
    )
    record = await tender.guardian.get(f"{tender.path}/record?limit=200")
    assert record.status_code == 200, record.text
    theirs = [one for one in record.json()["items"] if one["person"] == str(evaluator.id)]
    assert {one["person_name"] for one in theirs} == {"Erased person"}
    assert "score.given" in {one["action"] for one in theirs}
    report = await tender.guardian.get(f"{tender.path}/assurance-report")
    assert evaluator.name not in report.text
    assert "Erased person" in report.text
    # and it proves what it proved
    assert await superuser.fetchval(proof) == provable
    key = checkpoint_key(bench.vault)
    async with bench.database.connection() as connection:
        checked = await check_log(connection, [key.verifier], [held])
    assert checked.good, checked
    await keep_and_sign(bench, superuser)
    made = await export_tender(superuser, [key.verifier], tender.id, [held])
    verdict = verify_export(made.content, [key.vkey], [held])
    assert verdict.good, verdict


async def test_what_was_declared_and_decided_about_somebody_loses_its_words(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    tender, evaluator = lot.tender, lot.tender.quality_evaluators[0]
    await declare(tender.guardian, tender)
    await declare(evaluator, tender, "financial", "My cousin Zebedee owns it.")
    await decided(
        tender.guardian, tender.id, evaluator, lot.suppliers[0].organisation, "must_leave"
    )
    await lot.done(tender.manager, "/abandonment", {"reason": "Ended with Zebedee in mind."})
    await years_pass(world, 6.1)
    await erase(superuser, evaluator)
    rows = await superuser.fetch(
        "SELECT interest, details FROM declaration WHERE person = $1", evaluator.id
    )
    assert {tuple(row) for row in rows} == {("none", ""), ("financial", "erased")}
    decision = await superuser.fetchrow("SELECT * FROM conflict_decision")
    assert (decision["outcome"], decision["reason"]) == ("must_leave", "erased")
    # why the lot was given up is about the lot, and is read where it always was
    kept = await superuser.fetchval(
        "SELECT v.details FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'lot.abandoned'"
    )
    assert json.loads(kept) == {"reason": "Ended with Zebedee in mind."}
    own = await superuser.fetchrow(
        "SELECT e.after_digest, v.salt FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'interest.declared' AND e.person = $1",
        evaluator.id,
    )
    assert len(own["after_digest"]) == 32
    assert own["salt"] == b""
    others = await superuser.fetchval(
        "SELECT count(*) FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'interest.declared' AND e.person <> $1 AND v.salt <> ''",
        evaluator.id,
    )
    assert others > 0
