"""API keys through HTTP: made, used, replaced, revoked, listed, and refused by name."""

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.actor import Role
from market.systems.credentials import key_fits
from market.systems.rules.keys import read_key, write_key
from tests.makers.bids import asked, bid_body, give_bid
from tests.makers.clock import registrar
from tests.makers.direct import acting
from tests.makers.suppliers import admitted_supplier
from tests.makers.systems import (
    answerable,
    api_key,
    by_credential,
    from_address,
    in_days,
    key_body,
    keyed,
    keys_path,
)
from tests.makers.tenders import published_tender
from tests.makers.world import Person, World


def _kind(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def _rotate(person: Person, key: dict[str, Any], **body: Any) -> Any:
    return await person.post(f"/api-keys/{key['id']}/rotation", body)


async def _expire(app_role: Any, person: Person, key: dict[str, Any]) -> None:
    async with acting(app_role, person.id, person.organisation):
        await app_role.execute(
            "UPDATE api_key SET expires_at = clock_timestamp() WHERE id = $1", key["id"]
        )


async def test_a_system_reads_by_a_key_what_its_maker_may(world: World) -> None:
    person = await answerable(world)
    made = await api_key(person, scopes=["tenders:read"], addresses=["192.0.2.0/24"])
    assert made["key"].startswith(f"mka_{made['id'].replace('-', '')}_")
    assert (made["scopes"], made["addresses"]) == (["tenders:read"], ["192.0.2.0/24"])
    assert made["person"] == str(person.id)
    system = await keyed(person, scopes=["tenders:read"])
    assert (await system.get("/tenders/mine")).status_code == 200


async def test_a_bid_given_by_a_key_is_its_maker_s_and_says_by_which(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    supplier = await admitted_supplier(world, "Fenland Data")
    key = await api_key(supplier, scopes=["bids:write", "bids:read"])
    system = by_credential(supplier, key["key"])
    given = await give_bid(system, tender, 1)
    assert given.status_code == 201, given.text
    assert await superuser.fetchval("SELECT made_by FROM bid_version") == supplier.id
    details = await superuser.fetchval(
        "SELECT details ->> 'credential' FROM event WHERE action = 'bid.submitted'"
    )
    assert details == key["id"]
    bid = given.json()["bid"]
    assert (await system.get(f"/bids/{bid}")).status_code == 200
    replaced = await system.put(
        f"/bids/{bid}",
        json=bid_body(asked(tender, 1)),
        version=1,
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert replaced.status_code == 200, replaced.text


async def test_a_repeated_request_gets_the_same_key_and_no_table_holds_it(
    world: World, superuser: Any
) -> None:
    person = await answerable(world)
    headers = {"Idempotency-Key": str(uuid4())}
    body = key_body()
    first, second = [
        (await person.post(keys_path(person), body, headers=headers)).json() for _ in range(2)
    ]
    assert first == second
    secret = first["key"].rpartition("_")[2]
    assert await superuser.fetchval("SELECT count(*) FROM api_key") == 1
    tables = await superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        every = f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t"  # noqa: S608  # names of the catalogue
        text = await superuser.fetchval(every)
        assert secret not in text, table


async def test_keys_are_made_by_administrators_and_bid_managers_for_themselves(
    world: World,
) -> None:
    commissioner = await answerable(world, "Cora", Role.COMMISSIONER)
    refused = await commissioner.post(keys_path(commissioner), key_body())
    assert (refused.status_code, _kind(refused)) == (403, "not-in-own-organisation")
    manager = await answerable(world, "Bea", Role.BID_MANAGER)
    elsewhere = f"/organisations/{await world.organisation('06P')}/api-keys"
    assert (await manager.post(elsewhere, key_body())).status_code == 404
    assert (await manager.post(keys_path(manager), key_body())).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"expires_at": in_days(-1)}, 400, "expires_at"),
        ({"expires_at": in_days(400)}, 400, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, 400, "expires_at"),
        ({"scopes": []}, 400, "scopes"),
        ({"scopes": ["award:write"]}, 400, "scopes[0]"),
        ({"name": " "}, 400, "name"),
        ({"name": "a\x00b"}, 400, "name"),
        ({"addresses": ["10.0.0.1/8"]}, 400, "addresses[0]"),
        ({"addresses": ["the office"]}, 400, "addresses[0]"),
        ({"addresses": ["10.0.0.0/8"] * 21}, 400, "addresses"),
        ({"secret": "mine"}, 400, "secret"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_at_its_field(
    world: World, changes: dict[str, Any], status: int, field: str
) -> None:
    person = await answerable(world)
    answer = await person.post(keys_path(person), key_body(**changes))
    assert answer.status_code == status, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_nobody_has_more_keys_than_they_can_watch(world: World) -> None:
    person = await answerable(world)
    await asyncio.gather(*[api_key(person, name=f"Key {number}") for number in range(18)])
    answers = await asyncio.gather(*[person.post(keys_path(person), key_body()) for _ in range(5)])
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert _kind(refused) == "too-many-credentials"


# ----------------------------------------------------------------------------------- what works not


async def test_a_key_that_is_mistyped_unknown_or_another_s_works_nowhere(world: World) -> None:
    person = await answerable(world)
    key: str = (await api_key(person))["key"]
    other = await api_key(person, name="Other")
    mistyped = key[:-1] + ("a" if key[-1] != "a" else "b")
    guessed = write_key(UUID(other["id"]), secrets.token_bytes(32))
    unknown = write_key(uuid4(), secrets.token_bytes(32))
    for wrong in (mistyped, guessed, unknown, key + "x", key[:-1], "mka_", "mks_unknown"):
        answer = await by_credential(person, wrong).get("/tenders/mine")
        assert (answer.status_code, _kind(answer)) == (401, "wrong-credential"), wrong
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    # a public page does not look the other way either
    assert (await by_credential(person, mistyped).get("/tenders")).status_code == 401


async def test_what_is_stored_of_a_key_fits_it_by_the_pepper_alone(
    world: World, superuser: Any
) -> None:
    made = await api_key(await answerable(world))
    stored = await superuser.fetchval("SELECT secret_code FROM api_key")
    written = read_key(made["key"])
    assert written is not None
    assert key_fits(world.vault.pepper(), written, stored)
    assert not key_fits(secrets.token_bytes(32), written, stored)


async def test_an_expired_and_a_revoked_key_say_so_to_their_holder_alone(
    world: World, app_role: Any, superuser: Any
) -> None:
    person = await answerable(world)
    made = await api_key(person)
    system = by_credential(person, made["key"])
    await _expire(app_role, person, made)
    answer = await system.get("/tenders/mine")
    assert (answer.status_code, _kind(answer)) == (401, "credential-expired")
    assert (await person.delete(f"/api-keys/{made['id']}")).status_code == 204
    answer = await system.get("/tenders/mine")
    assert (answer.status_code, _kind(answer)) == (401, "credential-revoked")
    refusals = await superuser.fetch(
        "SELECT person, details ->> 'refusal' AS why FROM event"
        " WHERE action = 'credential.refused' AND subject = $1",
        made["id"],
    )
    # one a minute: whoever tries on does not fill the log
    assert [(row["person"], row["why"]) for row in refusals] == [(None, "credential-expired")]


async def test_a_key_works_from_its_networks_and_is_elsewhere_as_good_as_unknown(
    world: World,
) -> None:
    person = await answerable(world)
    system = await keyed(person, addresses=["192.0.2.0/24", "2001:db8::/32"])
    for address, status in (
        ("192.0.2.77", 200),
        ("::ffff:192.0.2.77", 200),
        ("2001:db8::1", 200),
        ("192.0.3.1", 401),
        ("2001:db9::1", 401),
        ("no address", 401),
    ):
        async with from_address(world, system, address) as there:
            answer = await there.get("/tenders/mine")
            assert answer.status_code == status, address
            if status == 401:
                assert _kind(answer) == "wrong-credential"


async def test_a_key_stops_with_its_maker_s_role_and_does_not_come_back_with_it(
    world: World,
) -> None:
    person = await answerable(world, "Ada", Role.ADMINISTRATOR, Role.BID_MANAGER)
    boss = await answerable(world, "Boss")
    system = await keyed(person)
    assert (await system.get("/tenders/mine")).status_code == 200
    members = (await boss.get(f"/organisations/{boss.organisation}/memberships")).json()["items"]
    held = next(
        item
        for item in members
        if item["person"] == str(person.id) and item["role"] == "bid_manager"
    )
    assert (await boss.delete(f"/memberships/{held['id']}")).status_code == 204
    answer = await system.get("/tenders/mine")
    assert (answer.status_code, _kind(answer)) == (401, "maker-gone")
    # still an administrator, who makes another
    assert (await (await keyed(person)).get("/tenders/mine")).status_code == 200


# --------------------------------------------------------------------------------------- rotation


async def test_a_replaced_key_works_on_for_its_grace_and_then_no_longer(world: World) -> None:
    person = await answerable(world)
    old = await api_key(person, scopes=["tenders:read"], addresses=["127.0.0.0/8"])
    answer = await _rotate(person, old, grace_seconds=600)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["scopes"], new["addresses"], new["predecessor"]) == (
        old["scopes"],
        old["addresses"],
        old["id"],
    )
    assert new["expires_at"] == old["expires_at"]
    for key in (old, new):
        system = by_credential(person, key["key"])
        assert (await system.get("/tenders/mine")).status_code == 200
    at_once = await _rotate(person, new, grace_seconds=0, expires_at=in_days(300))
    assert at_once.status_code == 201, at_once.text
    answer = await by_credential(person, new["key"]).get("/tenders/mine")
    assert _kind(answer) == "credential-expired"


async def test_a_key_is_replaced_once_also_when_two_try(world: World) -> None:
    person = await answerable(world)
    key = await api_key(person)
    answers = await asyncio.gather(*[_rotate(person, key) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = {_kind(answer) for answer in answers if answer.status_code == 409}
    assert refused == {"already-replaced"}


async def test_what_is_revoked_while_it_is_replaced_leaves_no_doubt(
    world: World, superuser: Any
) -> None:
    person = await answerable(world)
    for number in range(6):
        key = await api_key(person, name=f"Race {number}")
        replaced, revoked = await asyncio.gather(
            _rotate(person, key), person.delete(f"/api-keys/{key['id']}")
        )
        assert revoked.status_code == 204
        assert replaced.status_code in {201, 409}
        row = await superuser.fetchrow("SELECT revoked_at FROM api_key WHERE id = $1", key["id"])
        assert row["revoked_at"] is not None
        successors = await superuser.fetchval(
            "SELECT count(*) FROM api_key WHERE predecessor = $1", key["id"]
        )
        assert successors == (1 if replaced.status_code == 201 else 0)


async def test_only_its_maker_replaces_a_key_and_an_administrator_revokes_it(
    world: World,
) -> None:
    maker = await answerable(world, "Bea", Role.BID_MANAGER)
    peer = await answerable(world, "Ben", Role.BID_MANAGER)
    boss = await answerable(world, "Boss")
    key = await api_key(maker)
    assert (await _rotate(peer, key)).status_code == 404
    assert (await _rotate(boss, key)).status_code == 403
    assert (await peer.delete(f"/api-keys/{key['id']}")).status_code == 404
    assert (await boss.delete(f"/api-keys/{key['id']}")).status_code == 204
    assert (await boss.delete(f"/api-keys/{key['id']}")).status_code == 204
    answer = await _rotate(maker, key)
    assert (answer.status_code, _kind(answer)) == (409, "credential-ended")
    assert (await boss.delete(f"/api-keys/{uuid4()}")).status_code == 404


async def test_the_registrar_revokes_any_key(world: World) -> None:
    key = await api_key(await answerable(world))
    keeper = await registrar(world)
    assert (await keeper.delete(f"/api-keys/{key['id']}")).status_code == 204


@pytest.mark.parametrize("body", [{"grace_seconds": -1}, {"grace_seconds": 86_401}])
async def test_a_grace_is_at_most_a_day(world: World, body: dict[str, int]) -> None:
    person = await answerable(world)
    assert (await _rotate(person, await api_key(person), **body)).status_code == 400


# ------------------------------------------------------------------------------------------- lists


async def test_administrators_see_all_keys_with_their_last_use_and_others_their_own(
    world: World,
) -> None:
    maker = await answerable(world, "Bea", Role.BID_MANAGER)
    boss = await answerable(world, "Boss")
    key = await api_key(maker, name="Used")
    await api_key(boss, name="Unused")
    async with from_address(world, by_credential(maker, key["key"]), "192.0.2.9") as there:
        assert (await there.get("/tenders/mine")).status_code == 200
    own = (await maker.get(keys_path(maker))).json()["items"]
    assert [item["name"] for item in own] == ["Used"]
    assert own[0]["last_used_address"] == "192.0.2.9"
    assert own[0]["last_used_at"] is not None
    assert "key" not in own[0]
    page = await boss.get(f"{keys_path(boss)}?limit=1")
    assert [item["name"] for item in page.json()["items"]] == ["Unused"]
    rest = await boss.get(f"{keys_path(boss)}?limit=1&cursor={page.json()['next']}")
    assert [item["name"] for item in rest.json()["items"]] == ["Used"]
    stranger = await answerable(world, "Cora", Role.COMMISSIONER)
    assert (await stranger.get(keys_path(stranger))).status_code == 403
    assert (await stranger.get(f"/organisations/{uuid4()}/api-keys")).status_code == 404


async def test_a_use_is_written_once_a_minute_and_not_by_the_request_itself(
    world: World, superuser: Any
) -> None:
    system = await keyed(await answerable(world))
    events = await superuser.fetchval("SELECT count(*) FROM event")
    for _ in range(5):
        assert (await system.get("/tenders/mine")).status_code == 200
    assert await superuser.fetchval("SELECT count(*) FROM event") == events
    assert await superuser.fetchval("SELECT count(*) FROM credential_use") == 1


async def test_a_request_goes_on_when_its_use_cannot_be_noted(world: World, superuser: Any) -> None:
    system = await keyed(await answerable(world))
    async with superuser.transaction():
        await superuser.execute("LOCK TABLE credential_use IN ACCESS EXCLUSIVE MODE")
        answer = await system.get("/tenders/mine")
    assert answer.status_code == 200
