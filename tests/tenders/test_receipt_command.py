"""`market receipt verify`: away from the market, of real receipts and of every tampered one."""

import json
import signal
from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.background import Workbench
from market.cli import main
from market.signing import SigningKey
from market.transparency.exporting import export_tender
from market.transparency.keys import checkpoint_key
from tests.makers.bids import asked, bid_body, open_bids, some_suppliers, submit
from tests.makers.log import keep_and_sign
from tests.makers.participants import subcontractor
from tests.makers.sealed import by_the_client, sealed_body, send_sealed
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

Answer = dict[str, Any]
Export = Callable[[UUID], Awaitable[tuple[bytes, str]]]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that would stop any command that reads them."""
    monkeypatch.setenv("MARKET_PORT", "no port")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Desk:
    """A folder of files, and the command over them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys

    def file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def verify(self, receipt: Any, **options: Any) -> tuple[int, str]:
        """The exit status, and all that was said; files are named by their option."""
        arguments = ["receipt", "verify", self.file("receipt.json", receipt)]
        for name, content in options.items():
            option = f"--{name.replace('_', '-')}"
            plain = name == "log_key"
            arguments += [option, content if plain else self.file(f"{name}.json", content)]
        self.capsys.readouterr()
        status = main(arguments)
        told = self.capsys.readouterr()
        return status, told.out + told.err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]


@pytest.fixture
async def key(world: World) -> Answer:
    answer: Answer = (await world.public("/signing-keys")).json()
    return answer


@pytest.fixture
def export(superuser: Any, bench: Workbench) -> Export:
    """The record of a tender as of now, and the key that verifies it."""

    async def exported(tender: UUID) -> tuple[bytes, str]:
        await keep_and_sign(bench, superuser)
        log = checkpoint_key(bench.vault)
        made = await export_tender(superuser, [log.verifier], tender, ())
        return made.content, log.vkey

    return exported


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def test_receipts_of_a_bid_and_of_its_withdrawal_are_good(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    body = bid_body(asked(tender, 1), unit_prices="123.45")
    given = await submit(bidder, tender, 1, body)
    status, said = desk.verify(given, key=key, bid=body)
    assert status == 0, said
    lines = said.splitlines()
    assert lines[0] == "The receipt is good."
    assert f"version 1 of bid {given['bid']} of organisation {bidder.organisation}" in lines[1]
    assert lines[1].endswith("sealed on receipt by the server.")
    assert "rehearsal" in lines[2]
    assert lines[4:] == [
        "  good: The quality part is exactly what was received.",
        "  good: The price part is exactly what was received.",
        "  good: The participants part is exactly what was received.",
    ]
    alone = desk.verify(given["receipt"], key=key, bid=body, salts=given["salts"])
    assert alone == (0, said)
    gone = await bidder.delete(f"/bids/{given['bid']}", version=1, headers=keyed())
    status, said = desk.verify(gone.json(), key=key)
    assert status == 0, said
    assert "the bid was withdrawn at" in said
    status, said = desk.verify(gone.json(), key=key, bid=body, salts=given["salts"])
    assert status == 1
    assert "bad: A bid can only be compared with the receipt of a bid." in said


async def test_a_bid_sealed_by_the_documented_client_is_proved_with_its_own_salts(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    body = bid_body(asked(tender, 1), unit_prices="123.45")
    receipt, salts = await by_the_client(bidder, tender, body)
    status, said = desk.verify(receipt, key=key, bid=body, salts=salts)
    assert status == 0, said
    assert "sealed before sending by the supplier." in said
    swapped = {**salts, "quality": salts["price"], "price": salts["quality"]}
    status, said = desk.verify(receipt, key=key, bid=body, salts=swapped)
    assert status == 1
    assert said.count("or the salt is not its own") == 2


def _of(path: str, value: Any) -> Callable[[Answer], None]:
    *way, last = path.split(".")

    def change(given: Answer) -> None:
        for step in way:
            given = given[step]
        given[last] = value

    change.__name__ = path
    return change


CHANGES: tuple[Callable[[Answer], None], ...] = (
    _of("receipt.statement.received_at", "2026-11-22T10:00:00Z"),
    _of("receipt.statement.version", 2),
    _of("receipt.statement.variant", 1),
    _of("receipt.statement.supplier", str(uuid4())),
    _of("receipt.statement.price_commitment", "0" * 64),
    _of("receipt.statement.quality_sealed_digest", "0" * 64),
    _of("receipt.statement.sealing", "before sending by the supplier"),
    _of("receipt.statement.more", "than was signed"),
    _of("receipt.statement.kind", "withdrawal_receipt"),
    _of("receipt.statement.kind", "award"),
    _of("receipt.sandbox", False),  # noqa: FBT003  # what a rehearsal would be shown as
    _of("receipt.signature", "A" * 86 + "=="),
    _of("receipt.signature", "no base64"),
    _of("receipt.key_id", "another"),
    _of("receipt.algorithm", "none"),
    _of("receipt.extra", 1),
    _of("receipt", None),
)


async def test_a_receipt_with_anything_changed_is_not_good(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    given = await submit(bidder, tender, 1)
    for change in CHANGES:
        tampered = deepcopy(given)
        change(tampered)
        status, said = desk.verify(tampered, key=key)
        assert status == 1, (change.__name__, said)
        assert said.startswith("THE RECEIPT IS NOT GOOD.\n  bad: "), change.__name__
        assert "Traceback" not in said


async def test_another_key_is_not_the_markets_even_under_the_same_name(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    given = await submit(bidder, tender, 1)
    stranger = SigningKey.from_seed(b"s" * 32)
    forged = stranger.sign(given["receipt"]["statement"], sandbox=True)
    status, said = desk.verify(
        {**given["receipt"], "key_id": forged.key_id, "signature": forged.signature}, key=key
    )
    assert (status, "did not sign" in said) == (1, True)
    status, said = desk.verify({**given["receipt"], "signature": forged.signature}, key=key)
    assert (status, "does not belong" in said) == (1, True)
    other = {"keys": [{**key["keys"][0], "x": "A" * 43}]}
    status, said = desk.verify(given, key=other)
    assert (status, "another key" in said) == (1, True)


async def test_a_changed_bid_is_told_by_its_part(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    body = bid_body(asked(tender, 1), unit_prices="123.45")
    given = await submit(bidder, tender, 1, body)
    dearer = deepcopy(body)
    dearer["price"]["prices"][0]["unit_price"] = "123.46"
    status, said = desk.verify(given, key=key, bid=dearer)
    assert status == 1
    assert "good: The quality part is exactly what was received." in said
    assert "bad: The price part is not what was received" in said
    status, said = desk.verify(given, key=key, bid={"quality": body["quality"]})
    assert (status, "bad: The bid has no price part." in said) == (1, True)
    status, said = desk.verify(given, key=key, bid=b"\xff{")
    assert (status, "bad: The bid cannot be read" in said) == (1, True)
    status, said = desk.verify({**given, "salts": None}, key=key, bid=body)
    assert (status, "needs its salts" in said) == (1, True)


async def test_whom_a_bid_named_is_proved_and_a_change_of_them_told(
    desk: Desk, tender: PublishedTender, bidder: Person, key: Answer
) -> None:
    named = subcontractor("Small Analytics Ltd", "7654321", share="12.50")
    body = bid_body(asked(tender, 1)) | {"participants": [named]}
    given = await submit(bidder, tender, 1, body)
    status, said = desk.verify(given, key=key, bid=body)
    assert status == 0, said
    disclosed = {"exclusion_grounds": "grounds_disclosed", "details": "A fine.", "consents": True}
    for changed in (
        [],
        [{**named, "name": "Another Ltd"}],
        [{**named, "share": "12.5"}],
        [{**named, "declaration": disclosed}],
        [named, subcontractor("One more Ltd")],
    ):
        status, said = desk.verify(given, key=key, bid={**body, "participants": changed})
        assert status == 1, changed
        assert "bad: The participants part is not what was received" in said
        assert said.count("bad:") == 1
    unsalted = {**given, "salts": {**given["salts"], "participants": None}}
    status, said = desk.verify(unsalted, key=key, bid=body)
    assert (status, "bad: There is no salt for the participants part" in said) == (1, True)
    # of a bid that was sealed before sending, the market answers with this one salt
    lot = asked(tender, 2)
    sealed = await sealed_body(bidder, tender, bid_body(lot), lot=2)
    answer = await send_sealed(bidder, tender, {**sealed, "participants": [named]}, lot=2)
    salts = {"participants": answer.json()["salts"]["participants"]}
    bid = {"participants": [named]}
    status, said = desk.verify(answer.json()["receipt"], key=key, bid=bid, salts=salts)
    assert "good: The participants part is exactly what was received." in said
    status, said = desk.verify(answer.json(), key=key, bid=bid, salts={})
    assert "good: The participants part is exactly what was received." in said


async def test_what_became_of_a_bid_is_told_from_the_minutes_and_the_record(
    desk: Desk, world: World, tender: PublishedTender, key: Answer, export: Export
) -> None:
    good, failed, changed = await some_suppliers(world, 3)
    body = bid_body(asked(tender, 1))
    given = await submit(good, tender, 1, body)
    unopened = await send_sealed(
        failed, tender, await sealed_body(failed, tender, body, opens_for=2)
    )
    earlier = await submit(changed, tender, 1, body)
    later = await changed.put(f"/bids/{earlier['bid']}", body, version=1, headers=keyed())
    await open_bids(world, tender)
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    status, said = desk.verify(given, key=key, minutes=minutes)
    assert status == 0, said
    assert "good: The quality envelope was opened at " in said
    assert "good: The price envelope stood at the deadline, and is still sealed." in said
    status, said = desk.verify(unopened.json(), key=key, minutes=minutes)
    assert (status, "could not be used: The envelope does not open" in said) == (0, True)
    status, said = desk.verify(earlier, key=key, minutes=minutes)
    assert (status, said.count("bad: The minutes do not hold")) == (1, 2)
    status, said = desk.verify(given, key=key, minutes={**minutes, "tender": str(uuid4())})
    assert (status, "minutes of another tender" in said) == (1, True)
    swapped = deepcopy(minutes)
    for bid in swapped["lots"][0]["bids"]:
        bid["envelopes"][0]["commitment"] = "0" * 64
    status, said = desk.verify(given, key=key, minutes=swapped)
    assert (status, "give another commitment for the quality envelope" in said) == (1, True)

    record, log_key = await export(tender.id)
    with_record = {"key": key, "record": record, "log_key": log_key}
    status, said = desk.verify(given, **with_record)
    assert status == 0, said
    assert "good: The log holds it at position " in said
    status, said = desk.verify(earlier, **with_record)
    assert (status, "Version 2 of the same bid came later" in said) == (0, True)
    status, said = desk.verify(later.json(), **with_record)
    assert (status, "came later" in said) == (0, False)
    status, said = desk.verify(given, **{**with_record, "record": record.replace(b"bid", b"bit")})
    assert (status, "bad: The record of the tender is bad" in said) == (1, True)
    status, said = desk.verify(given, key=key, record=record)
    assert (status, "give --log-key" in said) == (1, True)
    status, said = desk.verify(given, **{**with_record, "log_key": "no key"})
    assert status == 1
    assert "Traceback" not in said


def test_a_file_that_is_no_receipt_and_one_that_is_missing_are_told_in_a_line(desk: Desk) -> None:
    keys: Answer = {"keys": []}
    for content in (b"", b"{}", b"[1]", b"\xff", b'"x"'):
        status, said = desk.verify(content, key=keys)
        assert (status, said.splitlines()[0]) == (1, "THE RECEIPT IS NOT GOOD.")
    assert main(["receipt", "verify", "/nowhere", "--key", "/nowhere"]) == 1
    status, said = desk.verify(b"{}", key=b"no keys")
    assert status == 1
