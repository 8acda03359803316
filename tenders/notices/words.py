"""How letters say things: times in London, tenders and lots by their names, and where to look."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tenders.rules.rule_sets import LONDON

Facts = Mapping[str, Any]
Labelled = tuple[tuple[str, str], ...]

API: Final = "/api/v1"


def london(instant: str) -> str:
    """Say an instant of the facts as people in London read it: with weekday and zone.

    "Friday 5 February 2027, 12:00 noon (London time, GMT)". Seconds are told where there are any,
    and never rounded up: what is said to be the last moment is one.
    """
    local = datetime.fromisoformat(instant).astimezone(LONDON)
    time = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    if (local.hour, local.minute, local.second) == (12, 0, 0):
        time = "12:00 noon"
    elif (local.hour, local.minute, local.second) == (0, 0, 0):
        time = "00:00, as the day begins"
    return f"{local:%A} {local.day} {local:%B %Y}, {time} (London time, {local.tzname()})"


def day(date: str) -> str:
    """Say a civil date: "5 February 2027"."""
    at = datetime.fromisoformat(date)
    return f"{at.day} {at:%B %Y}"


def tender(facts: Facts) -> Labelled:
    """What every letter about a tender names it by."""
    return (
        ("Tender", str(facts["title"])),
        ("Reference", str(facts["reference"])),
        ("Buyer", str(facts["buyer"])),
    )


def lot(facts: Facts) -> Labelled:
    """What every letter about one lot names it by."""
    return (*tender(facts), ("Lot", f"{facts['lot']}: {facts['lot_title']}"))


def tender_path(facts: Facts, below: str = "") -> str:
    """Where the tender is found, or something below it."""
    return f"{API}/tenders/{facts['tender']}{below}"


def lot_path(facts: Facts, below: str = "") -> str:
    """Where a lot is found, or something below it."""
    return tender_path(facts, f"/lots/{facts['lot']}{below}")


def lots(numbers: Sequence[int]) -> str:
    """Say several lots: "lot 1", "lots 1, 2 and 3"."""
    if len(numbers) == 1:
        return f"lot {numbers[0]}"
    *first, last = map(str, numbers)
    return f"lots {', '.join(first)} and {last}"


def duty(facts: Facts) -> str:
    """Say the duty of the facts: "quality evaluator"."""
    return str(facts["duty"]).replace("_", " ")
