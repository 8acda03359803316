"""Scopes: what a system reaches, and that it reaches nothing else, whatever it was given."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from market.actor import Actor, Scope
from market.app import CONTROLLERS, create_app
from market.openapi import PREFIX, SCOPES, document
from market.settings import Settings
from market.systems.errors import BeyondScope
from market.systems.permissions import ensure_within_scopes
from market.vault import Vault
from tests.makers.systems import EVERY_SCOPE, answerable, api_key, by_credential, client_of, keyed
from tests.makers.world import Person, World

FOR_PEOPLE = re.compile(
    "opening|evaluation|score|locks|quality-lock|ranking|drop-outs|lot-allocation|robustness"
    "|recommendation|approval|award|contract|duties|declaration"
    "|bidders|memberships|invitation|sessions|/me|members|identities|password|api-keys|clients"
    "|supplier-applications|review|publication|abandonment|timetable|buyers|revision|shifts"
    "|challenges|rounds|interests|gifts|breaches|exemptions|recusal|register-entries"
)
"""Paths that no credential reaches, whatever its scopes: written down anew, not taken from code."""
_NUMBERED = re.compile("number$|position$|size$")


@pytest.fixture
def app(settings: Settings, vault: Vault) -> Litestar:
    return create_app(settings, {}, vault)


def operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith(PREFIX):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    yield method, route.path_format, handler


async def _send(system: Person, method: str, path: str) -> Any:
    address = re.sub(
        r"\{(\w+)\}", lambda name: "1" if _NUMBERED.search(name[1]) else str(uuid4()), path
    )
    headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
    return await system.request(method, address.removeprefix(PREFIX), headers=headers)


def _is_beyond(answer: Any) -> bool:
    if answer.request.method == "HEAD":  # answered without a body
        return bool(answer.status_code == 403)
    return bool(answer.status_code == 403 and answer.json()["type"] == "/problems/beyond-scope")


def test_no_operation_for_people_has_a_scope(app: Litestar) -> None:
    people = 0
    for method, path, handler in operations(app):
        if FOR_PEOPLE.search(path):
            people += 1
            assert "scope" not in handler.opt, (method, path)
        if handler.opt.get("scope") not in {None, Scope.BIDS_WRITE}:
            assert method in {"GET", "HEAD"}, (method, path)
    assert people > 30


def test_bids_alone_are_submissions_and_nothing_that_limits_is_forgotten(app: Litestar) -> None:
    found = {
        handler.operation_id for _, _, handler in operations(app) if handler.opt.get("submission")
    }
    bids = {"submitBid", "replaceBid", "withdrawBid", "confirmBid", "listMyBids", "getMyBid"}
    bids |= {"submitSealedBid", "replaceBySealedBid"}
    drafts = {"saveDraft", "getDraft", "listDraftFaults", "submitDraft", "discardDraft"}
    documents = {"beginDocument", "sendDocumentPart", "askUploadOffset", "completeDocument"}
    documents |= {"listMyDocuments", "getMyDocument", "removeDocument"}
    assert found == bids | drafts | documents | {"getMyBidForLot"}


async def test_whatever_scopes_a_key_has_it_reaches_nothing_beyond_them(
    world: World, app: Litestar
) -> None:
    person = await answerable(world)
    by_all_but = {
        scope: await keyed(person, scopes=[each for each in EVERY_SCOPE if each != scope])
        for scope in EVERY_SCOPE
    }
    by_every = await keyed(person)
    by_token = await (await client_of(world, person)).acting()
    refused = reached = 0
    for method, path, handler in operations(app):
        scope = handler.opt.get("scope")
        if scope is None:
            for system in (by_every, by_token):
                answer = await _send(system, method, path)
                assert _is_beyond(answer), (method, path, answer.text)
            refused += 1
        else:
            answer = await _send(by_all_but[scope], method, path)
            assert _is_beyond(answer), (method, path, answer.text)
            answer = await _send(by_every, method, path)
            assert not _is_beyond(answer), (method, path, answer.text)
            reached += 1
    assert (refused > 30, reached > 15) == (True, True)


async def test_outside_the_api_too_a_system_reaches_nothing(world: World) -> None:
    system = await keyed(await answerable(world))
    headers = {"Authorization": f"Bearer {system.token}"}
    for path in ("/status", "/metrics", "/docs", "/problems"):
        assert (await world.client.get(path, headers=headers)).status_code == 403, path


async def test_a_system_s_reach_beyond_its_scopes_is_recorded(world: World, superuser: Any) -> None:
    person = await answerable(world)
    key = await api_key(person, scopes=["bids:read"])
    tender = uuid4()
    system = by_credential(person, key["key"])
    answer = await system.post(f"/tenders/{tender}/opening-confirmations")
    assert _is_beyond(answer)
    event = await superuser.fetchrow(
        "SELECT person, tender, details ->> 'operation' AS operation,"
        " details ->> 'credential' AS by FROM event WHERE action = 'request.refused'"
    )
    assert (event["person"], event["tender"], event["by"]) == (person.id, tender, key["id"])
    assert event["operation"] == "door.confirm"


async def test_a_key_makes_no_keys(world: World) -> None:
    person = await answerable(world)
    system = await keyed(person)
    for path in (f"/organisations/{person.organisation}/api-keys", f"/api-keys/{uuid4()}/rotation"):
        assert _is_beyond(await system.post(path, {}))


@given(st.sets(st.sampled_from(Scope)), st.none() | st.sampled_from(Scope))
def test_a_scope_is_had_or_not_and_persons_need_none(
    scopes: set[Scope], needed: Scope | None
) -> None:
    ensure_within_scopes(Actor(), needed)
    system = Actor(credential=uuid4(), scopes=frozenset(scopes))
    if needed is not None and needed in scopes:
        ensure_within_scopes(system, needed)
    else:
        with pytest.raises(BeyondScope):
            ensure_within_scopes(system, needed)


# ------------------------------------------------------------------------------- what is written


def test_the_document_says_by_which_credentials_and_scopes_an_operation_is_reached(
    app: Litestar,
) -> None:
    made = document(CONTROLLERS)
    schemes = made["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "apiKey", "client"}
    told = schemes["client"]["flows"]["clientCredentials"]["scopes"]
    assert set(told) == {scope.value for scope in SCOPES} == set(EVERY_SCOPE)
    for method, path, handler in operations(app):
        scope = handler.opt.get("scope")
        security = made["paths"][path][method.lower()].get("security", [])
        named = [item[name] for item in security for name in ("apiKey", "client") if name in item]
        assert named == ([] if scope is None else [[scope.value], [scope.value]]), (method, path)


async def test_the_database_and_the_programme_know_the_same_scopes(superuser: Any) -> None:
    rows = await superuser.fetch(
        "SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint"
        " WHERE conname LIKE '%scopes_known'"
    )
    assert len(rows) == 3
    for row in rows:
        assert set(re.findall(r"'([a-z]+:[a-z]+)'", row["said"])) == set(EVERY_SCOPE)
