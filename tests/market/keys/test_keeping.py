"""What is wrapped in the database: all of it is told of, and rewrapped alone."""

import secrets
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.cli.keys import KEPT
from market.keys import keeping
from market.keys.errors import KeyStillNeeded
from market.sealing import CONTENT_KEY_BYTES, CannotUnwrap, ServerCustodian
from market.vault import Vault
from market.webhooks.credentials import KEPT as WEBHOOKS
from market.webhooks.credentials import recalled
from tenders.queries.canaries import rehearse
from tenders.rules.custody import TENDER_KEYS, released_purpose
from tests.makers.bids import some_suppliers, submit
from tests.makers.direct import acting, not_granted, refused
from tests.makers.officers import agreed, confirmed, tender_of_officers
from tests.makers.sign_in import enrolled
from tests.makers.systems import answerable
from tests.makers.tenders import published_tender
from tests.makers.webhooks import webhook
from tests.makers.world import World

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def vault(vault: Vault) -> Vault:
    """A vault that begins with one key-encryption key."""
    return msgspec.structs.replace(vault, custodian=ServerCustodian({"old": OLD}, "old"))


ROTATED = ServerCustodian({"new": NEW, "old": OLD}, "new")


async def everything(world: World) -> None:
    """Let there be something wrapped in every column."""
    await published_tender(world)
    await webhook(await answerable(world), "https://hooks.example/one")
    await enrolled(await answerable(world))
    tender, officers = await tender_of_officers(world, lots=1)
    (bidder,) = await some_suppliers(world, 1)
    await bidder.put(f"{tender.path}/lots/1/bid-draft", {})
    await submit(bidder, tender, 1)
    await confirmed(world, tender, officers)
    for officer in officers[:2]:
        await officer.desk.release(tender.id, agreed)


async def test_the_command_line_knows_every_column_that_the_database_names(superuser: Any) -> None:
    assert {(column.table, column.column) for column in KEPT} == await keeping.wrapped_columns(
        superuser
    )


async def test_everything_wrapped_is_rewrapped_once_and_opens_as_before(
    world: World, superuser: Any
) -> None:
    await everything(world)
    counted = await keeping.counts(superuser, KEPT)
    assert set(counted) == {"old"}
    for column in KEPT:
        done = await keeping.rewrap(superuser, ROTATED, column)
        assert done.done > 0, column
        assert not done.failed
        assert (await keeping.rewrap(superuser, ROTATED, column)).done == 0
    assert await keeping.counts(superuser, KEPT) == {"new": counted["old"]}
    only_new = ServerCustodian({"new": NEW}, "new")
    assert not (await rehearse(superuser, only_new)).failed
    released = await superuser.fetchrow("SELECT envelope, wrapped_key FROM released_key")
    purpose = released_purpose(released["envelope"])
    assert len(only_new.recall(released["wrapped_key"], purpose)) == CONTENT_KEY_BYTES
    row = await superuser.fetchrow("SELECT id, subscription, wrapped FROM webhook_secret")
    after = msgspec.structs.replace(world.vault, custodian=only_new)
    assert recalled(after, row["wrapped"], row["id"], row["subscription"])
    with pytest.raises(CannotUnwrap):
        recalled(world.vault, row["wrapped"], row["id"], row["subscription"])


async def test_rewrapping_goes_on_where_it_stopped_and_names_what_fails(
    world: World, superuser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BATCH", 1)
    await published_tender(world)
    stopped = _Stopping({"new": NEW, "old": OLD}, "new")
    with pytest.raises(KeyboardInterrupt):
        await keeping.rewrap(superuser, stopped, TENDER_KEYS)
    assert (await keeping.counts(superuser, [TENDER_KEYS])) == {"new": 2, "old": 2}
    lost = await keeping.rewrap(superuser, ServerCustodian({"new": NEW}, "new"), TENDER_KEYS)
    assert (lost.done, len(lost.failed)) == (0, 2)
    assert (await keeping.rewrap(superuser, ROTATED, TENDER_KEYS)).done == 2
    assert not (await rehearse(superuser, ROTATED)).failed


class _Stopping(ServerCustodian):
    """A custodian whose process is killed at the third key."""

    __slots__ = ("left",)

    def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        self.left = getattr(self, "left", 3) - 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().rewrap(wrapped, context)


async def test_a_canary_behind_another_key_or_another_context_does_not_sing(
    world: World, superuser: Any
) -> None:
    await published_tender(world)
    other = ServerCustodian({"old": secrets.token_bytes(32)}, "old")
    found = await rehearse(superuser, other)
    assert found.keys == len(found.failed) == 4
    assert not (await rehearse(superuser, world.vault.custodian)).failed
    assert (await rehearse(superuser, other, uuid4())).keys == 0


async def test_whoever_rewraps_changes_nothing_else(world: World, superuser: Any) -> None:
    await published_tender(world)
    for change in ("public_key = ''", "wrapped_key = NULL", "custodian = 'officers'"):
        async with refused("rewrapped_alone"), keeping.as_owner(superuser):
            await superuser.execute("SET LOCAL market.rewrapping = 'on'")
            await superuser.execute(f"UPDATE tender_key SET {change}")  # noqa: S608  # of this test
    async with refused("append_only"), keeping.as_owner(superuser):
        await superuser.execute("UPDATE tender_key SET wrapped_key = wrapped_key")
    for statement in ("DELETE FROM tender_key", "UPDATE review SET outcome = outcome"):
        async with refused("append_only"), keeping.as_owner(superuser):
            await superuser.execute("SET LOCAL market.rewrapping = 'on'")
            await superuser.execute(statement)


async def test_the_app_role_cannot_say_that_it_rewraps(world: World, app_role: Any) -> None:
    tender = await published_tender(world)
    async with acting(app_role, tender.manager.id):
        await app_role.execute("SET LOCAL market.rewrapping = 'on'")
        async with not_granted():
            await app_role.execute("UPDATE tender_key SET wrapped_key = wrapped_key")
    for statement in (
        "INSERT INTO signing_key (id, public_key) VALUES (gen_random_uuid(), sha256(''))",
        "INSERT INTO key_act (id, act, keys, failed) VALUES (gen_random_uuid(), 'backup', 1, 0)",
        "INSERT INTO retired_wrapping_key (id, key_id) VALUES (gen_random_uuid(), 'old')",
        "SELECT * FROM retired_wrapping_key",
        "SELECT rewrapping()",
    ):
        async with not_granted():
            await app_role.execute(statement)


async def test_nothing_is_wrapped_under_a_key_that_was_put_out_of_use(
    world: World, superuser: Any
) -> None:
    person = await answerable(world)
    made = await webhook(person, "https://hooks.example/one")
    with pytest.raises(KeyStillNeeded, match="1 secrets are wrapped under 'old'"):
        await keeping.retire(superuser, KEPT, "old")
    assert (await keeping.rewrap(superuser, ROTATED, WEBHOOKS)).done == 1
    await keeping.retire(superuser, KEPT, "old")
    await keeping.retire(superuser, KEPT, "old")
    answer = await person.post(f"/organisations/{person.organisation}/webhooks", {
        "url": "https://hooks.example/two"
    })  # fmt: skip
    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "/problems/key-out-of-use"
    async with refused("wrapping_key_in_force"), keeping.as_owner(superuser):
        await superuser.execute("SET LOCAL market.rewrapping = 'on'")
        await superuser.execute(
            "UPDATE webhook_secret SET wrapped = $1", world.vault.custodian.keep(b"x", b"y")
        )
    assert made["id"]
    events = await superuser.fetch(
        "SELECT action FROM event WHERE request = 'keys' ORDER BY serial"
    )
    assert [row[0] for row in events] == ["keys.rewrapped", "wrapping_key.retired"]


async def test_a_signing_key_is_written_down_once(superuser: Any, vault: Vault) -> None:
    for _ in range(2):
        await keeping.record_signing_keys(superuser, vault)
    rows = await superuser.fetch("SELECT public_key FROM signing_key")
    assert [row[0] for row in rows] == [vault.signing_key.public()]
    assert await superuser.fetchval("SELECT count(*) FROM event WHERE request = 'keys'") == 1
    async with refused("append_only"), keeping.as_owner(superuser):
        await superuser.execute("DELETE FROM signing_key")
    await keeping.record_act(superuser, "rehearsal", keys=4, failed=1)
    (act,) = await keeping.latest_acts(superuser)
    assert (act.act, act.keys, act.failed) == ("rehearsal", 4, 1)
