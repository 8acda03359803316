"""Keys that officers keep: two of three open everything, one alone and the server nothing."""

import base64
from itertools import permutations
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from market.sealing import (
    Address,
    CannotDecrypt,
    CannotOpen,
    CannotUnwrap,
    EnvelopeKind,
    KeyFor,
    SharedKey,
    fingerprint,
    take_off_inner,
    take_off_outer,
    unseal,
)
from tests.makers.bids import declare
from tests.makers.officers import (
    Officer,
    agreed,
    bid_on,
    confirmed,
    publish_with_officers,
    released,
    resumed,
    tender_of_officers,
    tender_with_three_openers,
    with_key,
)
from tests.makers.tenders import published_tender
from tests.makers.world import World

Three = tuple[Officer, Officer, Officer]


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    return found


# -- registering and publishing -------------------------------------------------------------------


async def test_a_key_is_registered_once_and_the_latest_counts(world: World) -> None:
    person = await world.person("Olga", await world.organisation("06F"), Role.COMMISSIONER)
    first, second = await with_key(person), await with_key(person)
    listed = (await person.get("/me/officer-keys")).json()
    prints = [fingerprint(officer.pair.public).hex() for officer in (second, first)]
    assert [key["fingerprint"] for key in listed] == prints
    given = {"public_key": base64.b64encode(first.pair.public).decode()}
    problem(await person.post("/me/officer-keys", given), 400, "officer-key-refused")
    for wrong in (b"", first.pair.public[:-1], b"\xff" * 1216):
        body = {"public_key": base64.b64encode(wrong).decode()}
        found = problem(await person.post("/me/officer-keys", body), 400, "officer-key-refused")
        assert found["errors"][0]["field"] == "public_key"


async def test_three_openers_with_keys_are_needed_to_publish(world: World) -> None:
    tender, openers = await tender_with_three_openers(world)
    problem(await publish_with_officers(tender), 409, "officers-needed")
    for person in openers[:2]:
        await with_key(person)
    problem(await publish_with_officers(tender), 409, "officers-needed")
    await with_key(openers[2])
    assert (await publish_with_officers(tender)).status_code == 200
    keys = (await world.public(f"/tenders/{tender.id}/keys")).json()
    assert {key["custodian"] for key in keys} == {"officers"}


async def test_a_tender_of_the_server_has_nothing_for_officers(world: World) -> None:
    tender = await published_tender(world)
    opener = tender.openers[0]
    for path in ("key-shares", "key-releases"):
        problem(await opener.get(f"{tender.path}/{path}"), 409, "not-with-officers")
        problem(await tender.manager.get(f"{tender.path}/{path}"), 403, "duty-needed")
    body: dict[str, Any]
    for path, body in (
        ("key-shares", {"shares": [{"share": str(uuid4()), "sealed": "QQ=="}]}),
        ("key-releases", {"keys": [{"envelope": str(uuid4()), "content_key": None}]}),
        ("key-rehearsals", {"canary": "QQ=="}),
    ):
        problem(await opener.post(f"{tender.path}/{path}", body), 409, "not-with-officers")


# -- drills ---------------------------------------------------------------------------------------


async def test_every_two_of_three_officers_rehearse_without_a_bid(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    await bid_on(world, tender, 1)
    told = await officers[0].desk.rehearse(tender.id)
    assert told == ["Passed on. Now Ophelia Opener or Oscar Opener has to do the same as you."]
    again = await officers[0].desk.rehearse(tender.id)
    assert again == ["Your shares are passed on. Now another officer has to do their part."]
    for officer in officers[1:]:
        told = await officer.desk.rehearse(tender.id)
        assert told == ["The canary opened: Olive Opener and you can release keys."]
    wrong = await officers[1].person.post(f"{tender.path}/key-rehearsals", {"canary": "QQ=="})
    problem(wrong, 400, "canary-wrong")
    assert await officers[0].desk.overview(tender.id) == [
        "Nothing is there for this officer's key to do."
    ]
    assert await officers[1].desk.overview(tender.id) == [
        "to pass on to Olive Opener: the rehearsal",
        "to pass on to Ophelia Opener: the rehearsal",
        "passed on by Olive Opener: the rehearsal",
    ]


@pytest.mark.parametrize(("first", "second"), list(permutations(range(3), 2)))
async def test_any_two_of_three_open_everything(world: World, first: int, second: int) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    await bid_on(world, tender)
    await confirmed(world, tender, officers)
    problem(await resumed(tender.openers[0], tender), 409, "keys-awaited")
    told = await released(tender, officers[first], officers[second])
    assert told[-1] == "Released 2 content keys of lot 1, quality: 2."
    answer = await resumed(tender.openers[0], tender)
    assert answer.json() == {"opened": 2, "failed": 0, "remaining": 0, "manifest_faults": 0}
    assert await officers[second].desk.release(tender.id, agreed) == ["Nothing is due."]


async def test_an_officer_who_is_lost_or_released_is_not_missed(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    lost, second, third = officers
    await bid_on(world, tender, 1)
    await confirmed(world, tender, officers)
    assert "Passed on" in (await lost.desk.release(tender.id, agreed))[0]
    await declare(tender.manager, tender)
    duties = (await tender.manager.get(f"{tender.path}/duties")).json()
    duty = next(one for one in duties if one["person"] == str(lost.person.id))
    answer = await tender.manager.delete(f"{tender.path}/duties/{duty['id']}")
    assert answer.status_code in {200, 204}, answer.text
    due = (await second.person.get(f"{tender.path}/key-releases")).json()["due"]
    body = {"keys": [{"envelope": due[0]["envelope"], "content_key": None}]}
    alone = await second.person.post(f"{tender.path}/key-releases", body)
    problem(alone, 409, "another-officer-needed")
    assert "Released 1" in (await released(tender, third, second))[-1]
    assert (await resumed(second.person, tender)).json()["opened"] == 1


async def test_one_officer_alone_reads_nothing(world: World, superuser: Any) -> None:
    """With one private key and the whole database: no share opens further than to another's."""
    tender, officers = await tender_of_officers(world, lots=1)
    await bid_on(world, tender, 1)
    shares = await superuser.fetch(
        "SELECT s.sealed, l.id AS lot, k.envelope, k.public_key, o.public_key AS outer_key,"
        " i.public_key AS inner_key FROM officer_share s JOIN tender_key k ON k.id = s.tender_key"
        " JOIN lot l ON l.id = k.lot JOIN officer_key o ON o.id = s.outer_key"
        " JOIN officer_key i ON i.id = s.inner_key"
    )
    assert len(shares) == 2 * 6
    alone = officers[0].pair
    for share in shares:
        of = SharedKey(
            of=KeyFor(tender=tender.id, lot=share["lot"], envelope=EnvelopeKind(share["envelope"])),
            outer=fingerprint(share["outer_key"]),
            inner=fingerprint(share["inner_key"]),
        )
        with pytest.raises(CannotDecrypt):
            take_off_inner(alone.private, of, share["sealed"])
        if share["outer_key"] != alone.public:
            with pytest.raises(CannotDecrypt):
                take_off_outer(alone.private, of, share["sealed"])
            continue
        passed = take_off_outer(alone.private, of, share["sealed"])
        with pytest.raises(CannotDecrypt):
            take_off_inner(alone.private, of, passed)
        with pytest.raises(CannotDecrypt):
            take_off_outer(alone.private, of, passed)
        other = next(o.pair for o in officers if o.pair.public == share["inner_key"])
        assert len(take_off_inner(other.private, of, passed)) == 96


async def test_the_server_with_all_its_keys_and_its_whole_database_opens_nothing(
    world: World, superuser: Any
) -> None:
    """Every byte string in the database is tried, as it is and unwrapped, on every envelope."""
    tender, _ = await tender_of_officers(world, lots=1)
    await bid_on(world, tender, 1)
    columns = await superuser.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'bytea'"
    )
    found: set[bytes] = {world.vault.signing_key.public()}
    for column in columns:
        name, table = column["column_name"], column["table_name"]
        rows = await superuser.fetch(f'SELECT "{name}" FROM "{table}"')  # noqa: S608  # of the catalogue
        found |= {bytes(row[0]) for row in rows if row[0] is not None}
    envelopes = await superuser.fetch(
        "SELECT e.sealed, e.kind, v.number, b.lot, b.organisation FROM envelope e"
        " JOIN bid_version v ON v.id = e.bid_version JOIN bid b ON b.id = v.bid"
    )
    assert len(envelopes) == 2
    assert len(found) > 20
    for row in envelopes:
        address = Address(
            tender=tender.id,
            lot=row["lot"],
            supplier=row["organisation"],
            envelope=EnvelopeKind(row["kind"]),
            version=row["number"],
        )
        for secret in found:
            with pytest.raises(CannotOpen):
                unseal(secret[:96], address, row["sealed"])
            with pytest.raises((CannotUnwrap, CannotOpen)):
                world.vault.custodian.open_envelope(secret, b"", address, row["sealed"])
    kept = await superuser.fetch("SELECT wrapped_key FROM tender_key")
    assert [row[0] for row in kept] == [None, None]
