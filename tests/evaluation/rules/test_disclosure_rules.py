"""Redaction by rule: nothing of others in a bidder's bundle, nothing lost from a court's."""

import copy
import hashlib
import io
import json
import zipfile
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.archive import archive, json_file
from evaluation.rules.bundle import bundle_of
from evaluation.rules.disclosure import (
    MEANING,
    Naming,
    Recipient,
    Redaction,
    Rule,
    Ruling,
    redacted,
)
from evaluation.rules.phrases import Numbers, Quotations
from tests.makers.records import (
    EVALUATORS,
    PEOPLE,
    OfferMade,
    organisation,
    pseudonym,
    record_of_bids,
)

COURT = Ruling(recipient=Recipient.COURT, evaluators=Naming.NAMED)

# letters that stand nowhere else in a record, so that finding one is finding the bid
LETTERS = st.text("ÆØÅŒÞ", min_size=12, max_size=30)
PRICES = st.integers(100_001, 99_999_999).map(lambda pence: f"{pence // 100}.{pence % 100:02}")


@st.composite
def offers(draw: st.DrawFn) -> list[OfferMade]:
    """Two to four bids, no two alike; the panel may speak of any bid in its words on any other."""
    count = draw(st.integers(2, 4))
    words = draw(st.lists(LETTERS, min_size=2 * count, max_size=2 * count, unique=True))
    prices = draw(st.lists(PRICES, min_size=count, max_size=count, unique=True))
    made = []
    for place in range(count):
        spoken = draw(st.integers(0, count - 1))
        reason = draw(
            st.sampled_from(
                [
                    "Meets the need with evidence.",
                    f"Answers less fully than £{prices[spoken]} would let one hope.",
                    f"Unlike another it says: {words[spoken]}",
                    f"Weaker than ÆÆÆ-{words[count + spoken]} in this.",
                ]
            )
        )
        made.append(
            OfferMade(
                supplier=f"ÆÆÆ-{words[count + place]}",
                unit_price=prices[place],
                quotation=words[place],
                reason=reason,
            )
        )
    return made


@given(bids=offers(), place=st.integers(0, 3))
def test_a_bidder_s_bundle_never_holds_another_s_price_words_or_name(
    bids: list[OfferMade], place: int
) -> None:
    own = place % len(bids)
    ruling = Ruling(recipient=Recipient.BIDDER, organisation=organisation(own))
    made = bundle_of(record_of_bids(bids), ruling, checkpoint=None, events=[])
    text = made.content.decode(errors="replace")
    mine = bids[own]
    for other, bid in enumerate(bids):
        if other == own:
            continue
        assert bid.unit_price not in text
        if bid.quotation not in mine.quotation + mine.supplier + bids[0].supplier:
            assert bid.quotation not in text
        if other > 0 and bid.supplier not in mine.supplier + bids[0].supplier + mine.quotation:
            assert bid.supplier not in text
            assert organisation(other) not in text


@given(bids=offers(), place=st.integers(0, 3))
def test_a_bidder_is_given_every_score_and_its_own_bid_whole(
    bids: list[OfferMade], place: int
) -> None:
    own = place % len(bids)
    record = record_of_bids(bids)
    ruling = Ruling(
        recipient=Recipient.BIDDER, organisation=organisation(own), evaluators=Naming.NAMED
    )
    found = redacted(record, ruling).record
    assert [score["value"] for score in found["scores"]] == ["5"] * 2 * len(bids)
    assert found["bids"][own] == record["bids"][own]
    assert found["rankings"][0]["bids"][own] == record["rankings"][0]["bids"][own]
    assert [row["place"] for row in found["rankings"][0]["bids"]] == [*range(1, len(bids) + 1)]


@given(bids=offers())
def test_with_nothing_to_withhold_the_bundle_is_the_record(bids: list[OfferMade]) -> None:
    record = record_of_bids(bids)
    before = copy.deepcopy(record)
    found = redacted(record, COURT)
    assert found.redactions == ()
    assert found.record == record == before


@given(bids=offers(), place=st.integers(0, 3), naming=st.sampled_from(Naming))
def test_everything_withheld_is_listed_where_it_was_and_nothing_else_changed(
    bids: list[OfferMade], place: int, naming: Naming
) -> None:
    record = record_of_bids(bids, interest="indirect")
    ruling = Ruling(
        recipient=Recipient.BIDDER,
        organisation=organisation(place % len(bids)),
        evaluators=naming,
    )
    found = redacted(record, ruling)
    withheld = Counter(_withheld(found.record))
    assert withheld == Counter((one.where, one.rule.value) for one in found.redactions)
    if naming is Naming.NAMED:
        shown = {path for path, _ in withheld}
        assert dict(_leaves(record, shown)) == dict(_leaves(dict(found.record), shown))
    assert {one.rule for one in found.redactions} <= MEANING.keys()


def _withheld(value: Any, where: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        if value.keys() == {"withheld"}:
            return [(where, value["withheld"])]
        return [
            found
            for key, item in value.items()
            for found in _withheld(item, f"{where}.{key}" if where else key)
        ]
    if isinstance(value, list):
        return [
            found
            for place, item in enumerate(value)
            for found in _withheld(item, f"{where}[{place}]")
        ]
    return []


def _leaves(value: Any, hidden: set[str], where: str = "") -> list[tuple[str, Any]]:
    if where in hidden:
        return []
    if isinstance(value, dict):
        return [
            found
            for key, item in value.items()
            for found in _leaves(item, hidden, f"{where}.{key}" if where else key)
        ]
    if isinstance(value, list):
        return [
            found
            for place, item in enumerate(value)
            for found in _leaves(item, hidden, f"{where}[{place}]")
        ]
    return [(where, value)]


TWO = (
    OfferMade(supplier="North Partners", unit_price="110.00", quotation="Six groups served now."),
    OfferMade(supplier="South Partners", unit_price="100.00", quotation="Two groups served then."),
)


def test_pseudonyms_stand_for_the_panel_alone_wherever_it_is_named() -> None:
    found = redacted(record_of_bids(TWO), Ruling(recipient=Recipient.COURT))
    people = {one["person"]: one["name"] for one in found.record["people"]}
    assert set(people) >= {"Evaluator 1", "Evaluator 2", "Evaluator 3"}
    assert "Hal Kemble" in people.values()
    assert {score["evaluator"] for score in found.record["scores"]} == {
        "Evaluator 1",
        "Evaluator 2",
    }
    assert found.record["agreed_scores"][0]["counted"] == ["Evaluator 1", "Evaluator 2"]
    assert found.record["agreed_scores"][0]["discussion"] == {"withheld": "evaluator_names"}
    text = json.dumps(found.record)
    for person in EVALUATORS:
        assert person not in text
        assert PEOPLE[person][0] not in text


@pytest.mark.parametrize("recipient", Recipient)
def test_what_is_declared_of_an_associate_goes_to_nobody(recipient: Recipient) -> None:
    ruling = Ruling(
        recipient=recipient,
        organisation=organisation(1) if recipient is Recipient.BIDDER else None,
        evaluators=Naming.NAMED,
    )
    found = redacted(record_of_bids(TWO, interest="indirect"), ruling)
    assert "Humphrey" not in json.dumps(found.record)
    where = {one.where for one in found.redactions if one.rule is Rule.ASSOCIATES}
    assert where == {"declarations[0].details", "declarations[1].details"}
    assert [one["interest"] for one in found.record["declarations"]] == ["indirect"] * 2


def test_of_an_own_interest_a_court_is_given_the_words_and_a_bidder_the_kind() -> None:
    record = record_of_bids(TWO, interest="financial")
    court = redacted(record, COURT)
    assert court.redactions == ()
    bidder = Ruling(
        recipient=Recipient.BIDDER, organisation=organisation(0), evaluators=Naming.NAMED
    )
    rules = {one.rule for one in redacted(record, bidder).redactions}
    assert Rule.INTERESTS_IN_WORDS in rules


def test_the_loser_is_told_what_the_winner_s_scores_were_for() -> None:
    """Known answer: two bids, the second's bundle."""
    ruling = Ruling(
        recipient=Recipient.BIDDER, organisation=organisation(1), evaluators=Naming.NAMED
    )
    found = redacted(record_of_bids(TWO), ruling)
    price, content = Rule.OTHERS_PRICES, Rule.OTHERS_CONTENTS
    assert found.redactions == (
        Redaction(where="awards[0].notices[0].digest", rule=price),
        Redaction(where="bids[0].participants", rule=content),
        Redaction(where="bids[0].prices", rule=price),
        Redaction(where="questions[0].answer", rule=content),
        Redaction(where="questions[0].question", rule=content),
        Redaction(where="rankings[0].bids[0].price", rule=price),
        Redaction(where="rankings[0].bids[0].price_points", rule=price),
        Redaction(where="rankings[0].bids[0].total", rule=price),
        Redaction(where="scores[0].evidence", rule=content),
        Redaction(where="scores[1].evidence", rule=content),
    )
    assert found.record["bids"][0]["supplier"] == "North Partners"
    assert found.record["agreed_scores"][0]["reason"] == TWO[0].reason
    assert pseudonym(0) == found.record["awards"][0]["pseudonym"]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("It costs £1,234.50 a year.", True),
        ("It costs 1234.5 a year.", True),
        ("It costs £ 1,234.50.", True),
        ("It costs 11234.50.", False),
        ("Page 7 of the answer.", False),
        ("It asks £7 an hour.", True),
        ("It asks 7.00 an hour.", True),
    ],
)
def test_a_price_is_found_however_it_is_written(text: str, stated: bool) -> None:  # noqa: FBT001  # a table
    assert Numbers(["1234.50", "7"]).are_in(text) is stated


def test_a_quotation_is_found_across_lines_and_in_part_but_not_by_a_few_words() -> None:
    quoted = Quotations(
        ["We run the same service for six groups of your size, since 2019.", "Yes."]
    )
    assert quoted.are_in("It says: we run the same\n service for six groups of your size.")
    assert not quoted.are_in("It runs the same service for six groups. Yes.")
    assert Quotations(["Six groups served."]).are_in("(Six groups  served.)")


def test_an_archive_s_bytes_follow_from_its_contents_alone() -> None:
    files = {"b.txt": b"two", "a.json": json_file({"b": 1, "a": "é"})}
    made = archive(files)
    assert made == archive(dict(reversed(files.items())))
    assert (
        hashlib.sha256(made).hexdigest()
        == "aae846501bc46df0ea9cfd4117b755fc5007188ad13c2dd9299dee1a73ea393d"
    )
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        assert opened.namelist() == ["a.json", "b.txt"]
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert json.loads(opened.read("a.json")) == {"a": "é", "b": 1}


def test_a_bidder_learns_of_another_s_challenge_and_low_price_that_there_was_one() -> None:
    record = record_of_bids(
        [
            OfferMade(supplier=name, unit_price=price, quotation=f"Quoted from {name}'s answer.")
            for name, price in (("First", "900"), ("Second", "1000"), ("Third", "100.25"))
        ]
    )
    grounds = (
        "Our answer on page four was overlooked by everybody.",
        "The winner cannot possibly deliver what it has promised.",
    )
    record["challenges"] = [
        {
            "number": number,
            "challenger": organisation(place),
            "grounds": grounds[number - 1],
            "reference": None,
            "recorded_by": str(UUID(int=900 + place)),
            "outcome": "withdrawn",
            "reason": "The further reasons answer it.",
            "ended_by": str(UUID(int=900 + place)),
        }
        for number, place in ((1, 1), (2, 2))
    ]
    record["low_price_decisions"] = [
        {"pseudonym": pseudonym(2), "outcome": "rejected", "reason": "It did not explain it."}
    ]
    record["questions"][2]["about"] = "low_price"
    record["awards"][0]["checks"] = [
        {"participant": None, "reason": "Its accounts say so.", "evidence": "Accounts of 2029."}
    ]
    ruling = Ruling(recipient=Recipient.BIDDER, organisation=organisation(1))
    given = redacted(record, ruling).record
    own, another = given["challenges"]
    assert own == record["challenges"][0]
    assert another == record["challenges"][1] | {
        "challenger": {"withheld": "others_names"},
        "grounds": {"withheld": "others_contents"},
        "recorded_by": {"withheld": "others_names"},
        "reason": {"withheld": "words_on_others"},
        "ended_by": {"withheld": "others_names"},
    }
    (decision,) = given["low_price_decisions"]
    assert decision["outcome"] == decision["reason"] == {"withheld": "others_prices"}
    assert given["questions"][2]["about"] == {"withheld": "others_prices"}
    (check,) = given["awards"][0]["checks"]
    assert check["reason"] == check["evidence"] == {"withheld": "others_contents"}
    assert redacted(record, COURT).record == record
