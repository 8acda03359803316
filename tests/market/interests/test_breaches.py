"""Breaches: recorded by a guardian who was not involved, published without anybody's name."""

from typing import Any

import pytest

from market.actor import Role
from tests.makers.interests import BREACH, body_with_registers, made
from tests.makers.world import World

TEXT = {"text": "Somebody stayed for an item about their practice; it was decided again."}


async def test_a_breach_is_recorded_in_private_and_published_anonymised(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    path = f"{body.path}/conflict-breaches"
    breach = await made(body.guardian, path, BREACH, {"people": [str(body.member.id)]})
    names = sorted(one["name"] for one in breach["involved"])
    assert names == ["Bo Smith", "Mia Member"]
    assert (await world.public(path)).json()["items"] == []
    published = await body.guardian.post(f"/conflict-breaches/{breach['id']}/publications", TEXT)
    assert published.status_code == 201, published.text
    (shown,) = (await world.public(path)).json()["items"]
    assert shown.pop("published_at")
    assert shown == {"id": breach["id"], "text": TEXT["text"]}
    later = {"text": "Somebody stayed for an item about their practice."}
    await body.guardian.post(f"/conflict-breaches/{breach['id']}/publications", later)
    (shown,) = (await world.public(path)).json()["items"]
    assert shown["text"] == later["text"]
    (private,) = (await body.auditor.get(f"{path}/private")).json()["items"]
    assert [one["text"] for one in private["publications"]] == [TEXT["text"], later["text"]]
    assert await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'breaches.read'")
    for person in (body.member, body.lay_member, body.administrator):
        assert (await person.get(f"{path}/private")).status_code == 403


@pytest.mark.parametrize(
    ("text", "word", "position"),
    [
        ("It was smith.", "smith", 8),
        ("MEMBER of the practice", "MEMBER", 1),
        ("The colleague, Mía, left.", "Mía", 16),
    ],
)
async def test_a_text_that_names_somebody_is_refused_and_says_where(
    world: World, text: str, word: str, position: int
) -> None:
    body = await body_with_registers(world)
    path = f"{body.path}/conflict-breaches"
    breach = await made(body.guardian, path, BREACH, {"people": [str(body.member.id)]})
    answer = await body.guardian.post(
        f"/conflict-breaches/{breach['id']}/publications", {"text": text}
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/names-somebody")
    fault = answer.json()["errors"][0]
    assert fault["field"] == "text"
    assert f'"{word}", at character {position},' in fault["reason"]
    assert (await world.public(path)).json()["items"] == []


async def test_only_a_guardian_who_was_not_involved_records_and_publishes(world: World) -> None:
    body = await body_with_registers(world)
    path = f"{body.path}/conflict-breaches"
    for person in (body.member, body.auditor, body.administrator):
        assert (await person.post(path, BREACH)).status_code == 403
    own = await body.guardian.post(path, BREACH | {"people": [str(body.guardian.id)]})
    assert own.json()["type"] == "/problems/guardian-involved"
    other = await world.person("Eve Second", body.id, Role.CONFLICTS_GUARDIAN)
    breach = await made(other, path, BREACH, {"people": [str(body.guardian.id)]})
    publish = f"/conflict-breaches/{breach['id']}/publications"
    text = {"text": "Somebody stayed."}
    assert (await body.guardian.post(publish, text)).json()["type"] == "/problems/guardian-involved"
    assert (await body.auditor.post(publish, text)).status_code == 403
    assert (await body.colleague.post(publish, text)).status_code == 404
    assert (await other.post(publish, text)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"happened_on": "2190-01-01"}, ["happened_on"]),
        ({"other_names": None}, ["people"]),
        ({"other_names": [" "]}, ["other_names[0]"]),
        ({"people": ["5f0c2a5e-2b0c-4d7a-9d7e-0d3f4f6b1c11"]}, ["people[0]"]),
        ({"done": "  ", "lessons": " "}, ["done", "lessons"]),
        ({"other_names": ["x"] * 51}, ["other_names"]),
        ({"what": "x" * 4001}, ["what"]),
        ({"lessons": "a\x00b"}, ["lessons"]),
    ],
)
async def test_a_record_that_lacks_something_is_refused(
    world: World, changes: dict[str, Any], fields: list[str]
) -> None:
    body = await body_with_registers(world)
    sent = {key: value for key, value in (BREACH | changes).items() if value is not None}
    answer = await body.guardian.post(f"{body.path}/conflict-breaches", sent)
    assert answer.status_code == 400, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == fields
