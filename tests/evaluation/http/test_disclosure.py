"""Disclosure in one act: what a recipient gets, what is withheld by which rule, and the proofs."""

import asyncio
import base64
import hashlib
import io
import json
import zipfile
from typing import Any

import httpx
import rfc8785

from market.actor import Role
from tests.evaluation.http.test_record import record_of
from tests.evaluation.recompute import rankings
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    awarded_lot,
    lot_to_score,
    notified_lot,
)
from tests.makers.log import keep_and_sign
from tests.makers.world import Person, World

WHY = "The bidder challenged the award by its letter of 4 May."
COURT = {
    "recipient": "court",
    "addressee": "Technology and Construction Court",
    "evaluators": "named",
    "reason": WHY,
}


def to_bidder(lot: EvaluatedLot, place: int, **changes: Any) -> dict[str, Any]:
    """Disclosure to one of the bidders."""
    organisation = str(lot.suppliers[place].organisation)
    return {"recipient": "bidder", "organisation": organisation, "reason": WHY, **changes}


async def disclose(
    lot: EvaluatedLot, body: dict[str, Any], person: Person | None = None
) -> httpx.Response:
    """Disclose the record, whatever the answer."""
    return await (person or lot.tender.manager).post(f"{lot.path}/disclosure-bundles", body)


async def bundle_of(lot: EvaluatedLot, body: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Disclose, and download what was made."""
    made = await disclose(lot, body)
    assert made.status_code == 201, made.text
    view: dict[str, Any] = made.json()
    path = f"{lot.path}/disclosure-bundles/{view['number']}"
    got = await lot.tender.manager.get(path)
    assert got.status_code == 200, got.text
    assert got.headers["content-type"] == "application/zip"
    return view, got.content


def files_in(content: bytes) -> dict[str, bytes]:
    """The files of a bundle."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """A refusal in short."""
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_a_bundle_for_the_court_is_the_record_whole(world: World) -> None:
    lot = await notified_lot(world)
    view, content = await bundle_of(lot, COURT)
    files = files_in(content)
    disclosed = json.loads(files["record.json"])
    record = await record_of(lot)
    # but that the disclosure is itself an act of the lot
    assert record["events"].pop()["action"] == "record.disclosed"
    assert disclosed == record
    assert view["redactions"] == 0
    assert json.loads(files["redactions.json"])["redactions"] == []
    assert rankings(disclosed)[0][lot.pseudonyms[0]][0] == 1


async def test_a_bidder_gets_every_score_and_neither_prices_nor_words_of_others(
    world: World,
) -> None:
    lot = await notified_lot(world)
    view, content = await bundle_of(lot, to_bidder(lot, 1))
    files = files_in(content)
    disclosed = json.loads(files["record.json"])
    first, own, failed = lot.pseudonyms
    assert len(disclosed["scores"]) == 18
    assert all(isinstance(score["value"], str) for score in disclosed["scores"])
    reasons = {score["pseudonym"]: score["reason"] for score in disclosed["agreed_scores"]}
    assert REASON in reasons[first]
    assert REASON in reasons[own]
    assert reasons[failed] == {"withheld": "words_on_others"}
    prices = {bid["pseudonym"]: bid["prices"] for bid in disclosed["bids"]}
    assert prices[own][0]["unit_price"] == "100.00"
    assert prices[first] == {"withheld": "others_prices"}
    names = {bid["pseudonym"]: bid["supplier"] for bid in disclosed["bids"]}
    assert isinstance(names[first], str)
    assert names[failed] == {"withheld": "others_names"}
    assert b"110.00" not in content
    assert b"110.0" not in content
    evaluators = {score["evaluator"] for score in disclosed["scores"]}
    assert len(evaluators) == 2
    assert all(name.startswith("Evaluator ") for name in evaluators)
    for person in (*lot.tender.quality_evaluators, lot.tender.moderator):
        assert str(person.id).encode() not in content
    listed = json.loads(files["redactions.json"])
    assert len(listed["redactions"]) == view["redactions"] > 10
    assert set(listed["rules"]) == {one["rule"] for one in listed["redactions"]}


async def test_what_evaluators_say_of_a_price_or_quote_from_another_is_withheld_whole(
    world: World,
) -> None:
    lot = await lot_to_score(world)
    first, second = lot.tender.quality_evaluators
    quoted = "We run the same service for six groups of your size."
    for evaluator in (first, second):
        await lot.score_all(evaluator)
        answer = await evaluator.post(
            f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/scores",
            {
                "criterion": "Q1.1",
                "value": "10",
                "reason": "Convincing in every part of the answer.",
                "evidence": [{"criterion": "Q1.1", "page": 2}],
            },
        )
        assert answer.status_code == 201, answer.text
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    for text in (
        f"It would cost £110.00 a month. {quoted}",
        "Dear at £110 a month, yet convincing.",
    ):
        answer = await lot.score(lot.tender.moderator, 0, "Q2", "5", text, kind="agreed-scores")
        assert answer.status_code == 201, answer.text
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    await lot.done(lot.tender.price_evaluator, "/evaluation/price-opening")
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    given_up = {"reason": "The need has gone away this year."}
    assert (await lot.act(lot.tender.manager, "/abandonment", given_up)).status_code == 201
    _, content = await bundle_of(lot, to_bidder(lot, 1))
    assert "£110".encode() not in content
    disclosed = json.loads(files_in(content)["record.json"])
    evidence = [
        score["evidence"]
        for score in disclosed["scores"]
        if score["pseudonym"] == lot.pseudonyms[0] and score["criterion"] == "Q1.1"
    ]
    assert {"withheld": "others_contents"} in evidence


async def test_the_same_bundle_has_the_same_bytes_and_its_digest_is_in_the_log(
    world: World, superuser: Any
) -> None:
    lot = await notified_lot(world)
    view, content = await bundle_of(lot, COURT)
    assert hashlib.sha256(content).hexdigest() == view["digest"]
    assert len(content) == view["size"]
    again = await lot.tender.manager.get(f"{lot.path}/disclosure-bundles/1")
    assert again.content == content
    row = await superuser.fetchrow(
        "SELECT e.details, v.details AS private FROM event e JOIN event_private v ON v.event = e.id"
        " WHERE e.action = 'record.disclosed'"
    )
    details = json.loads(row["details"])
    assert (details["digest"], details["number"]) == (view["digest"], 1)
    assert json.loads(row["private"]) == {"addressee": COURT["addressee"], "reason": WHY}
    reads = "SELECT count(*) FROM event WHERE action = 'disclosure_bundle.read'"
    assert await superuser.fetchval(reads) == 2


async def test_every_act_is_proven_against_a_signed_checkpoint(
    world: World, bench: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    await keep_and_sign(bench, superuser)
    view, content = await bundle_of(lot, COURT)
    files = files_in(content)
    proofs = json.loads(files["proofs.json"])
    assert len(proofs) == view["proofs"] > 30
    size = int(files["checkpoint.txt"].decode().splitlines()[1])
    root = files["checkpoint.txt"].decode().splitlines()[2]
    for proof in proofs:
        leaf = hashlib.sha256(b"\0" + rfc8785.dumps(proof["header"])).digest()
        assert leaf.hex() == proof["leaf_hash"]
        assert climbed(leaf, proof["header"]["position"] - 1, size, proof["path"]) == root
    told = {event["id"] for event in json.loads(files["record.json"])["events"]}
    assert {proof["header"]["id"] for proof in proofs} == told


def climbed(leaf: bytes, index: int, size: int, path: list[str]) -> str:
    """The root that an inclusion proof leads to: RFC 9162, section 2.1.3.2."""
    last, found = size - 1, leaf
    for one in map(bytes.fromhex, path):
        if index & 1 or index == last:
            found = hashlib.sha256(b"\1" + one + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + one).digest()
        index, last = index >> 1, last >> 1
    return base64.b64encode(found).decode()


async def test_nothing_is_disclosed_before_the_bidders_are_told(world: World) -> None:
    lot = await awarded_lot(world)
    assert problem(await disclose(lot, COURT)) == (409, "disclosed-too-early")


async def test_only_the_manager_discloses_and_only_to_who_bid(world: World) -> None:
    lot = await notified_lot(world)
    for person in (lot.tender.approvers[0], lot.tender.moderator):
        assert problem(await disclose(lot, COURT, person)) == (403, "duty-needed")
    stranger = {**to_bidder(lot, 0), "organisation": str(lot.tender.manager.organisation)}
    assert problem(await disclose(lot, stranger)) == (400, "recipient-did-not-bid")
    for wrong in (
        {**COURT, "addressee": None},
        {**to_bidder(lot, 0), "addressee": "A court"},
        {**COURT, "reason": " " * 30},
    ):
        assert (await disclose(lot, wrong)).status_code == 400


async def test_who_reads_the_record_reads_what_was_disclosed(world: World) -> None:
    lot = await notified_lot(world)
    made = (await disclose(lot, to_bidder(lot, 2))).json()
    auditor = await world.person("Audrey", lot.tender.manager.organisation, Role.AUDITOR)
    for reader in (lot.tender.approvers[0], auditor):
        listed = await reader.get(f"{lot.path}/disclosure-bundles")
        assert listed.json() == [made]
        assert (await reader.get(f"{lot.path}/disclosure-bundles/1")).status_code == 200
        assert (await reader.get(f"{lot.path}/disclosure-bundles/2")).status_code == 404
        assert (await reader.get(f"{lot.path}/disclosure-bundles/{10**30}")).status_code == 404
    assert (await lot.suppliers[2].get(f"{lot.path}/disclosure-bundles/1")).status_code == 404


async def test_bundles_made_at_once_have_numbers_of_their_own(world: World) -> None:
    lot = await notified_lot(world)
    made = await asyncio.gather(*(disclose(lot, to_bidder(lot, place)) for place in range(3)))
    assert {answer.status_code for answer in made} == {201}
    assert sorted(answer.json()["number"] for answer in made) == [1, 2, 3]


async def test_a_disclosure_is_an_act_that_the_manager_answers_for(world: World) -> None:
    lot = await notified_lot(world)
    assert (await disclose(lot, COURT)).status_code == 201
    report = (await lot.tender.guardian.get(f"{lot.tender.path}/assurance-report")).json()
    (act,) = [one for one in report["acts"] if one["act"] == "disclosed"]
    assert act["person"] == str(lot.tender.manager.id)
    assert "disclosed the record of the evaluation of lot 1" in act["sentence"]
    assert report["statement"]["acts_not_entitled"] == 0
