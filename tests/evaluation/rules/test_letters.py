"""Letters as golden texts, hostile words in them, and their agreement with the record."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from html import escape, unescape
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.award_errors import LettersBusy, LetterTooLong
from evaluation.routes import letter_forms
from evaluation.routes.letter_forms import letter_page, letter_pdf
from evaluation.rules.exact import Exact
from evaluation.rules.legible import legible
from evaluation.rules.letters import Letter, letter_about
from evaluation.rules.notice_content import Agreed, DecidedBid, NoticeContent
from evaluation.rules.notices import notice_for
from tenders.rules.rule_sets import RuleSetName
from tests.evaluation.rules.test_notices import AWARD, LOW, SECOND, WINNER

SENT = datetime(2026, 7, 3, 9, 30, tzinfo=UTC)
GOLDEN = Path(__file__).with_name("letters.txt")
BIDS = {
    "the winner": WINNER,
    "unsuccessful": SECOND,
    "a variant": msgspec.structs.replace(SECOND, variant=1),
    "below the minimum": LOW,
    "not opened": msgspec.structs.replace(
        LOW, agreed={}, quality_points=Fraction(0), failure="It does not open."
    ),
    "below the minimum of a criterion": msgspec.structs.replace(
        LOW, failed_because=["below_minimum:Q1", "minimum_quality"]
    ),
    "dropped out": msgspec.structs.replace(
        LOW, passed=True, dropped_out="The supplier withdrew by its letter of 3 March."
    ),
    "without a price": msgspec.structs.replace(LOW, passed=True, failure="Its price is missing."),
}
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
HOSTILE = (
    '#read("/etc/passwd")',
    "<script>alert(1)</script>",
    "\u202eabc\u2066 $x$ *b* ] } \\ // /* @a <b>",
    "\x01\x07\x1b[31m\x7f\u0085\ufeff\u200f\ufffe\U000e0041 tabs\tand\r\nlines",
    "Ωμέγα Ърл 中文 עברית 🏥 \U000f0000 ﷺ",
    "word " * 4000,
)


def content(bid: DecidedBid, rule_set: RuleSetName = RuleSetName.PCR_2015) -> NoticeContent:
    award = msgspec.structs.replace(AWARD, rule_set=rule_set.value)
    return notice_for(award, bid, wins=bid is WINNER)


def told(letter: Letter) -> str:
    """A letter as plain lines."""
    lines = [letter.title, *(f"{name}: {said}" for name, said in letter.particulars)]
    for part in letter.sections:
        lines += ["", f"## {part.heading}", *part.paragraphs]
        if part.table is not None:
            rows: Sequence[Sequence[str]] = [part.table.header, *part.table.rows]
            lines += [part.table.caption, *(" | ".join(row) for row in rows)]
    return "\n".join(lines)


def test_letters_are_as_they_were_read_and_approved() -> None:
    written = "\n\n".join(
        f"==== {rule_set}: {case}\n{told(letter_about(content(bid, rule_set), SENT))}"
        for rule_set in RuleSetName
        for case, bid in BIDS.items()
    )
    assert f"{written}\n" == GOLDEN.read_text(encoding="utf-8")


def test_an_assessment_summary_compares_nothing_and_a_notice_of_2015_does() -> None:
    notice = told(letter_about(content(SECOND), SENT))
    summary = told(letter_about(content(SECOND, RuleSetName.PROCUREMENT_ACT_2023), SENT))
    assert "relative advantages" in notice
    assert "advantage" not in summary
    assert "regulation 31" in summary
    for agreed in (*WINNER.agreed.values(), *SECOND.agreed.values()):
        assert agreed.reason.strip() in summary


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_somebody_wrote_is_never_markup(hostile: str) -> None:
    agreed = {code: Agreed(value=Decimal(5), reason=hostile) for code in ("Q1", "Q2")}
    bid = msgspec.structs.replace(SECOND, supplier=hostile[:90], agreed=agreed)
    letter = letter_about(content(bid), SENT)
    page = letter_page(letter)
    assert "<script" not in page
    shown = legible(letter).sections[3].table
    assert shown is not None
    assert f"<bdi>{escape(shown.rows[0][-1])}</bdi>" in page
    assert not HIDDEN.search(page)
    first, again = (asyncio.run(letter_pdf(letter)) for _ in range(2))
    assert first.startswith(b"%PDF-")
    assert first == again


def test_a_letter_of_any_length_is_a_page_and_not_a_pdf() -> None:
    bid = msgspec.structs.replace(SECOND, supplier="x" * 2_000_001)
    letter = letter_about(content(bid), SENT)
    assert "x" * 2_000_001 in letter_page(letter)
    with pytest.raises(LetterTooLong):
        asyncio.run(letter_pdf(letter))


def test_a_mark_of_direction_in_a_name_turns_no_figure_round() -> None:
    bid = msgspec.structs.replace(WINNER, supplier="Evil\u202e Limited")
    award = msgspec.structs.replace(AWARD, winner=bid)
    page = letter_page(letter_about(notice_for(award, SECOND, wins=False), SENT))
    assert "awarded to Evil[U+202E] Limited, whose tender has 83.33 points" in page


async def test_of_many_letters_some_wait_and_others_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letter_forms, "_MOST_WAITING", 3)
    letter = letter_about(content(SECOND), SENT)
    answers = await asyncio.gather(*(letter_pdf(letter) for _ in range(5)), return_exceptions=True)
    made = {one for one in answers if isinstance(one, bytes)}
    assert len(made) == 1
    assert [type(one) for one in answers[3:]] == [LettersBusy] * 2
    assert await letter_pdf(letter) in made


async def test_a_letter_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_forms, "_PATIENCE", 0.01)
    with pytest.raises(LettersBusy):
        await letter_pdf(letter_about(content(SECOND), SENT))


async def test_a_letter_that_cannot_be_set_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no')", encoding="utf-8")
    monkeypatch.setattr(letter_forms, "_SCRIPT", broken)
    with pytest.raises(RuntimeError, match="was not set: no"):
        await letter_pdf(letter_about(content(SECOND), SENT))


values = st.integers(0, 10).map(Decimal)


@st.composite
def bids(draw: st.DrawFn, supplier: str, place: int) -> DecidedBid:
    """A ranked bid whose price no other figure can be mistaken for."""
    agreed = {
        code: Agreed(value=draw(values), reason=f"{supplier} on {code}.") for code in ("Q1", "Q2")
    }
    quality = Fraction(agreed["Q1"].value) * 4 + Fraction(agreed["Q2"].value) * 2
    points = draw(st.fractions(0, 40, max_denominator=1000))
    return DecidedBid(
        supplier=supplier,
        agreed=agreed,
        quality_points=quality,
        passed=True,
        price=Decimal(7_000_000 + place) + draw(st.integers(0, 99)) * Decimal("0.01"),
        price_points=points,
        total=quality + points,
        place=place,
    )


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(bids("First Trust", 1), bids("Second Limited", 2), bids("Third Charity", 3)),
    st.sampled_from(RuleSetName),
)
def test_letter_page_and_record_never_disagree_nor_tell_of_another_loser(
    decided: tuple[DecidedBid, DecidedBid, DecidedBid], rule_set: RuleSetName
) -> None:
    winner = decided[0]
    award = msgspec.structs.replace(AWARD, winner=winner, rule_set=rule_set.value)
    for bid in decided:
        wins = bid is winner
        letter = letter_about(notice_for(award, bid, wins=wins), SENT)
        text, page = told(letter), unescape(letter_page(letter))
        for shown in (bid, winner):
            assert shown.total is not None
            assert shown.price_points is not None
            assert f"Quality: {Exact.of(shown.quality_points).display} points" in text
            assert f"Points for price: {Exact.of(shown.price_points).display}." in text
            assert f"Total: {Exact.of(shown.total).display}. Place: {shown.place}." in text
        for part in letter.sections:
            assert all(said in page for said in part.paragraphs)
            cells = part.table.rows if part.table is not None else ()
            assert all(cell in page for row in cells for cell in row)
        for other in decided:
            if other is not bid:
                assert f"{other.price}" not in page
                assert (other.supplier in page) == (other is winner)
        assert "7,00" not in page
        assert f"Price: {bid.price:.2f} GBP" in text
