"""What of an evaluation's record a recipient is given: withheld by rule, and each time by which.

Nothing is blacked out by hand. The rules are printed with every bundle, and what was withheld is
listed with its rule, so that a court or a bidder can question the rule rather than trust the hand.
"""

import copy
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from evaluation.rules.phrases import Numbers, Quotations

Tree = MutableMapping[str, Any]
"""The record as JSON: what is withheld has no type of its own any more."""

PANEL: Final = frozenset({"quality_evaluator", "moderator", "price_evaluator"})
"""Whose names are left out where pseudonyms are ruled."""

_TEXTS: Final = frozenset(
    {
        "reason",
        "discussion",
        "because",
        "question",
        "answer",
        "details",
        "mitigation",
        "grounds",
        "evidence",
        "abandoned_because",
    }
)
_OF_PRICE: Final = ("price", "price_points", "total")


class Recipient(StrEnum):
    """To whom a bundle goes: a bidder of the lot, or a court and those it lets into its ring."""

    BIDDER = "bidder"
    COURT = "court"


class Naming(StrEnum):
    """How evaluators and moderators stand in a bundle."""

    NAMED = "named"
    PSEUDONYMS = "pseudonyms"


class Rule(StrEnum):
    """Why something is withheld."""

    OTHERS_PRICES = "others_prices"
    OTHERS_CONTENTS = "others_contents"
    OTHERS_NAMES = "others_names"
    WORDS_ON_OTHERS = "words_on_others"
    ASSOCIATES = "personal_data_of_associates"
    INTERESTS_IN_WORDS = "interests_in_words"
    EVALUATOR_NAMES = "evaluator_names"


MEANING: Final[Mapping[Rule, str]] = MappingProxyType(
    {
        Rule.OTHERS_PRICES: (
            "Prices of other bidders, and the points and totals from which they could be computed:"
            " Public Contracts Regulations 2015, regulation 21(1); Procurement Act 2023, section"
            " 94. The contract value of the award is published. Texts that state such a price are"
            " withheld whole."
        ),
        Rule.OTHERS_CONTENTS: (
            "What other bidders wrote: places quoted as evidence, questions about their bids with"
            " the answers, and grounds of their challenges; what a winner's verification found:"
            " Public Contracts Regulations 2015, regulation 21(1); Procurement Act 2023, section"
            " 94. Texts that quote such words are withheld whole."
        ),
        Rule.OTHERS_NAMES: (
            "Who bid and was not chosen: the market names the winner alone. Texts that name"
            " another are withheld whole."
        ),
        Rule.WORDS_ON_OTHERS: (
            "The panel's words about bids that are neither the recipient's nor the winner's; their"
            " scores are given. Of the winner they are given: its characteristics and relative"
            " advantages, regulation 86(2)(b); its explained scores, Procurement Regulations 2024,"
            " regulation 31."
        ),
        Rule.ASSOCIATES: (
            "What was declared of interests that are somebody else's, such as a partner's: personal"
            " data of a third person, who is no part of the procurement: UK GDPR, article 5(1)(c)."
        ),
        Rule.INTERESTS_IN_WORDS: (
            "The words in which people described their interests, and the guardian's reasons; kinds"
            " of interest, outcomes and mitigations are given."
        ),
        Rule.EVALUATOR_NAMES: (
            "Evaluators and moderators stand under pseudonyms, as was ruled for this bundle. Texts"
            " that name one are withheld whole."
        ),
    }
)


class Ruling(Struct, frozen=True, kw_only=True):
    """For whom a bundle is made; `organisation` is the bidder's id, where it is for one."""

    recipient: Recipient
    organisation: str | None = None
    evaluators: Naming = Naming.PSEUDONYMS


class Redaction(Struct, frozen=True, kw_only=True):
    """That something was withheld, where in the record, and by which rule."""

    where: str
    rule: Rule


class Redacted(Struct, frozen=True, kw_only=True):
    """A record as its recipient gets it, and everything that is not in it."""

    record: Mapping[str, Any]
    redactions: tuple[Redaction, ...]


def redacted(record: Mapping[str, Any], ruling: Ruling) -> Redacted:
    """Withhold from a record what its recipient is not given; the record itself stays as it is.

    In the place of what is withheld stands `{"withheld": rule}`. Of a bidder's bundle nothing that
    another offered, no price and no quotation, is left in any text; nothing is ever added.
    """
    tree: Tree = copy.deepcopy(dict(record))
    hand = _Hand()
    if ruling.recipient is Recipient.BIDDER:
        _for_bidder(tree, ruling.organisation, hand)
    _associates(tree, hand)
    if ruling.recipient is Recipient.BIDDER:
        _interests(tree, hand)
    if ruling.evaluators is Naming.PSEUDONYMS:
        tree = _under_pseudonyms(tree, hand)
    found = sorted(hand.done, key=lambda one: (one.where, one.rule))
    return Redacted(record=tree, redactions=tuple(found))


def parties(
    record: Mapping[str, Any], organisation: str | None
) -> tuple[frozenset[str], frozenset[str]]:
    """The pseudonyms of a bidder's own bids, and of those that were awarded with notice given."""
    own = {bid["pseudonym"] for bid in record["bids"] if bid["organisation"] == organisation}
    won = {award["pseudonym"] for award in record["awards"] if award["standstill"] is not None}
    return frozenset(own), frozenset(won)


class _Hand:
    """What withholds, and keeps the list of it."""

    def __init__(self) -> None:
        self.done: list[Redaction] = []

    def withhold(self, item: Tree, key: str, rule: Rule, where: str) -> None:
        """Withhold one value, unless there is nothing or it is withheld already."""
        value = item[key]
        if value is None or value in ("", []) or _is_withheld(value):
            return
        item[key] = {"withheld": rule.value}
        self.done.append(Redaction(where=f"{where}.{key}", rule=rule))


def _is_withheld(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"withheld"}


def _listed(tree: Tree, name: str) -> Iterator[tuple[str, Tree]]:
    for place, item in enumerate(tree[name]):
        yield f"{name}[{place}]", item


# -- other bidders --------------------------------------------------------------------------------


def _for_bidder(tree: Tree, organisation: str | None, hand: _Hand) -> None:
    own, won = parties(tree, organisation)
    others = {bid["pseudonym"] for bid in tree["bids"]} - own
    losing = others - won
    unnamed = {bid["organisation"] for bid in tree["bids"] if bid["pseudonym"] in losing} - {
        bid["organisation"] for bid in tree["bids"] if bid["pseudonym"] in own | won
    }
    names = [
        name
        for bid in tree["bids"]
        if bid["organisation"] in unnamed
        for name in (bid["supplier"], *(one["name"] for one in bid["participants"]))
    ]
    prices = Numbers(_prices(tree, others))
    contents = Quotations(_contents(tree, others, organisation))
    _figures_of(tree, others, hand)
    _words_on(tree, others, losing, hand)
    _drop_outs_of(tree, others, hand)
    _low_prices_of(tree, others, hand)
    _challenges_of(tree, organisation, unnamed, hand)
    _checks_of(tree, others, hand)
    _names_of(tree, others, unnamed, hand)
    for where, item, key in _texts(tree):
        if prices.are_in(item[key]):
            hand.withhold(item, key, Rule.OTHERS_PRICES, where)
        elif contents.are_in(item[key]):
            hand.withhold(item, key, Rule.OTHERS_CONTENTS, where)
        elif _named(item[key], names):
            hand.withhold(item, key, Rule.OTHERS_NAMES, where)


def _names_of(tree: Tree, others: Collection[str], unnamed: Collection[str], hand: _Hand) -> None:
    for where, item in _listed(tree, "bids"):
        if item["organisation"] in unnamed:
            hand.withhold(item, "supplier", Rule.OTHERS_NAMES, where)
            hand.withhold(item, "organisation", Rule.OTHERS_NAMES, where)
    for name in ("declarations", "conflict_decisions"):
        for where, item in _listed(tree, name):
            if item["bidder"] in unnamed:
                hand.withhold(item, "bidder", Rule.OTHERS_NAMES, where)
    for where, award in _listed(tree, "awards"):
        for at, notice in _listed(award, "notices"):
            if notice["recipient"] in unnamed:
                hand.withhold(notice, "recipient", Rule.OTHERS_NAMES, f"{where}.{at}")
            if notice["pseudonym"] in others:
                # whoever knows all of a notice but the price could try prices on its digest
                hand.withhold(notice, "digest", Rule.OTHERS_PRICES, f"{where}.{at}")


def _figures_of(tree: Tree, others: Collection[str], hand: _Hand) -> None:
    for where, bid in _listed(tree, "bids"):
        if bid["pseudonym"] in others:
            hand.withhold(bid, "prices", Rule.OTHERS_PRICES, where)
            hand.withhold(bid, "participants", Rule.OTHERS_CONTENTS, where)
    for where, ranking in _listed(tree, "rankings"):
        for at, row in _listed(ranking, "bids"):
            for key in _OF_PRICE if row["pseudonym"] in others else ():
                hand.withhold(row, key, Rule.OTHERS_PRICES, f"{where}.{at}")


def _words_on(tree: Tree, others: Collection[str], losing: Collection[str], hand: _Hand) -> None:
    for where, score in _listed(tree, "scores"):
        if score["pseudonym"] in others:
            hand.withhold(score, "evidence", Rule.OTHERS_CONTENTS, where)
    for where, question in _listed(tree, "questions"):
        for key in ("question", "answer") if question["pseudonym"] in others else ():
            hand.withhold(question, key, Rule.OTHERS_CONTENTS, where)
    for name, keys in (
        ("scores", ("reason",)),
        ("agreed_scores", ("reason", "discussion")),
        ("dissents", ("reason",)),
    ):
        for where, item in _listed(tree, name):
            for key in keys if item["pseudonym"] in losing else ():
                hand.withhold(item, key, Rule.WORDS_ON_OTHERS, where)


def _drop_outs_of(tree: Tree, others: Collection[str], hand: _Hand) -> None:
    followed = set()
    for where, gone in _listed(tree, "drop_outs"):
        if gone["pseudonym"] in others:
            followed.add(gone["ranking"] + 1)
            hand.withhold(gone, "reason", Rule.WORDS_ON_OTHERS, where)
    for where, ranking in _listed(tree, "rankings"):
        if ranking["number"] in followed:
            hand.withhold(ranking, "because", Rule.WORDS_ON_OTHERS, where)


def _low_prices_of(tree: Tree, others: Collection[str], hand: _Hand) -> None:
    for where, decision in _listed(tree, "low_price_decisions"):
        for key in ("outcome", "reason") if decision["pseudonym"] in others else ():
            hand.withhold(decision, key, Rule.OTHERS_PRICES, where)
    for where, question in _listed(tree, "questions"):
        if question["pseudonym"] in others and question["about"] == "low_price":
            hand.withhold(question, "about", Rule.OTHERS_PRICES, where)


def _challenges_of(
    tree: Tree, organisation: str | None, unnamed: Collection[str], hand: _Hand
) -> None:
    for where, one in _listed(tree, "challenges"):
        if one["challenger"] == organisation:
            continue
        hand.withhold(one, "grounds", Rule.OTHERS_CONTENTS, where)
        hand.withhold(one, "reference", Rule.OTHERS_CONTENTS, where)
        hand.withhold(one, "reason", Rule.WORDS_ON_OTHERS, where)
        if one["challenger"] in unnamed:
            for key in ("challenger", "recorded_by"):
                hand.withhold(one, key, Rule.OTHERS_NAMES, where)
            if one["outcome"] == "withdrawn":
                hand.withhold(one, "ended_by", Rule.OTHERS_NAMES, where)


def _checks_of(tree: Tree, others: Collection[str], hand: _Hand) -> None:
    for where, award in _listed(tree, "awards"):
        for at, check in _listed(award, "checks"):
            for key in (
                ("participant", "reason", "evidence") if award["pseudonym"] in others else ()
            ):
                hand.withhold(check, key, Rule.OTHERS_CONTENTS, f"{where}.{at}")


def _prices(tree: Tree, of: Collection[str]) -> Iterator[str]:
    for bid in tree["bids"]:
        if bid["pseudonym"] in of:
            yield from (line["unit_price"] for line in bid["prices"] or ())
    for ranking in tree["rankings"]:
        yield from (row["price"] for row in ranking["bids"] if row["pseudonym"] in of)


def _contents(tree: Tree, of: Collection[str], organisation: str | None) -> Iterator[str]:
    for score in tree["scores"]:
        if score["pseudonym"] in of:
            yield from (one.get("quotation") or "" for one in score["evidence"])
    for question in tree["questions"]:
        if question["pseudonym"] in of:
            yield question["answer"] or ""
    for one in tree["challenges"]:
        if one["challenger"] != organisation:
            yield one["grounds"]


# -- people ---------------------------------------------------------------------------------------


def _associates(tree: Tree, hand: _Hand) -> None:
    indirect = {
        (one["person"], str(one["bidder"]))
        for one in tree["declarations"]
        if one["interest"] == "indirect"
    }
    for where, one in _listed(tree, "declarations"):
        if one["interest"] == "indirect":
            hand.withhold(one, "details", Rule.ASSOCIATES, where)
    for where, one in _listed(tree, "conflict_decisions"):
        if (one["person"], str(one["bidder"])) in indirect:
            hand.withhold(one, "reason", Rule.ASSOCIATES, where)


def _interests(tree: Tree, hand: _Hand) -> None:
    for name, key in (
        ("duty_declarations", "details"),
        ("declarations", "details"),
        ("conflict_decisions", "reason"),
    ):
        for where, one in _listed(tree, name):
            hand.withhold(one, key, Rule.INTERESTS_IN_WORDS, where)


def _under_pseudonyms(tree: Tree, hand: _Hand) -> Tree:
    """Put a pseudonym in place of every id of somebody on the panel, and withhold their names.

    They are numbered by their ids, which are random and say nothing of the names.
    """
    panel = sorted(one["person"] for one in tree["people"] if PANEL & set(one["duties"]))
    known = {person: f"Evaluator {place}" for place, person in enumerate(panel, 1)}
    names = [one["name"] for one in tree["people"] if one["person"] in known]
    for where, one in _listed(tree, "people"):
        if one["person"] in known:
            hand.withhold(one, "name", Rule.EVALUATOR_NAMES, where)
    for where, item, key in _texts(tree):
        if _named(item[key], names):
            hand.withhold(item, key, Rule.EVALUATOR_NAMES, where)
    replaced: Tree = _replaced(tree, known)
    return replaced


def _replaced(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


# -- texts ----------------------------------------------------------------------------------------


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, Tree, str]]:
    """Everything that somebody wrote, wherever it stands: its place, and how to get at it."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{where}[{place}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _TEXTS and isinstance(item, str):
                yield where, value, key
            elif key != "requirement":
                yield from _texts(item, f"{where}.{key}" if where else key)


def _named(text: str, names: Collection[str]) -> bool:
    lowered = text.casefold()
    return any(name.casefold() in lowered for name in names)
