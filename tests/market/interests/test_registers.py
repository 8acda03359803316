"""The public register shows what may be shown, for as long as it may; the private part is read."""

import csv
import io
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from market.actor import Role
from market.interests.rules.dates import LONDON, months_after
from tests.makers.clock import advance_to
from tests.makers.interests import INTEREST, REFUSED, Body, body_with_registers, declared
from tests.makers.world import Person, World


async def _register(world: World, body: Body, query: str = "") -> list[dict[str, Any]]:
    answer = await world.public(f"{body.path}/register-of-interests{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _private(body: Body, reader: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await reader.get(f"{body.path}/register-of-interests/private{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _decide(guardian: Person, interest: dict[str, Any], *, withhold: bool) -> Any:
    return await guardian.post(
        f"/interests/{interest['id']}/consent-decision",
        {"withhold": withhold, "reason": "Weighed with the person."},
    )


async def test_everybody_reads_the_columns_of_the_template(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member)
    assert await _register(world, body) == [
        {
            "id": view["id"],
            "name": "Mia Member",
            "positions": ["commissioner"],
            "left_on": None,
            "publication": "published",
            "counterparty": "Delta Data Limited",
            "business": "Health informatics",
            "kind": "financial",
            "indirect": False,
            "associate": None,
            "relationship": "shareholder",
            "nature": "Founding shareholder.",
            "share": "12.5",
            "starts_on": "2019-04-01",
            "ended_on": None,
            "actions": [],
        }
    ]


async def test_only_decision_making_staff_are_public(world: World) -> None:
    body = await body_with_registers(world)
    everybody = (
        body.member,
        body.guardian,
        body.lay_member,
        body.administrator,
        body.auditor,
        await world.person("Pru Lead", body.id, Role.PROCUREMENT_LEAD),
    )
    for person in everybody:
        await declared(person)
    names = [one["name"] for one in await _register(world, body)]
    assert names == ["Ada Admin", "Gil Guardian", "Lou Lay", "Mia Member", "Pru Lead"]
    assert len(await _private(body, body.auditor)) == 6


async def test_what_is_withheld_says_so_and_nothing_else(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member, **REFUSED, kind="indirect", associate="former partner")
    waiting = await _private(body, body.guardian, "?undecided=true")
    assert [one["id"] for one in waiting] == [view["id"]]
    for withhold in (None, True):
        if withhold is not None:
            assert (await _decide(body.guardian, view, withhold=withhold)).status_code == 201
        (shown,) = await _register(world, body)
        assert (shown.pop("publication"), shown.pop("name")) == ("withheld", "Mia Member")
        assert (shown.pop("id"), shown.pop("positions")) == (view["id"], ["commissioner"])
        assert set(shown.values()) == {None}
    assert await _private(body, body.guardian, "?undecided=true") == []
    again = await _decide(body.guardian, view, withhold=False)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/consent-decided-already")


async def test_a_refusal_that_the_guardian_does_not_accept_is_published(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member, **REFUSED)
    assert (await _decide(body.guardian, view, withhold=False)).status_code == 201
    (shown,) = await _register(world, body)
    assert (shown["publication"], shown["share"]) == ("published", "12.5")
    # the correction refuses again, so it is decided again
    await body.member.post(f"/interests/{view['id']}/corrections", INTEREST | REFUSED)
    (shown,) = await _register(world, body)
    assert (shown["publication"], shown["share"]) == ("withheld", None)


async def test_a_guardian_decides_on_others_refusals_only(world: World) -> None:
    body = await body_with_registers(world)
    own = await declared(body.guardian, **REFUSED)
    refused = await _decide(body.guardian, own, withhold=True)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-yours-to-decide")
    other = await world.person("Eve Second", body.id, Role.CONFLICTS_GUARDIAN)
    assert (await _decide(other, own, withhold=True)).status_code == 201
    given = await declared(body.member)
    assert (await _decide(body.member, given, withhold=True)).status_code == 403
    assert (await _decide(body.auditor, given, withhold=True)).status_code == 403
    assert (await _decide(body.colleague, given, withhold=True)).status_code == 404
    consented = await _decide(body.guardian, given, withhold=True)
    assert (consented.status_code, consented.json()["type"]) == (409, "/problems/consent-given")


async def test_the_register_comes_in_pages_by_name_and_is_searched_by_name(world: World) -> None:
    body = await body_with_registers(world)
    for person in (body.member, body.lay_member, body.member, body.administrator):
        await declared(person, counterparty="Mia Trust")
    first = (await world.public(f"{body.path}/register-of-interests?limit=3")).json()
    rest = await _register(world, body, f"?limit=3&cursor={first['next']}")
    names = [one["name"] for one in first["items"] + rest]
    assert names == ["Ada Admin", "Lou Lay", "Mia Member", "Mia Member"]
    assert len({one["id"] for one in first["items"] + rest}) == 4
    assert len(await _register(world, body, "?q=mEmBer%20mi")) == 2
    assert await _register(world, body, "?q=trust") == []
    assert await _register(world, body, "?q=%25") == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=!", "q=%00", "form=pdf", "name=Mia", f"q={'x' * 101}"]
)
async def test_a_query_that_makes_no_sense_is_malformed(world: World, query: str) -> None:
    body = await body_with_registers(world)
    for register in ("interests", "gifts"):
        answer = await world.public(f"{body.path}/register-of-{register}?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.headers["Content-Type"].startswith("application/problem+json")


async def _table(world: World, path: str, **headers: str) -> list[list[str]]:
    answer = await world.client.get(f"/api/v1{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert "register-of-interests.csv" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_as_a_table_the_register_comes_whole_and_nothing_in_it_is_a_formula(
    world: World,
) -> None:
    body = await body_with_registers(world)
    path = f"{body.path}/register-of-interests"
    await declared(body.member, counterparty='=HYPERLINK("http://evil.example")', nature="-1\nb")
    await declared(body.lay_member, **REFUSED)
    by_parameter = await _table(world, f"{path}?form=csv&limit=1")
    assert by_parameter == await _table(world, path, Accept="text/csv")
    header, withheld, shown = by_parameter
    assert header[:3] == ["Name", "Position(s) held", "Organisation"]
    assert withheld == ["Lou Lay", "lay member", *["withheld"] * (len(header) - 2)]
    assert len(shown) == len(header)
    assert shown[2] == '\'=HYPERLINK("http://evil.example")'
    assert shown[header.index("Nature of interest")] == "'-1\nb"
    as_json = await world.client.get(f"/api/v1{path}?form=json", headers={"Accept": "text/csv"})
    assert len(as_json.json()["items"]) == 2


async def test_an_ended_interest_is_listed_for_six_months_and_kept(world: World) -> None:
    body = await body_with_registers(world)
    today = datetime.now(LONDON).date()
    view = await declared(body.member)
    ended = await body.member.post(
        f"/interests/{view['id']}/ending", {"ended_on": today.isoformat()}
    )
    assert ended.status_code == 201
    last = months_after(today, 6)
    for day, listed in ((last, 1), (last + timedelta(days=1), 0)):
        await advance_to(world, datetime(day.year, day.month, day.day, 0, 30, tzinfo=LONDON))
        assert len(await _register(world, body)) == listed
    assert [one["id"] for one in await _private(body, body.auditor)] == [view["id"]]


async def test_who_left_is_listed_for_six_months_with_the_position_they_had(world: World) -> None:
    body = await body_with_registers(world)
    await declared(body.member)
    people = (await body.administrator.get(f"{body.path}/memberships")).json()["items"]
    membership = next(one["id"] for one in people if one["person"] == str(body.member.id))
    assert (await body.administrator.delete(f"/memberships/{membership}")).status_code == 204
    today = datetime.now(LONDON).date()
    (shown,) = await _register(world, body)
    assert (shown["positions"], shown["left_on"]) == (["commissioner"], today.isoformat())
    gone = months_after(today, 6) + timedelta(days=1)
    await advance_to(world, datetime(gone.year, gone.month, gone.day, 0, 30, tzinfo=LONDON))
    assert await _register(world, body) == []
    assert len(await _private(body, body.guardian)) == 1


async def test_somebody_who_left_still_corrects_and_ends_their_own(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member)
    people = (await body.administrator.get(f"{body.path}/memberships")).json()["items"]
    membership = next(one["id"] for one in people if one["person"] == str(body.member.id))
    assert (await body.administrator.delete(f"/memberships/{membership}")).status_code == 204
    assert (await body.member.post(f"{body.path}/interests", INTEREST)).status_code == 403
    corrected = await body.member.post(f"/interests/{view['id']}/corrections", INTEREST)
    assert corrected.status_code == 201, corrected.text
    ended = await body.member.post(
        f"/interests/{corrected.json()['id']}/ending", {"ended_on": "2020-01-01"}
    )
    assert ended.status_code == 201, ended.text


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_corrected_or_ended_nobody_sees_more_of_what_is_private(
    world: World, seed: int
) -> None:
    body = await body_with_registers(world)
    other = await body_with_registers(world, "06P")
    choose = random.Random(seed)  # noqa: S311  # the same walk every time
    secret = "A secret nature"  # noqa: S105  # a text that must not be seen
    private = INTEREST | REFUSED | {"nature": secret}
    open_ended: dict[str, str] = {}  # the latest version of each interest by its first
    for _ in range(14):
        act = choose.choice(["declare", "correct", "correct", "end", "decide"])
        if act == "declare" or not open_ended:
            view = await declared(body.member, **private)
            open_ended[view["id"]] = view["id"]
            continue
        first = choose.choice(sorted(open_ended))
        path = f"/interests/{open_ended[first]}"
        if act == "correct":
            answer = await body.member.post(f"{path}/corrections", private)
            open_ended[first] = answer.json()["id"]
        elif act == "end":
            await body.member.post(
                f"{path}/ending", {"ended_on": choose.choice(["2020-01-01", "2019-04-01"])}
            )
            del open_ended[first]
        else:
            await _decide(body.guardian, {"id": open_ended[first]}, withhold=True)
        listed = await world.public(f"{body.path}/register-of-interests")
        assert secret not in listed.text
        ids = [one["id"] for one in listed.json()["items"]]
        assert sorted(ids) == sorted(open_ended.values())
        for person in (body.colleague, body.lay_member, body.administrator, other.guardian):
            assert (await person.get(path)).status_code == 404
            assert (
                await person.get(f"{body.path}/register-of-interests/private")
            ).status_code == 403
            assert (await person.get("/me/interests")).json()["items"] == []
    kept = await _private(body, body.auditor)
    assert len({one["id"] for one in kept}) == len(kept)
    assert all(one["superseded_by"] is None for one in kept)


@pytest.mark.parametrize(
    "accept",
    ["text/html;q=x", "nonsense", ",", "text/csv;q=0.1, application/json", "*/*"],
)
async def test_an_accept_header_that_asks_for_no_table_gets_json(world: World, accept: str) -> None:
    body = await body_with_registers(world)
    answer = await world.client.get(
        f"/api/v1{body.path}/register-of-interests", headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"items": [], "next": None}


async def test_the_private_part_is_for_guardian_and_auditors_and_every_read_is_an_event(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member, **REFUSED)
    other = await body_with_registers(world, "06P")
    outsiders = (body.member, body.colleague, body.lay_member, body.administrator)
    for person in (*outsiders, other.guardian, other.auditor):
        for private in ("register-of-interests/private", "records-past-keeping"):
            answer = await person.get(f"{body.path}/{private}")
            assert answer.status_code == 403, answer.text
            assert "guardian and auditors" in answer.json()["detail"]
    private = f"{body.path}/register-of-interests/private"
    assert (await world.public(private)).status_code == 401
    for reader in (body.guardian, body.auditor):
        (seen,) = await _private(body, reader)
        assert seen["consent_refused_because"] == REFUSED["consent_refused_because"]
        assert (await reader.get(f"/interests/{view['id']}")).status_code == 200
    rows = await superuser.fetch(
        "SELECT action, person, details FROM event WHERE action IN ('register.read',"
        " 'interest.read') ORDER BY occurred_at"
    )
    assert [(row["action"], row["person"]) for row in rows] == [
        (action, reader.id)
        for reader in (body.guardian, body.auditor)
        for action in ("register.read", "interest.read")
    ]
    refusals = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'request.refused'"
    )
    assert refusals == 12


async def test_no_event_tells_what_was_declared(world: World, superuser: Any) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member, **REFUSED, nature="A secret nature")
    await _decide(body.guardian, view, withhold=True)
    told = await superuser.fetchval(
        "SELECT string_agg(e::text, ' ') FROM event e WHERE action LIKE 'interest.%'"
    )
    assert "interest.declared" in told
    for secret in ("secret", "Delta", "find us", "12.5", "shareholder", "Weighed"):
        assert secret not in told


async def test_what_need_not_be_kept_is_listed_six_years_after_it_ended(world: World) -> None:
    body = await body_with_registers(world)
    ended = await declared(body.member, starts_on="2000-01-01", ends_on="2010-02-28")
    standing = await declared(body.member)
    path = f"{body.path}/records-past-keeping"
    due = (await body.auditor.get(path)).json()["items"]
    assert due == [{"kind": "interest", "id": ended["id"], "kept_until": "2016-02-28"}]
    people = (await body.administrator.get(f"{body.path}/memberships")).json()["items"]
    membership = next(one["id"] for one in people if one["person"] == str(body.member.id))
    await body.administrator.delete(f"/memberships/{membership}")
    today = datetime.now(LONDON).date()
    last = months_after(today, 72)
    for day, count in ((last, 1), (last + timedelta(days=1), 2)):
        await advance_to(world, datetime(day.year, day.month, day.day, 0, 30, tzinfo=LONDON))
        due = (await body.auditor.get(f"{path}?limit=1")).json()
        assert due["items"][0]["id"] == ended["id"]
        assert (due["next"] is not None) == (count == 2)
    rest = (await body.auditor.get(f"{path}?limit=1&cursor={due['next']}")).json()
    assert rest["items"] == [
        {"kind": "interest", "id": standing["id"], "kept_until": last.isoformat()}
    ]
    for cursor in ("!", "WyJhIiwgImIiXQ"):
        assert (await body.auditor.get(f"{path}?cursor={cursor}")).status_code == 400
