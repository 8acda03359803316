"""What an amendment of a published tender may be: what it changes, and what follows from that."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from market.errors import Fault
from tenders.rules.requirement import Lot, Requirement, leaves
from tenders.rules.rule_sets import LONDON, end_of
from tenders.rules.timetable import LONGEST

WORDING: Final = frozenset({"title", "description", "question", "descriptor"})
"""The members of a requirement whose change may be a correction. Every other change is material.

The database holds the same (`without_wording`).
"""
_KEYS: Final = ("number", "code", "value", "up_to")
"""By what the members of a list are told apart, be it moved about: lots, criteria, the scale."""
_LEAST: Final = timedelta(days=6)


class Change(Struct, frozen=True, kw_only=True):
    """One difference between two requirements.

    `path` leads to it: `lots[1].criteria[Q2].weight`. Members of a list are named by their number,
    code or value; the path of the list itself gives their order. `before` or `after` is null where
    there is nothing. `wording` says that it may be a correction; every other change is material.
    """

    path: str
    before: str | None
    after: str | None
    wording: bool


def changes(earlier: Requirement, later: Requirement) -> list[Change]:
    """Find every difference, in the order of the earlier requirement, then what is added."""
    before, after = dict(_flat("", _plain(earlier))), dict(_flat("", _plain(later)))
    return [
        Change(
            path=path,
            before=before.get(path),
            after=after.get(path),
            wording=path.rpartition(".")[2] in WORDING,
        )
        for path in {**before, **after}
        if before.get(path) != after.get(path) or (path in before) != (path in after)
    ]


def must_be_material(found: Sequence[Change]) -> bool:
    """Say whether more than wording changes: then the amendment is material, whoever says what."""
    return any(not change.wording for change in found)


def earliest_deadline(amended: datetime) -> datetime:
    """Return the earliest deadline, in UTC, after a material amendment published at an instant.

    Six days, as Public Contracts Regulations 2015, regulation 47(3), has it for additional
    information; they are counted as the least time for tenders is, whole days in London after the
    day of the amendment. Raises `ValueError` for an instant without a time zone.
    """
    if amended.tzinfo is None:
        raise ValueError("The time of the amendment needs a time zone.")
    return end_of(amended.astimezone(LONDON).date() + _LEAST)


def form_of(lot: Lot, fixed_price: str | None = None) -> frozenset[tuple[str, str, str]]:
    """Return what a bid for the lot has to answer and to price.

    A bid made for a lot of the same form can be confirmed as it is; otherwise it must be replaced.
    Under a fixed price that price and the quantities are of the form.
    """
    answers = {("answer", criterion.code, "") for criterion in leaves(lot)}
    prices = {("price", item.code, item.unit) for item in lot.price_items}
    fixed = (
        {(f"fixed {fixed_price}", item.code, item.quantity) for item in lot.price_items}
        if fixed_price is not None
        else set()
    )
    return frozenset(answers | prices | fixed)


def new_forms(earlier: Requirement, later: Requirement) -> list[int]:
    """Return the numbers of the lots whose form changed. The lots themselves stay the same."""
    before, after = earlier.award_method.parameters.price, later.award_method.parameters.price
    forms = {lot.number: form_of(lot, before) for lot in earlier.lots}
    return [lot.number for lot in later.lots if forms.get(lot.number) != form_of(lot, after)]


def amendment_faults(  # noqa: PLR0913  # the facts of one decision, each by its name
    now: datetime,
    *,
    found: Sequence[Change] | None,
    keeps_lots: bool,
    material: bool,
    standing: datetime,
    deadline: datetime | None,
    contract_starts: date | None,
) -> Iterator[Fault]:
    """Find everything wrong with an amendment that is published at `now`.

    `found` is what the approved requirement changes, `None` where it is not taken; `standing` is
    the deadline until now, and `deadline` the new one. An extension alone is no material change.
    """
    if found is None and deadline is None:
        reason = "Give a later deadline, or take the changed requirement; this changes nothing."
        yield Fault(field="deadline", reason=reason)
    if found is not None and not found:
        reason = "The approved version says what is published already; there is nothing to take."
        yield Fault(field="takes_requirement", reason=reason)
    if not keeps_lots:
        reason = (
            "Lots, the service lines they are for and the variants they take stay as published."
            " Begin a new tender."
        )
        yield Fault(field="takes_requirement", reason=reason)
    substance = [change.path for change in found or () if not change.wording]
    if substance and not material:
        more = f" and {len(substance) - 1} more" if len(substance) > 1 else ""
        reason = (
            f"More than wording changes: {substance[0]}{more}. Say that the amendment is material;"
            " every bid is then confirmed or replaced."
        )
        yield Fault(field="material", reason=reason)
    yield from _deadline_faults(now, material, standing, deadline, contract_starts)


def _deadline_faults(
    now: datetime,
    material: bool,  # noqa: FBT001  # one of five facts, in the caller's order
    standing: datetime,
    deadline: datetime | None,
    contract_starts: date | None,
) -> Iterator[Fault]:
    earliest = earliest_deadline(now)
    lawful = f"the earliest lawful one is {earliest.isoformat()}, six whole days after today"
    if deadline is None:
        if material:
            reason = f"A material amendment needs a later deadline; {lawful}."
            yield Fault(field="deadline", reason=reason)
    elif deadline <= standing:
        reason = f"A deadline is only put off: choose a later one than {standing.isoformat()}."
        yield Fault(field="deadline", reason=reason)
    elif deadline - now > LONGEST:
        yield Fault(field="deadline", reason="The deadline is more than ten years ahead.")
    elif contract_starts is not None and contract_starts <= deadline.astimezone(LONDON).date():
        reason = f"The contract starts on {contract_starts.isoformat()}; the deadline is before."
        yield Fault(field="deadline", reason=reason)
    elif material and deadline < earliest:
        reason = f"That is too soon after a material amendment; {lawful}."
        yield Fault(field="deadline", reason=reason)


def keeps_lots(earlier: Requirement, later: Requirement) -> bool:
    """Say whether there are the same lots, for the same service lines, with the same variants."""
    one, other = (
        {lot.number: (frozenset(lot.service_lines), lot.variants) for lot in requirement.lots}
        for requirement in (earlier, later)
    )
    return one == other


def _plain(requirement: Requirement) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = msgspec.to_builtins(requirement)
    return plain


def _flat(path: str, part: Any) -> Iterator[tuple[str, str | None]]:
    """Give the leaves of plain JSON by their paths; a list of objects also gives its order."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from _flat(f"{path}.{name}" if path else str(name), value)
    elif isinstance(part, list | tuple):
        keys = [_key(item) for item in part]
        yield path, ", ".join(keys)
        for key, item in zip(keys, part, strict=True):
            if isinstance(item, Mapping):
                yield from _flat(f"{path}[{key}]", item)
    else:
        yield path, None if part is None else str(part)


def _key(item: object) -> str:
    if isinstance(item, Mapping):
        return next(str(item[name]) for name in _KEYS if name in item)
    return str(item)
