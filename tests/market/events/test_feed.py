"""The change feed over HTTP: by position, each event once, as far as its reader may see it."""

from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from market.background import Workbench
from tests.makers.clock import registrar
from tests.makers.feed import asked, feed, newest, number, page, sign, types
from tests.makers.interests import body_with_registers, declared
from tests.makers.suppliers import admitted_supplier
from tests.makers.systems import answerable, api_key, by_credential, keyed
from tests.makers.world import World

_PUBLIC_PARTS = ("person", "organisation", "request", "tender_number")


async def test_pages_come_by_position_and_lead_on_without_a_gap_or_a_repetition(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    for _ in range(7):
        await api_key(boss)
    await number(bench)
    seen: list[dict[str, Any]] = []
    after = 0
    while True:
        answer = await asked(boss, f"after={after}&limit=3&type=api_key.made")
        found = answer.json()
        assert len(found["items"]) <= 3
        assert answer.links["next"]["url"].endswith(f"after={found['next']}")
        assert "limit=3" in answer.links["next"]["url"]
        seen += found["items"]
        after = found["next"]
        if not found["more"]:
            break
    positions = [item["position"] for item in seen]
    assert positions == sorted(set(positions))
    assert len(positions) == 7
    assert {item["type"] for item in seen} == {"api_key.made"}
    assert await feed(boss, "type=api_key.made") == seen
    assert await page(boss, f"after={after}") == {"items": [], "next": after, "more": False}


async def test_at_its_end_the_log_s_size_is_told_as_a_checkpoint_tells_it_and_no_sooner(
    world: World, bench: Workbench
) -> None:
    """Else whoever asks again and again would learn the moment of every act they do not see."""
    boss = await answerable(world)
    assert await page(world) == {"items": [], "next": 0, "more": False}
    signed = await sign(bench)
    assert signed > 0
    told = {"items": [], "next": signed, "more": False}
    assert await page(world) == told
    for _ in range(3):
        await api_key(boss)
        await number(bench)
        for query in ("after=0", f"after={signed}", f"subject={uuid4()}", "type=nothing.yet"):
            assert await page(world, query) == told
    mine = await page(boss, f"after={signed}")
    assert mine["next"] == mine["items"][-1]["position"]
    assert (await page(world, f"after={signed + 2}"))["next"] == signed + 2
    further = await sign(bench)
    assert further > signed + 2
    assert (await page(world))["next"] == further


async def _fill(superuser: Any, count: int) -> None:
    """So many events that nobody sees."""
    await superuser.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " SELECT gen_random_uuid(), 'test.made', 'thing', gen_random_uuid(), 'test', '{}'"
        " FROM generate_series(1, $1::integer)",
        count,
    )


async def test_a_look_is_bounded_and_says_that_the_log_goes_on(
    world: World, bench: Workbench, superuser: Any
) -> None:
    await _fill(superuser, 4500)
    size = await sign(bench)
    reached = []
    after, more = 0, True
    while more:
        found = await page(world, f"after={after}")
        after, more = found["next"], found["more"]
        reached.append(after)
    assert reached == [2000, 4000, size]
    assert await page(world, f"subject={uuid4()}") == {"items": [], "next": size, "more": False}


async def test_nobody_finds_the_end_of_the_log_by_asking_from_one_position_after_another(
    world: World, bench: Workbench, superuser: Any
) -> None:
    await _fill(superuser, 2500)
    boss = await answerable(world)
    await api_key(boss)
    await number(bench)
    size = await newest(bench)
    around = [*range(0, size, 250), *range(size - 2005, size - 1995), *range(size - 5, size + 5)]
    for after in around:
        assert await page(world, f"after={after}") == {"items": [], "next": after, "more": False}
    # and yet what there is to see beyond is seen, at once and in pages of any size
    [made] = await feed(boss, "type=api_key.made")
    assert made["position"] > 2500
    assert types((await page(boss, "type=api_key.made&limit=1"))["items"]) == ["api_key.made"]
    found = await page(boss, "limit=1")
    seen = found["items"]
    while found["more"]:
        assert found["next"] == seen[-1]["position"]
        found = await page(boss, f"limit=1&after={found['next']}")
        seen += found["items"]
    assert seen == await feed(boss)


async def test_one_s_own_acts_are_seen_whole_and_colleagues_not_by_whoever_has_another_role(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    second = await answerable(world, "Second")
    lay = await answerable(world, "Lena Lay", Role.LAY_MEMBER)
    await api_key(boss)
    await number(bench)
    [made] = await feed(boss, "type=api_key.*")
    assert made["whole"]
    assert (made["person"], made["organisation"]) == (str(boss.id), str(boss.organisation))
    assert made["request"]
    assert made["details"]["scopes"]
    assert await feed(second, "type=api_key.*") == [made]
    assert await feed(lay, "type=api_key.*") == []
    assert await feed(world, "type=api_key.*") == []


async def test_how_colleagues_sign_in_what_they_were_refused_and_declared_is_not_told_to_them(
    world: World, bench: Workbench
) -> None:
    body = await body_with_registers(world)
    await declared(body.member)
    refused = await body.member.get(f"{body.path}/register-of-interests/private")
    assert refused.status_code == 403
    assert (await body.member.delete("/sessions")).status_code == 204
    await number(bench)
    query = "type=interest.*&type=sessions.*&type=request.refused"
    mine = types(await feed(body.member, query))
    assert mine == ["interest.declared", "request.refused", "sessions.ended"]
    for other in (body.colleague, body.administrator, body.lay_member, world):
        assert await feed(other, query) == []
    for watching in (body.guardian, body.auditor):
        assert types(await feed(watching, query)) == ["interest.declared"]


async def test_a_former_colleague_sees_no_more_of_the_organisation_than_their_own_acts(
    world: World, bench: Workbench
) -> None:
    boss, second = await answerable(world), await answerable(world, "Second")
    await api_key(boss)
    memberships = (await boss.get(f"/organisations/{boss.organisation}/memberships")).json()
    [ending] = [one["id"] for one in memberships["items"] if one["person"] == str(second.id)]
    assert (await boss.delete(f"/memberships/{ending}")).status_code == 204
    await number(bench)
    assert all(item["person"] == str(second.id) for item in await feed(second) if item["whole"])


async def test_what_is_public_is_given_to_others_without_who_acted_and_once_to_who_sees_it_whole(
    world: World, bench: Workbench
) -> None:
    keeper = await registrar(world)
    supplier = await admitted_supplier(world, "Fenland Data")
    await number(bench)
    [public] = await feed(world, "type=supplier.*")
    assert public["type"] == "supplier.admitted"
    assert not public["whole"]
    assert [public[part] for part in _PUBLIC_PARTS] == [None] * 4
    assert public["details"] == {"organisation": str(supplier.organisation)}
    whole = await feed(keeper, "type=supplier.admitted")
    assert [item["id"] for item in whole] == [public["id"]]
    assert whole[0]["whole"]
    assert whole[0]["person"] == str(keeper.id)
    assert (await feed(supplier, "type=supplier.admitted"))[0] == public


async def test_a_system_sees_what_it_did_and_what_a_colleague_would_but_not_its_maker_s_own_acts(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    made = await api_key(boss)
    system = by_credential(boss, made["key"])
    assert (await boss.delete("/sessions")).status_code in {200, 204}
    await number(bench)
    seen = await feed(system)
    assert "api_key.made" in types(seen)
    assert not {"sessions.ended", "session.started", "person.registered"} & set(types(seen))


async def test_a_system_needs_the_scope(world: World) -> None:
    boss = await answerable(world)
    system = await keyed(boss, scopes=["opportunities:read"])
    answer = await asked(system)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/beyond-scope")
    assert (await asked(await keyed(boss, scopes=["events:read"]))).status_code == 200


async def test_types_subjects_and_kinds_are_asked_for(world: World, bench: Workbench) -> None:
    boss = await answerable(world)
    first = await api_key(boss)
    await api_key(boss)
    await boss.delete(f"/api-keys/{first['id']}")
    await number(bench)
    assert types(await feed(boss, "type=api_key.*")) == ["api_key.made"] * 2 + ["api_key.revoked"]
    assert types(await feed(boss, f"subject={first['id']}")) == ["api_key.made", "api_key.revoked"]
    assert types(await feed(boss, "type=api_key.revoked&type=person.*")) == ["api_key.revoked"]
    assert await feed(boss, "type=nothing.known&type=nobody.*") == []
    assert await feed(boss, f"subject={first['id']}&tender={uuid4()}") == []


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("after=-1", "malformed"),
        ("after=first", "malformed"),
        (f"after={2**53}", "malformed"),
        ("limit=0", "malformed"),
        ("limit=501", "malformed"),
        ("wait=31", "malformed"),
        ("wait=-1", "malformed"),
        ("subject=nobody", "malformed"),
        ("tender=4", "malformed"),
        ("type=bid", "unknown-type"),
        ("type=bid.*.*", "unknown-type"),
        ("type=Bid.Submitted", "unknown-type"),
        ("type=*", "unknown-type"),
        ("type=", "unknown-type"),
        ("type=bid.submitted%00", "unknown-type"),
        ("type=" + "a" * 81 + ".b", "unknown-type"),
        ("&".join(["type=bid.*"] * 51), "unknown-type"),
        ("since=4", "unknown-parameter"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_what_cannot_be_asked_is_a_problem_that_names_the_parameter(
    world: World, query: str, kind: str, accept: str
) -> None:
    answer = await asked(world, query, headers={"Accept": accept})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["type"] == f"/problems/{kind}"
    assert problem["errors"][0]["field"] == query.partition("=")[0]


async def test_beyond_what_exists_a_page_is_empty_and_leads_nowhere_else(world: World) -> None:
    assert await page(world, "after=1000000") == {"items": [], "next": 1000000, "more": False}


@pytest.mark.parametrize("given", ["-1", "abc", "1.5", "9" * 30, "٣", ""])
async def test_a_last_event_id_that_no_stream_gave_is_refused(world: World, given: str) -> None:
    answer = await asked(world, headers={"Last-Event-ID": given.encode()})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Last-Event-ID"
