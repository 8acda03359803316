"""The OpenAPI document says everything the API does, and nothing it does not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from market.app import CONTROLLERS, api_document, create_app
from market.errors import MarketError
from market.openapi import PREFIX, document
from market.problems import known_problems
from market.settings import Settings
from market.vault import Vault
from tests.makers.world import World

SNAPSHOT = Path(__file__).parents[1] / "contract" / "openapi.json"
DOCUMENT: dict[str, Any] = document(CONTROLLERS)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    yield route.path_format, method, handler


@pytest.fixture
def app(settings: Settings, vault: Vault) -> Litestar:
    return create_app(settings, {}, vault)


def test_a_change_of_the_api_is_seen_in_review() -> None:
    """To accept a change: `make contract`."""
    assert api_document() == SNAPSHOT.read_bytes()


async def test_the_document_is_served(world: World) -> None:
    answer = await world.client.get("/openapi.json")
    assert answer.content == api_document()
    assert answer.headers["Content-Type"] == "application/json"


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(DOCUMENT))):
        found: Any = DOCUMENT
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_every_operation_has_its_own_id_a_summary_a_description_and_a_tag_that_is_explained() -> (
    None
):
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    explained = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, method, operation in operations():
        assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"])
        assert 5 < len(operation["summary"]) <= 110, (path, method)
        assert operation["description"].endswith("."), (path, method)
        assert set(operation["tags"]) <= explained
        assert operation["tags"]


def test_every_body_has_an_example_that_is_a_valid_body(app: Litestar) -> None:
    bodies = 0
    for path, method, handler in handlers(app):
        if handler.parsed_data_field is None:
            continue
        bodies += 1
        operation = DOCUMENT["paths"][path][method.lower()]
        example = operation["requestBody"]["content"]["application/json"].get("example")
        assert example is not None, (method, path)
        msgspec.convert(example, handler.parsed_data_field.annotation)
    assert bodies > 5


def test_every_body_says_that_it_takes_no_other_fields() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for path, method, operation in operations():
        if "requestBody" in operation:
            if operation["operationId"] == "sendDocumentPart":
                continue  # bytes, which have no fields
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            if operation["operationId"] == "importOwnership":
                continue  # described by the standard's own schemas, which allow other fields
            name = schema["$ref"].rpartition("/")[2]
            assert schemas[name]["additionalProperties"] is False, (path, method, name)


def test_every_operation_lists_its_problems_each_of_a_known_kind() -> None:
    known = {f"/problems/{kind.slug()}" for kind in known_problems()}
    for path, method, operation in operations():
        answers = operation["responses"]
        assert {"400", "429", "500", "503"} <= set(answers), (path, method)
        assert ("401" in answers) or operation.get("security") is not None
        if "{" in path:
            assert "404" in answers
        for status, answer in answers.items():
            if status.startswith("2"):
                continue
            assert answer["description"]
            examples = answer["content"]["application/problem+json"]["examples"]
            for example in examples.values():
                assert example["value"]["status"] == int(status)
                assert example["value"]["type"] in known


def test_keys_and_versions_are_documented_where_they_are_needed() -> None:
    seen = set()
    for _, _, operation in operations():
        required = {
            item["name"]: item["required"]
            for item in operation.get("parameters", ())
            if item["in"] == "header"
        }
        answers = set(operation["responses"])
        if "Idempotency-Key" in required:
            assert required["Idempotency-Key"]
            assert {"400", "409", "422"} <= answers
        if "If-Match" in required:
            assert required["If-Match"]
            assert {"412", "428"} <= answers
        if "requestBody" in operation:
            assert {"413", "415"} <= answers
        seen |= set(required)
    assert "Idempotency-Key" in seen


def test_lists_document_the_link_and_views_their_etag(app: Litestar) -> None:
    documented = json.dumps(DOCUMENT["paths"])
    assert '"Link"' in documented
    for path, method, handler in handlers(app):
        if path.startswith(PREFIX) and "tagged" in handler.fn.__code__.co_names:
            operation = DOCUMENT["paths"][path][method.lower()]
            success = next(item for key, item in operation["responses"].items() if key < "3")
            assert "ETag" in success["headers"]


def test_nothing_in_a_schema_is_empty() -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            assert node or path.endswith("/additionalProperties"), path
            for key, value in node.items():
                walk(value, f"{path}/{key}")
        elif isinstance(node, list):
            for value in node:
                walk(value, path)

    walk(DOCUMENT["components"]["schemas"], "")


async def test_whatever_is_not_public_needs_a_token(world: World, app: Litestar) -> None:
    closed = 0
    for path, method, handler in handlers(app):
        address = re.sub(r"\{(\w+)\}", lambda found: _fill(found[1]), path)
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
        answer = await world.client.request(method, address, headers=headers)
        if handler.opt.get("public"):
            assert answer.status_code != 401 or handler.opt.get("costly"), (method, path)
            continue
        closed += 1
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        described = DOCUMENT["paths"][path][method.lower()]
        assert {} not in described.get("security", ())
    assert closed > 5


def _fill(name: str) -> str:
    return "1" if name.endswith("number") else str(uuid4())


def test_every_refusal_has_a_meaning_in_words() -> None:
    for kind in known_problems():
        assert issubclass(kind, MarketError)
        assert kind.__doc__, kind
        assert 400 <= kind.status < 600
