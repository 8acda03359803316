"""Letters about an award, laid out from one record: HTML and PDF both say what this says.

What a letter holds depends on the law that the tender was published under (`telling` of its rule
set). Regulation 86 of the
Public Contracts Regulations 2015 wants the characteristics and relative advantages of the winning
tender. Section 50 of the Procurement Act 2023 with regulation 31 of the Procurement Regulations
2024 wants an assessment summary: scores with their explanations, for the recipient's tender and,
where it was unsuccessful, for the winning one; no direct comparison.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from evaluation.rules.notice_content import (
    BidResult,
    CriterionResult,
    NoticeContent,
    NoticeCriterion,
    NoticeGroup,
    NoticeOutcome,
    Published,
)
from tenders.rules.rule_sets import LONDON, RULE_SETS, RuleSet, RuleSetName


class TableOfLetter(Struct, frozen=True, kw_only=True):
    """A table: the first cell of every row names the row."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(Struct, frozen=True, kw_only=True):
    """A part of a letter under a heading of its own."""

    heading: str
    paragraphs: Sequence[str] = ()
    table: TableOfLetter | None = None


class Letter(Struct, frozen=True, kw_only=True):
    """A letter as a person reads it, in plain text: nothing in it is markup."""

    title: str
    made_at: datetime
    particulars: Sequence[tuple[str, str]]
    sections: Sequence[Section]


def letter_about(content: NoticeContent, sent_at: datetime) -> Letter:
    """Lay out what a bidder was told, in the form that its tender's rule set wants.

    Every word and figure of a tender is the notice's own; nothing is computed here, so a letter
    cannot disagree with the record.
    Source: Public Contracts Regulations 2015, regulation 86(2); Procurement Act 2023, section 50;
    Procurement Regulations 2024, regulation 31.
    """
    law = RULE_SETS[RuleSetName(content.rule_set)]
    return Letter(
        title=f"{law.telling.title}: {content.reference}, lot {content.lot}",
        made_at=sent_at,
        particulars=_particulars(content, sent_at, law),
        sections=[
            Section(heading="The decision", paragraphs=[content.decision]),
            *judged_by(content),
            *_own(content),
            *_winning(content),
            *(_compared(content) if law.telling.compares else ()),
            Section(
                heading="The standstill",
                paragraphs=[f"{content.standstill} ({law.title}.)"],
            ),
        ],
    )


def _particulars(
    content: NoticeContent, sent_at: datetime, law: RuleSet
) -> Sequence[tuple[str, str]]:
    variant = [("Your variant", str(content.variant))] if content.variant else []
    return [
        ("To", content.recipient),
        *variant,
        ("Tender", f"{content.reference}, {content.title}"),
        ("Lot", f"{content.lot}, {content.lot_title}"),
        ("From", ", ".join(content.buyers)),
        ("Sent", spoken_time(sent_at)),
        ("Under", law.telling.law),
    ]


def spoken_time(moment: datetime) -> str:
    """Write a moment as people in London read it."""
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%B %Y}, {local:%H:%M} London time"


def judged_by(content: Published) -> Sequence[Section]:
    """Lay out how tenders were judged: weights, minima, method and scale."""
    method = (
        f"Quality counts for {content.quality_weight} and price for {content.price_weight}"
        f" points out of 100. At least {content.minimum_quality} per cent of the points for"
        f" quality were needed. The score {content.highest} earns the whole weight of a criterion."
        f" Method of award: {content.method}, version {content.method_version}; rule for ties:"
        f" {content.tie_rule}."
    )
    return [
        Section(
            heading="How tenders were assessed",
            paragraphs=[method, *(_grouped(group) for group in content.groups)],
            table=TableOfLetter(
                caption="Criteria and their weights",
                header=("Criterion", "Title", "Weight in points", "Needed"),
                rows=[
                    (leaf.code, leaf.title, leaf.weight, _needed(leaf)) for leaf in content.criteria
                ],
            ),
        ),
        Section(
            heading="The scale",
            table=TableOfLetter(
                caption="Scores that could be given, and what each means",
                header=("Score", "Title", "Meaning"),
                rows=[(step.value, step.title, step.descriptor) for step in content.scale],
            ),
        ),
    ]


def _grouped(group: NoticeGroup) -> str:
    return (
        f"{group.code}, {group.title}, counts for {group.weight} points, made of"
        f" {', '.join(group.criteria)}."
    )


def _needed(leaf: NoticeCriterion) -> str:
    if leaf.pass_fail:
        return "to be passed"
    return "" if leaf.minimum is None else f"at least {leaf.minimum}"


def titles_of(content: Published) -> Mapping[str, str]:
    """The titles of criteria by code, groups of them too."""
    return {
        **{leaf.code: leaf.title for leaf in content.criteria},
        **{group.code: group.title for group in content.groups},
    }


def _own(content: NoticeContent) -> Sequence[Section]:
    if content.own is None:
        return ()
    caption = "Your scores, and the reasons for them"
    return [scored("Your tender", caption, titles_of(content), content.own)]


def _winning(content: NoticeContent) -> Sequence[Section]:
    if content.outcome is NoticeOutcome.SUCCESSFUL or content.winning is None:
        return ()
    variant = f", variant {content.winning_variant}" if content.winning_variant else ""
    return [
        scored(
            f"The successful tender: {content.winner}{variant}",
            "The successful tender's scores, and the reasons for them",
            titles_of(content),
            content.winning,
        )
    ]


def scored(heading: str, caption: str, titles: Mapping[str, str], result: BidResult) -> Section:
    """Lay out a tender's sums, its scores and the reasons for them."""
    quality = (
        f"Quality: {result.quality_points.display} points,"
        f" {result.quality_percentage.display} per cent of those for quality."
    )
    sums = [quality]
    sums += [
        f"{one.criterion} {titles[one.criterion]}: {one.points.display} points."
        for one in result.subtotals
    ]
    if result.price is not None:
        sums.append(f"Price: {result.price.amount} {result.price.currency}.")
    if result.price_points is not None:
        sums.append(f"Points for price: {result.price_points.display}.")
    if result.total is not None:
        sums.append(f"Total: {result.total.display}.")
    if result.place is not None:
        sums.append(f"Place: {result.place}.")
    return Section(
        heading=heading,
        paragraphs=[" ".join(sums)],
        table=TableOfLetter(
            caption=caption,
            header=("Criterion", "Score", "Points", "Reason"),
            rows=[
                (
                    f"{score.criterion} {titles[score.criterion]}",
                    _given(score),
                    score.points.display,
                    score.reason.strip(),
                )
                for score in result.scores
            ],
        ),
    )


def _given(score: CriterionResult) -> str:
    return score.value if score.level is None else f"{score.value} ({score.level})"


def _compared(content: NoticeContent) -> Sequence[Section]:
    if not content.relative_advantages:
        return ()
    return [
        Section(
            heading="Characteristics and relative advantages of the successful tender",
            paragraphs=content.relative_advantages,
        )
    ]
