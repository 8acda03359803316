"""Events as leaves: what is hashed, what is only committed to, what each reader can check."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules import leaves
from market.transparency.rules.canonical import NotCanonical, canonical
from market.transparency.rules.leaves import LoggedEvent, RevealedEvent

SALT = b"s" * 32
EVENT = LoggedEvent(
    position=12,
    id=UUID("0B8E7A6D-5C4B-4A3F-9E2D-1C0B9A8F7E6D"),
    action="bid.submitted",
    occurred_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    recorded_at=datetime(2026, 11, 22, 11, 0, 0, 7, tzinfo=timezone(timedelta(hours=1))),
    subject_kind="bid",
    subject=UUID(int=1),
    tender=UUID(int=2),
    tender_number=3,
    person=UUID(int=4),
    organisation=None,
    request="r-1",
    details={"lot": "one", "é": [1, True, None]},
    before_digest=None,
    after_digest=b"a" * 32,
    private_digest=None,
)
CONTENT = (
    '{"after_digest":"' + "61" * 32 + '","before_digest":null,"details":{"lot":"one","é":[1,true'
    ',null]},"organisation":null,"person":"00000000-0000-0000-0000-000000000004",'
    '"private_digest":null,"request":"r-1"}'
)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_leaf_is_the_canonical_header_and_nothing_else() -> None:
    content = sha256(sha256(SALT, b"content"), CONTENT.encode()).hex()
    number = sha256(sha256(SALT, b"number"), b"3").hex()
    header = (
        f'{{"action":"bid.submitted","content":"{content}",'
        '"format":"commissioning-support-market/event/v1",'
        '"id":"0b8e7a6d-5c4b-4a3f-9e2d-1c0b9a8f7e6d",'
        f'"number":"{number}","occurred_at":"2026-11-22T10:00:00.000000Z","position":12,'
        '"recorded_at":"2026-11-22T10:00:00.000007Z",'
        '"subject":"00000000-0000-0000-0000-000000000001","subject_kind":"bid",'
        '"tender":"00000000-0000-0000-0000-000000000002"}'
    )
    made = leaves.header_of(EVENT, SALT)
    assert canonical(msgspec.to_builtins(made)).decode() == header
    assert leaves.leaf_of(made) == sha256(b"\x00", header.encode())


def test_an_event_without_a_tender_commits_to_having_no_number() -> None:
    made = leaves.header_of(replace(EVENT, tender=None, tender_number=None), SALT)
    assert made.tender is None
    assert made.number == sha256(sha256(SALT, b"number"), b"null").hex()


def test_a_revealed_event_is_as_committed_with_and_without_its_number() -> None:
    whole = leaves.reveal(EVENT, SALT, with_number=True)
    hidden = leaves.reveal(EVENT, SALT, with_number=False)
    assert leaves.is_as_committed(whole)
    assert leaves.is_as_committed(hidden)
    assert (hidden.number, hidden.number_salt) == (None, None)
    assert b"00000004" not in msgspec.json.encode(hidden.header)
    received = msgspec.json.decode(msgspec.json.encode(whole), type=RevealedEvent)
    assert leaves.is_as_committed(received)


@pytest.mark.parametrize("with_number", [True, False])
def test_nothing_else_than_was_committed_to_is_accepted(*, with_number: bool) -> None:
    shown = leaves.reveal(EVENT, SALT, with_number=with_number)
    content = shown.content
    changes: list[RevealedEvent] = [
        replace(shown, number=4),
        replace(shown, content_salt="0" * 64),
        replace(shown, number_salt="0" * 64),
        replace(shown, content=replace(content, person=None)),
        replace(shown, content=replace(content, request="r-2")),
        replace(shown, content=replace(content, details={})),
        replace(shown, content=replace(content, details={"lot": "one", "é": [1, 1, None]})),
        replace(shown, content=replace(content, private_digest="0" * 64)),
        replace(shown, header=replace(shown.header, content="0" * 64)),
    ]
    for changed in changes:
        assert not leaves.is_as_committed(changed)


@settings(deadline=None)
@given(field=st.sampled_from(["position", "id", "action", "subject", "tender", "occurred_at"]))
def test_each_member_of_the_header_is_hashed(field: str) -> None:
    other = {
        "position": 13,
        "id": UUID(int=9),
        "action": "bid.withdrawn",
        "subject": UUID(int=9),
        "tender": None,
        "occurred_at": EVENT.occurred_at + timedelta(microseconds=1),
    }[field]
    changed = replace(EVENT, **{field: other})
    assert leaves.leaf_of(leaves.header_of(changed, SALT)) != leaves.leaf_of(
        leaves.header_of(EVENT, SALT)
    )


def test_private_details_are_digested_under_their_own_salt() -> None:
    digest = leaves.private_digest(SALT, {"name": "Zoë"})
    assert digest == sha256(SALT, '{"name":"Zoë"}'.encode()).hex()


def test_an_instant_has_six_decimals_and_a_time_zone() -> None:
    assert (
        leaves.instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"
    )
    with pytest.raises(ValueError, match="time zone"):
        leaves.instant(datetime(2026, 1, 2))  # noqa: DTZ001  # what is refused
    with pytest.raises(ValueError, match="32 bytes"):
        leaves.header_of(EVENT, b"short")


def nested(depth: int) -> object:
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "details",
    [
        {"price": 1.5},
        {"price": float("nan")},
        {"count": 2**53},
        {"count": -(2**53)},
        {"text": "\ud800"},
        {"\ud800": 1, "other": 2},
        {1: "a"},
        {"when": datetime(2026, 1, 2, tzinfo=UTC)},
        {"deep": nested(29)},
    ],
)
def test_details_without_one_canonical_form_are_refused(details: dict[str, object]) -> None:
    with pytest.raises(NotCanonical):
        leaves.header_of(replace(EVENT, details=details), SALT)


def test_details_may_be_as_deep_as_an_exported_event_may_be() -> None:
    made = leaves.header_of(replace(EVENT, details={"deep": nested(28)}), SALT)
    assert len(made.content) == 64


@settings(deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_canonical_json_says_what_it_was_made_from(value: object) -> None:
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written
