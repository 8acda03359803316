"""One's own notices and how they reach one, over HTTP."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from market.background import Workbench
from tests.makers.notices import TENDER, happen, notice, post
from tests.makers.post_office import PostOffice
from tests.makers.world import Person, World
from tests.market.mail.conftest import KINDS


async def choose(person: Person, version: int, **kinds: str) -> Any:
    chosen = {name.replace("_", "-"): sending for name, sending in kinds.items()}
    return await person.put("/notice-preferences", {"kinds": chosen}, version=version)


# -- preferences -----------------------------------------------------------------------------------


async def test_who_has_stated_nothing_has_the_defaults_of_every_kind(ann: Person) -> None:
    answer = await ann.get("/notice-preferences")
    assert answer.headers["ETag"] == '"1"'
    shown = answer.json()
    assert (shown["version"], shown["digest_hour"]) == (1, 7)
    assert {one["kind"]: (one["sending"], one["formal"]) for one in shown["kinds"]} == {
        "deadline-near": ("at_once", False),
        "outcome": ("at_once", True),
        "news": ("digest", False),
        "clock-shifted": ("at_once", False),
    }
    assert [one["title"] for one in shown["kinds"]] == sorted(
        one["title"] for one in shown["kinds"]
    )


async def test_what_is_stated_replaces_all_of_it_and_is_an_event(
    ann: Person, bob: Person, superuser: Any
) -> None:
    first = await choose(ann, 1, deadline_near="off", news="at_once")
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    second = await choose(ann, 2, deadline_near="digest", outcome="digest")
    shown = {one["kind"]: one["sending"] for one in second.json()["kinds"]}
    assert shown == {
        "deadline-near": "digest",
        "outcome": "digest",
        "news": "digest",
        "clock-shifted": "at_once",
    }
    assert (await ann.get("/notice-preferences")).json() == second.json()
    assert (await bob.get("/notice-preferences")).json()["version"] == 1
    rows = await superuser.fetch(
        "SELECT person, subject, details ->> 'kinds' AS kinds FROM event"
        " WHERE action = 'notice_preferences.changed' ORDER BY serial"
    )
    assert [tuple(row) for row in rows] == [
        (ann.id, ann.id, '["deadline-near", "news"]'),
        (ann.id, ann.id, '["deadline-near", "news", "outcome"]'),
    ]


async def test_a_formal_kind_cannot_be_switched_off_and_the_answer_says_why(ann: Person) -> None:
    answer = await choose(ann, 1, outcome="off", deadline_near="off")
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/formal-kind"
    assert problem["errors"] == [
        {
            "field": "kinds.outcome",
            "reason": "“The outcome of a tender” is told formally: choose at_once or digest.",
        }
    ]
    assert (await ann.get("/notice-preferences")).json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"kinds": {"no-such-kind": "off"}}, "unknown-notice-kind"),
        ({"kinds": {"deadline-near": "sometimes"}}, "malformed"),
        ({"kinds": {"deadline-near": None}}, "malformed"),
        ({"kinds": {"Deadline Near": "off"}}, "malformed"),
        ({"kinds": {"x" * 61: "off"}}, "malformed"),
        ({"kinds": {f"k-{'a' * number}": "off" for number in range(101)}}, "malformed"),
        ({"kinds": []}, "malformed"),
        ({}, "malformed"),
        ({"kinds": {}, "more": 1}, "malformed"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_field(
    ann: Person, body: dict[str, Any], kind: str
) -> None:
    answer = await ann.put("/notice-preferences", body, version=1)
    assert (answer.status_code, answer.json()["type"]) == (400, f"/problems/{kind}")
    assert answer.json()["errors"]


async def test_of_two_who_state_it_at_once_one_reads_it_again(ann: Person, superuser: Any) -> None:
    for version in (1, 2):
        answers = await asyncio.gather(
            *(choose(ann, version, deadline_near=word) for word in ("off", "digest") * 2)
        )
        assert sorted(one.status_code for one in answers) == [200, 412, 412, 412]
    assert (await choose(ann, 1)).status_code == 412
    assert (await ann.put("/notice-preferences", {"kinds": {}})).status_code == 428
    assert await superuser.fetchval("SELECT count(*) FROM notice_preferences") == 1
    assert (await ann.get("/notice-preferences")).json()["version"] == 3


async def test_who_is_not_signed_in_has_neither_notices_nor_preferences(world: World) -> None:
    for path in ("/notices", "/notice-preferences"):
        assert (await world.public(path)).status_code == 401


# -- one's own notices -----------------------------------------------------------------------------


async def test_one_s_notices_are_listed_in_the_words_of_their_mails(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    event = await happen(superuser, "test.greeted", ann, title="Pathology")
    await happen(superuser, "test.told", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    news, deadline = (await ann.get("/notices")).json()["items"]
    assert deadline == {
        "id": deadline["id"],
        "kind": "deadline-near",
        "subject": "The deadline of Pathology is near",
        "paragraphs": ["Bids for Pathology can be given for one more day.", "Do not wait."],
        "facts": [
            {"label": "Tender", "value": "Pathology"},
            {"label": "Deadline", "value": "Friday 5 February 2027, 12:00 noon"},
        ],
        "path": f"/api/v1/tenders/{TENDER}",
        "event": str(event),
        "made_at": deadline["made_at"],
        "state": "sent",
        "because": None,
        "digest_at": None,
        "sent_at": deadline["sent_at"],
    }
    assert deadline["sent_at"] >= deadline["made_at"]
    assert (news["state"], news["sent_at"]) == ("waiting", None)
    assert news["digest_at"] is not None
    for paragraph in deadline["paragraphs"]:
        assert paragraph in post_office.mails[0].text


async def test_a_notice_that_was_not_mailed_says_why_and_nothing_of_the_server(
    ann: Person, superuser: Any, bench: Workbench, post_office: PostOffice
) -> None:
    post_office.recipient_answers.append("550 internal-relay-7 says no")
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    await choose(ann, 1, deadline_near="off")
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    answer = await ann.get("/notices")
    assert [(one["state"], one["because"]) for one in answer.json()["items"]] == [
        ("skipped", "You have switched notices of this kind off."),
        ("failed", "It could not be sent to your address."),
    ]
    assert "internal-relay" not in answer.text


async def test_notices_come_in_pages_and_by_kind(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    for number in range(5):
        await happen(superuser, "test.greeted", ann, title=f"T{number}")
    await happen(superuser, "test.decided", ann)
    await notice(bench, KINDS)
    seen: list[str] = []
    path = "/notices?limit=2&kind=deadline-near"
    while path:
        answer = await ann.get(path)
        seen += [one["facts"][0]["value"] for one in answer.json()["items"]]
        following = answer.json().get("next")
        assert ("Link" in answer.headers) == (following is not None)
        path = f"/notices?limit=2&kind=deadline-near&cursor={following}" if following else ""
    assert seen == ["T4", "T3", "T2", "T1", "T0"]
    assert len((await ann.get("/notices?kind=outcome")).json()["items"]) == 1
    assert (await ann.get("/notices?kind=none")).json()["items"] == []
    for cursor in ("x", "W10", "WyJ4IiwieSJd"):
        assert (await ann.get(f"/notices?cursor={cursor}")).status_code == 400


async def test_nobody_sees_another_s_notices_nor_those_of_an_organisation_they_left(
    ann: Person, bob: Person, world: World, superuser: Any, bench: Workbench
) -> None:
    elsewhere = await world.person("Cy Else", await world.organisation("0DF"), Role.AUDITOR)
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    assert len((await ann.get("/notices")).json()["items"]) == 1
    for other in (bob, elsewhere):
        assert (await other.get("/notices")).json()["items"] == []
    async with superuser.transaction():
        await happen(superuser, "membership.ended")
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", ann.id
        )
    assert (await ann.get("/notices")).json()["items"] == []


async def test_a_notice_whose_kind_is_no_more_or_is_broken_is_still_listed(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await happen(superuser, "test.decided", ann)
    await notice(bench, KINDS)
    await superuser.execute(
        "UPDATE notice SET facts = facts || '{\"broken\": true}' WHERE kind = 'deadline-near'"
    )
    await superuser.execute("UPDATE notice SET kind = 'former' WHERE kind = 'outcome'")
    answer = await ann.get("/notices")
    assert [one["subject"] for one in answer.json()["items"]] == [
        "A notice",
        "The deadline of a tender is near",
    ]


async def test_an_unknown_parameter_is_refused(ann: Person) -> None:
    assert (await ann.get(f"/notices?person={uuid4()}")).status_code == 400
    assert (await ann.get(f"/notices?kind={'x' * 61}")).status_code == 400
