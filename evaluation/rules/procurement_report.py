"""The written report on a procurement: every item that the law lists, out of the record alone.

Nothing is typed for it. Where the record has nothing for an item, the item says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from evaluation.rules.exact import pounds, significant
from market.money import display
from tenders.rules.rule_sets import LONDON, RuleSetName

Record = Mapping[str, Any]

NOTHING: Final = "The record has nothing for this item."

_OPEN: Final = "The tender was published, and any supplier admitted to the market could bid for it"


class Title(Struct, frozen=True, kw_only=True):
    """What an item of the report is called by one law, and where that law asks for it."""

    title: str
    source: str


class ReportItem(Struct, frozen=True, kw_only=True):
    """An item of the report: what the record says of it, or, not `recorded`, that it does not."""

    item: str
    title: str
    source: str
    recorded: bool
    says: list[str]


def _regulation(item: str, title: str) -> Title:
    return Title(title=title, source=f"Public Contracts Regulations 2015, regulation 84(1)({item})")


def _act(sections: str, title: str) -> Title:
    return Title(title=title, source=f"Procurement Act 2023, section 98(1) with {sections}")


TITLES: Final[Mapping[RuleSetName, Mapping[str, Title]]] = MappingProxyType(
    {
        RuleSetName.PCR_2015: MappingProxyType(
            {
                "a": _regulation(
                    "a", "Contracting authority, subject-matter and value of the contract"
                ),
                "b": _regulation("b", "Tenderers selected and rejected, with the reasons"),
                "c": _regulation("c", "Tenders rejected as abnormally low"),
                "d": _regulation(
                    "d", "Successful tenderer, why it was selected, and what it subcontracts"
                ),
                "e": _regulation("e", "Why a procedure with negotiation or a dialogue was used"),
                "f": _regulation(
                    "f", "Why a negotiated procedure without prior publication was used"
                ),
                "g": _regulation("g", "Why no contract was awarded"),
                "h": _regulation("h", "Why tenders came in by other than electronic means"),
                "i": _regulation("i", "Conflicts of interest detected, and the measures taken"),
            }
        ),
        RuleSetName.PROCUREMENT_ACT_2023: MappingProxyType(
            {
                "a": _act("section 21", "Contracting authority, subject-matter and value"),
                "b": _act("sections 19(3) and 26", "Tenders assessed and disregarded, and why"),
                "c": _act("section 19(3)(c)", "Tenders disregarded as abnormally low"),
                "d": _act(
                    "sections 19 and 50", "The most advantageous tender, why, and subcontractors"
                ),
                "e": _act("section 20", "The competitive tendering procedure"),
                "f": _act("sections 41 to 44", "Direct award, and its justification"),
                "g": _act("section 55", "Termination of the procurement without an award"),
                "h": _act("section 96", "Electronic communications"),
                "i": _act("sections 81 to 83", "Conflicts of interest and how they were mitigated"),
            }
        ),
    }
)
"""What each law calls the same items; (a) to (i) are those of regulation 84(1)."""


def report_items(rule_set: RuleSetName, lots: Sequence[Record]) -> list[ReportItem]:
    """Answer every item of the law that governs a tender, from the records of its decided lots."""
    items = []
    for name, title in TITLES[rule_set].items():
        says = list(_ITEMS[name](lots))
        items.append(
            ReportItem(
                item=name,
                title=title.title,
                source=title.source,
                recorded=bool(says),
                says=says or [NOTHING],
            )
        )
    return items


# -- what lots say --------------------------------------------------------------------------------


def _each(of_lot: Callable[[Record], Iterator[str]]) -> Callable[[Sequence[Record]], Iterator[str]]:
    def of_all(lots: Sequence[Record]) -> Iterator[str]:
        for lot in lots:
            for sentence in of_lot(lot):
                yield f"Lot {lot['lot']}: {sentence}"

    return of_all


def _authority(lots: Sequence[Record]) -> Iterator[str]:
    for buyer in lots[0]["buyers"]:
        address = f", {buyer['address']}" if buyer["address"] else ""
        yield f"Contracting authority: {buyer['name']}{address}."
    for lot in lots:
        asked = lot["requirement"]["lot"]
        yield f"Lot {lot['lot']}: {lot['lot_title']}. {asked['description']}"
        value = _value(lot)
        if value is not None:
            yield f"Lot {lot['lot']}: contract value £{value}, over {asked['term_months']} months."
        else:
            estimated = asked["estimated_annual_value"]["amount"]
            yield f"Lot {lot['lot']}: estimated at £{estimated} a year; nothing is awarded."


def _selection(lot: Record) -> Iterator[str]:
    suppliers = _suppliers(lot)
    latest = max((one["round"] for one in lot["quality_decisions"]), default=1)
    for decision in (one for one in lot["quality_decisions"] if one["round"] == latest):
        who, points = suppliers[decision["pseudonym"]], _figure(decision["points"])
        if decision["passed"]:
            yield f"{who} was selected: {display(points)} quality points, every minimum met."
        else:
            because = "; ".join(_why(one, lot) for one in decision["failed_because"])
            yield f"{who} was rejected with {display(points)} quality points: {because}."
    for bid in lot["bids"]:
        if bid["price_failure"]:
            who = suppliers[bid["pseudonym"]]
            yield f"{who} was not ranked: its price envelope did not open ({bid['price_failure']})."
    for gone in lot["drop_outs"]:
        yield f"{suppliers[gone['pseudonym']]} dropped out: {gone['reason']}"


def _why(failing: str, lot: Record) -> str:
    kind, _, code = failing.partition(":")
    if kind == "failed":
        return f"it failed {code}, which is passed or failed"
    if kind == "below_minimum":
        return f"it is below the published minimum of {code}"
    if kind == "minimum_quality":
        minimum = lot["requirement"]["lot"]["minimum_quality"]
        return f"it does not reach the published minimum of {minimum} per cent"
    return "its quality envelope did not open"


def _success(lot: Record) -> Iterator[str]:
    award = _standing(lot)
    if award is None:
        return
    name = award["pseudonym"]
    who = _suppliers(lot)[name]
    row = _row(lot, name)
    first = "" if row is None else f" Its total is {significant(_figure(row['total']))}."
    yield f"{who} is the successful tenderer.{first}"
    chosen = next(one for one in lot["recommendations"] if one["number"] == award["recommendation"])
    yield f"Why it was selected: {chosen['reason']}"
    approved = [one for one in chosen["approvals"] if one["outcome"] == "approved"]
    lay = sum(one["lay"] for one in approved)
    yield f"{len(approved)} approvers decided so, {lay} of them lay members."
    bid = next(bid for bid in lot["bids"] if bid["pseudonym"] == name)
    parts = [one for one in bid["participants"] if one["role"] == "subcontractor"]
    if not parts:
        yield "It named no subcontractor."
    for part in parts:
        yield f"It intends to subcontract {part['share']} per cent to {part['name']}."
    buyers = {one["organisation"]: one["name"] for one in lot["buyers"]}
    for one in award["buyer_decisions"]:
        if not one["takes_part"]:
            yield f"{buyers[one['buyer']]} decided not to take part: {one['reason']}"
    for one in lot["contracts"]:
        value = pounds(Decimal(one["value"])).amount
        yield f"Contract {one['reference']}: {buyers[one['buyer']]}, £{value}."


def _no_award(lot: Record) -> Iterator[str]:
    if lot["stage"] == "abandoned":
        yield f"Nothing was awarded: {lot['abandoned_because'] or 'no reason is recorded.'}"


def _conflicts(lots: Sequence[Record]) -> Iterator[str]:
    told: dict[str, None] = {}  # what concerns the tender stands in the record of each lot
    for lot in lots:
        told.update(dict.fromkeys(_conflicts_in(lot)))
    yield from told


def _conflicts_in(lot: Record) -> Iterator[str]:
    people = {one["person"]: one["name"] for one in lot["people"]}
    bidders = {bid["organisation"]: bid["supplier"] for bid in lot["bids"]}
    for one in lot["declarations"]:
        if one["interest"] != "none":
            kind = one["interest"].replace("_", " ")
            yield (
                f"{people[one['person']]} declared an interest ({kind}) in"
                f" {bidders[one['bidder']]} on {_day(one['declared_at'])}."
            )
    for one in lot["conflict_decisions"]:
        outcome, measure = one["outcome"].replace("_", " "), one["mitigation"]
        yield (
            f"{people.get(one['decided_by'], 'The guardian')} decided on"
            f" {_day(one['decided_at'])} of {people[one['person']]} and"
            f" {bidders[one['bidder']]}: {outcome}.{f' {measure}' if measure else ''}"
        )
    for one in lot["exemptions"]:
        until = one["revoked_at"] or one["expires_at"]
        duties = " and ".join(duty.replace("_", " ") for duty in one["duties"])
        yield (
            f"{people[one['person']]} was let hold the duties {duties} from"
            f" {_day(one['granted_at'])} to {_day(until)}: {one['reason']}"
        )


def _low_prices(lot: Record) -> Iterator[str]:
    suppliers = _suppliers(lot)
    for one in lot["low_price_decisions"]:
        who = suppliers[one["pseudonym"]]
        if one["outcome"] == "rejected":
            yield f"{who} was rejected, its price being abnormally low: {one['reason']}"
        else:
            yield f"{who} explained a price that appeared abnormally low: {one['reason']}"


def _procedure(_: Sequence[Record]) -> Iterator[str]:
    yield f"There was neither negotiation nor dialogue. {_OPEN}: an open procedure, in one stage."


def _publication(_: Sequence[Record]) -> Iterator[str]:
    yield f"It was not used. {_OPEN}."


def _means(lots: Sequence[Record]) -> Iterator[str]:
    count = sum(len(lot["bids"]) for lot in lots)
    yield f"No other means were used: all {count} tenders came in electronically and sealed."


_ITEMS: Final[Mapping[str, Callable[[Sequence[Record]], Iterator[str]]]] = MappingProxyType(
    {
        "a": _authority,
        "b": _each(_selection),
        "c": _each(_low_prices),
        "d": _each(_success),
        "e": _procedure,
        "f": _publication,
        "g": _each(_no_award),
        "h": _means,
        "i": _conflicts,
    }
)


# -- reading a record -----------------------------------------------------------------------------


def _standing(lot: Record) -> Record | None:
    """The award that stands: one whose recommendation came of the last ranking."""
    if lot["stage"] == "abandoned" or not lot["rankings"]:
        return None
    if lot["rankings"][-1]["round"] != max((one["number"] for one in lot["rounds"]), default=1):
        return None  # it fell with its round, and the later one is not ranked yet
    latest = lot["rankings"][-1]["number"]
    of_latest = {one["number"] for one in lot["recommendations"] if one["ranking"] == latest}
    found: list[Record] = [one for one in lot["awards"] if one["recommendation"] in of_latest]
    return found[-1] if found else None


def _row(lot: Record, name: str) -> Record | None:
    rows = lot["rankings"][-1]["bids"]
    return next((row for row in rows if row["pseudonym"] == name), None)


def _value(lot: Record) -> str | None:
    award = _standing(lot)
    row = None if award is None else _row(lot, award["pseudonym"])
    return None if row is None else pounds(Decimal(row["price"])).amount


def _suppliers(lot: Record) -> dict[str, str]:
    return {
        bid["pseudonym"]: f"{bid['supplier']} ({bid['pseudonym']})"
        + (f", variant {bid['variant']}," if bid["variant"] else "")
        for bid in lot["bids"]
    }


def _figure(figure: Mapping[str, str]) -> Fraction:
    return Fraction(figure["numerator"]) / Fraction(figure["denominator"])


def _day(moment: str) -> str:
    day = datetime.fromisoformat(moment).astimezone(LONDON)
    return f"{day.day} {day:%B %Y}"
