"""Somebody who is erased: nothing names them, nobody is them, and what they did stays theirs."""

import asyncio
import json
from typing import Any

import asyncpg
import httpx
import pytest

from market.actor import Role
from market.background import Workbench
from market.events.vocabulary import VOCABULARY
from market.transparency.checking import check_log
from market.transparency.keys import checkpoint_key
from tests.conftest import Databases
from tests.makers.clock import registrar
from tests.makers.direct import refused
from tests.makers.erasure import BECAUSE, erase, tables_with, years_pass
from tests.makers.interests import body_with_registers, declared, offered
from tests.makers.log import keep_and_sign
from tests.makers.searches import saved
from tests.makers.sign_in import enrolled, joined, sign_in
from tests.makers.systems import api_key, by_credential
from tests.makers.webhooks import owner, webhook
from tests.makers.world import PASSWORD, Person, World


@pytest.fixture
async def ann(world: World) -> Person:
    """Somebody with a password that works, who has done nothing yet."""
    group = await world.organisation("06F")
    return await joined(world, "Annabel Quillfeather", group, Role.COMMISSIONER)


async def be_refused(person: Person) -> None:
    """Try what one may not, which is recorded with the reason."""
    body = {"email": "x@y.example", "roles": ["commissioner"]}
    answer = await person.post(f"/organisations/{person.organisation}/invitations", body)
    assert answer.status_code == 403, answer.text


async def leaves(superuser: Any) -> list[Any]:
    """The log as far as it is hashed."""
    rows: list[Any] = await superuser.fetch(
        "SELECT l.position, l.hash, l.content, e.* FROM event_leaf l"
        " JOIN event_position p ON p.position = l.position JOIN event e ON e.id = p.event"
        " ORDER BY 1"
    )
    return rows


async def test_somebody_who_never_acted_is_erased_at_once_and_signs_in_no_more(
    world: World, superuser: Any, ann: Person
) -> None:
    assert (await ann.get("/me")).status_code == 200
    erasure = await erase(superuser, ann)
    assert (await ann.get("/me")).status_code == 401
    assert (await sign_in(world, ann.email, PASSWORD)).status_code == 401
    row = await superuser.fetchrow("SELECT * FROM person WHERE id = $1", ann.id)
    assert (row["name"], row["email"], row["password_hash"]) == (
        "Erased person",
        f"erased:{ann.id}",
        None,
    )
    assert (await sign_in(world, row["email"], PASSWORD)).status_code == 401
    for text in (ann.name, ann.email):
        assert await tables_with(superuser, text) == set()
    event = await superuser.fetchrow("SELECT * FROM event WHERE action = 'person.erased'")
    assert (event["subject"], event["person"]) == (ann.id, None)
    assert json.loads(event["details"]) == {"erasure": str(erasure)}
    assert (
        await superuser.fetchval("SELECT because FROM person_erasure WHERE id = $1", erasure)
        == BECAUSE
    )


async def test_where_their_name_was_it_says_erased_person(
    world: World, superuser: Any, ann: Person
) -> None:
    administrator = await world.person("Ada Admin", ann.organisation, Role.ADMINISTRATOR)
    await erase(superuser, ann)
    path = f"/organisations/{ann.organisation}"
    members = (await administrator.get(f"{path}/memberships")).json()["items"]
    (theirs,) = [one for one in members if one["person"] == str(ann.id)]
    assert theirs["name"] == "Erased person"
    assert theirs["ended_at"] is not None
    for read in (f"{path}/memberships", f"{path}/invitations"):
        answer = await administrator.get(read)
        assert answer.status_code == 200
        assert ann.email not in answer.text
        assert ann.name not in answer.text


async def test_every_means_of_proving_to_be_them_is_gone(
    world: World, superuser: Any, ann: Person
) -> None:
    await enrolled(ann)
    administrator = await joined(world, "Oz Bidman", ann.organisation, Role.ADMINISTRATOR)
    other = await world.person("Ada Admin", ann.organisation, Role.ADMINISTRATOR)
    key = await api_key(administrator, name="Oz's desk", addresses=["127.0.0.0/8"])
    system = by_credential(administrator, key["key"])
    assert (await system.get("/tenders")).status_code == 200
    for person in (ann, administrator):
        await erase(superuser, person)
        assert (await person.get("/me")).status_code == 401
    assert (await system.get("/tenders")).status_code == 401
    assert await superuser.fetchval(
        "SELECT bool_and(wrapped_secret IS NULL AND removed_at IS NOT NULL) FROM one_time_password"
    )
    assert await superuser.fetchval("SELECT bool_and(code_digest = '') FROM recovery_code")
    row = await superuser.fetchrow("SELECT * FROM api_key")
    assert (row["name"], row["addresses"]) == ("erased", [])
    assert row["revoked_at"] is not None
    assert await superuser.fetchval("SELECT last_used_address FROM credential_use") == "erased"
    made = await superuser.fetchrow(
        "SELECT e.details, v.details AS private, v.salt FROM event e"
        " JOIN event_private v ON v.event = e.id WHERE e.action = 'api_key.made'"
    )
    assert (made["private"], made["salt"]) == (None, b"")
    assert "scopes" in json.loads(made["details"])
    assert (await other.get(f"/organisations/{ann.organisation}/api-keys")).status_code == 200


async def test_their_address_is_free_for_somebody_new(
    world: World, superuser: Any, ann: Person
) -> None:
    await erase(superuser, ann)
    offered_anew = await (await registrar(world)).post(
        f"/organisations/{ann.organisation}/invitations",
        {"email": ann.email, "roles": ["commissioner"]},
    )
    assert offered_anew.status_code == 201, offered_anew.text
    body = {"secret": offered_anew.json()["secret"], "name": "Ann New", "password": PASSWORD}
    accepted = await world.client.post("/api/v1/invitation-acceptances", json=body)
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()[0]["person"] != str(ann.id)


async def test_the_log_verifies_as_before_to_the_last_leaf(
    world: World, superuser: Any, bench: Workbench, ann: Person
) -> None:
    keeper = await registrar(world)
    await be_refused(ann)
    key = checkpoint_key(bench.vault).verifier
    await keep_and_sign(bench, superuser)
    before = await leaves(superuser)
    held = await superuser.fetchval("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    texts = await superuser.fetchval("SELECT count(*) FROM event_private WHERE details IS NOT NULL")
    assert texts > 0
    await erase(superuser, ann)
    assert (await leaves(superuser)) == before
    async with bench.database.connection() as connection:
        checked = await check_log(connection, [key], [held])
    assert checked.good, checked
    await keep_and_sign(bench, superuser)
    async with bench.database.connection() as connection:
        checked = await check_log(connection, [key], [held])
    assert checked.good, checked
    assert checked.size > len(before)
    assert (await leaves(superuser))[: len(before)] == before
    assert (await keeper.get("/me")).status_code == 200


async def test_what_was_refused_to_them_stays_on_record_without_its_words(
    superuser: Any, ann: Person
) -> None:
    await be_refused(ann)
    await erase(superuser, ann)
    row = await superuser.fetchrow(
        "SELECT e.person, e.details, e.private_digest, v.details AS private, v.salt FROM event e"
        " JOIN event_private v ON v.event = e.id WHERE e.action = 'request.refused'"
    )
    assert row["person"] == ann.id
    assert json.loads(row["details"])["refusal"]
    assert (row["private"], row["salt"]) == (None, b"")
    assert len(row["private_digest"]) == 32


async def test_what_somebody_else_wrote_goes_where_it_has_their_whole_name_in_it(
    superuser: Any, ann: Person
) -> None:
    about = await superuser.fetchval("SELECT gen_random_uuid()")
    for text in ("Done by annabel  QUILLFEATHER alone.", "Done by Annabel alone."):
        await superuser.execute(
            "WITH made AS (INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES (gen_random_uuid(), 'supplier.refused', 'supplier_application', $1, 'x', '{}')"
            " RETURNING id) INSERT INTO event_private SELECT id, '\\x01', $2 FROM made",
            about,
            json.dumps({"reason": text}),
        )
    await erase(superuser, ann)
    rows = await superuser.fetch(
        "SELECT v.details, v.salt FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'supplier.refused'"
    )
    left = [row["details"] for row in rows if row["details"] is not None]
    assert [json.loads(one)["reason"] for one in left] == ["Done by Annabel alone."]
    assert sorted(row["salt"] for row in rows) == [b"", b"\x01"]


async def test_nothing_follows_the_market_for_them_any_more(world: World, superuser: Any) -> None:
    maker = await owner(world)
    await saved(maker, "Annabel's search", text="Quillfeather")
    made = await webhook(maker, "https://hooks.example/annabel-quillfeather")
    other = await world.person("Al Other", maker.organisation, Role.ADMINISTRATOR)
    for whom, facts in (
        (maker, {"about": "something"}),
        (other, {"said": f"{maker.name.upper()} left."}),
        (other, {"said": "Nobody left."}),
    ):
        await superuser.execute(
            "INSERT INTO notice (id, kind, person, organisation, key, facts, made_at, state,"
            " send_after, attempts) VALUES (gen_random_uuid(), 'test', $1, $2, gen_random_uuid(),"
            " $3, now(), 'waiting', now(), 0)",
            whom.id,
            maker.organisation,
            json.dumps(facts),
        )
    await erase(superuser, maker)
    for text in (maker.name, maker.email, "quillfeather"):
        assert await tables_with(superuser, text) == set(), text
    search = await superuser.fetchrow("SELECT name, text, ended_at FROM saved_search")
    assert (search["name"], search["text"]) == ("erased", "erased")
    assert search["ended_at"] is not None
    hook = await superuser.fetchrow("SELECT * FROM webhook_subscription")
    assert (str(hook["id"]), hook["url"], hook["ended_because"]) == (
        made["id"],
        "erased",
        "membership_ended",
    )
    assert await superuser.fetchval("SELECT bool_and(wrapped IS NULL) FROM webhook_secret")
    notices = await superuser.fetch("SELECT person, facts, state FROM notice")
    assert {tuple(row) for row in notices} == {
        (maker.id, "{}", "skipped"),
        (other.id, "{}", "waiting"),
        (other.id, '{"said": "Nobody left."}', "waiting"),
    }


# -- registers -------------------------------------------------------------------------------------


async def test_a_register_is_kept_for_six_years_and_then_its_words_go(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    member, words = body.member, "Wife's brother, Quentin Underhill, sells to us."
    interest = await declared(
        member, nature=words, consents=False, consent_refused_because="Quentin objects."
    )
    await offered(member, detail="A pen from Quentin")
    mitigated = await body.guardian.post(
        f"/interests/{interest['id']}/mitigations",
        {"what": "Quentin's bids are left to others.", "agreed_with": str(body.auditor.id)},
    )
    assert mitigated.status_code == 201, mitigated.text
    async with refused("retention_runs"):
        await erase(superuser, member)
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES (gen_random_uuid(), 'test.acted', 'person', $1, 'test', '{}')",
            member.id,
        )
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", member.id
        )
    await years_pass(world, 5.9)
    async with refused("retention_runs"):
        await erase(superuser, member)
    await years_pass(world, 0.2)
    await erase(superuser, member)
    for text in ("Quentin", words, member.name, member.email):
        assert await tables_with(superuser, text) == set(), text
    row = await superuser.fetchrow("SELECT * FROM interest")
    assert (row["nature"], row["counterparty"], row["kind"]) == ("erased", "erased", "financial")
    assert row["consents"] is False
    salts = await superuser.fetch(
        "SELECT e.action, v.salt FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action LIKE 'interest.%' OR e.action LIKE 'gift.%'"
    )
    assert len(salts) == 3
    assert {row["salt"] for row in salts} == {b""}


async def test_who_was_involved_in_a_breach_goes_from_it(world: World, superuser: Any) -> None:
    body = await body_with_registers(world)
    recorded = await body.guardian.post(
        f"{body.path}/conflict-breaches",
        {
            "happened_on": "2017-02-07",
            "what": "Somebody stayed in the room.",
            "people": [str(body.colleague.id)],
            "done": "The decision was taken again.",
            "lessons": "The register is read out.",
        },
    )
    assert recorded.status_code == 201, recorded.text
    async with refused("retention_runs"):
        await erase(superuser, body.colleague)
    await years_pass(world, 6.1)
    await erase(superuser, body.colleague)
    assert await tables_with(superuser, body.colleague.name) == set()
    row = await superuser.fetchrow("SELECT person, name FROM conflict_breach_person")
    assert tuple(row) == (body.colleague.id, "erased")


# -- races -----------------------------------------------------------------------------------------


async def test_of_an_erasure_and_an_act_at_the_same_moment_one_is_refused(
    world: World, databases: Databases, superuser: Any
) -> None:
    group = await world.organisation("06F")
    outcomes = set()
    for turn in range(8):
        person = await world.person(f"Racing Person {turn}", group, Role.COMMISSIONER)
        connection = await asyncpg.connect(**databases.superuser)

        body = {
            "kind": "financial",
            "relationship": "director",
            "counterparty": "Delta Data Limited",
            "nature": "Director.",
            "aware_on": "2019-04-01",
            "consents": True,
            "accurate": True,
        }
        path = f"/organisations/{group}/interests"
        erasure, answer = await asyncio.gather(
            erase(connection, person), person.post(path, body), return_exceptions=True
        )
        await connection.close()
        gone = not isinstance(erasure, BaseException)
        assert isinstance(answer, httpx.Response)
        assert gone or getattr(erasure, "constraint_name", None) == "retention_runs", erasure
        told = answer.status_code == 201
        assert gone is not told, answer.text
        entries = await superuser.fetchval(
            "SELECT count(*) FROM interest WHERE person = $1", person.id
        )
        assert entries == int(told)
        outcomes.add(gone)
    assert outcomes


def test_no_erasure_is_anybody_s_own_act() -> None:
    assert not VOCABULARY["person.erased"].own_affair
