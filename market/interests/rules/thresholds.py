"""Gifts and hospitality: what each edition of the guidance asks for, as data, and departures."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct


class GiftKind(StrEnum):
    """What was offered. `promotional`: a low-cost branded thing; `travel` includes lodging."""

    GIFT = "gift"
    PROMOTIONAL = "promotional"
    MEAL = "meal"
    TRAVEL = "travel"
    OTHER = "other"


class GiftSource(StrEnum):
    """Who offered it: somebody who supplies or may supply the body, or anybody else."""

    SUPPLIER = "supplier"
    OTHER = "other"


class Expectation(StrEnum):
    """What the guidance asks for."""

    ACCEPT = "accept"
    ACCEPT_AND_DECLARE = "accept_and_declare"
    ORGANISATION_ONLY = "organisation_only"
    SENIOR_APPROVAL = "senior_approval"
    DECLINE = "decline"
    NONE_IN_FORCE = "none_in_force"


SENTENCES: Final[Mapping[Expectation, str]] = MappingProxyType(
    {
        Expectation.ACCEPT: "It may be accepted and need not be declared.",
        Expectation.ACCEPT_AND_DECLARE: "It may be accepted and must be declared.",
        Expectation.ORGANISATION_ONLY: (
            "It may be accepted only on behalf of the organisation, and must be declared."
        ),
        Expectation.SENIOR_APPROVAL: (
            "It should be refused unless somebody senior approves, and must be declared."
        ),
        Expectation.DECLINE: "It should be declined, whatever its value.",
        Expectation.NONE_IN_FORCE: "No edition with thresholds was in force on that day.",
    }
)


class Departure(StrEnum):
    """How what was done departs from what the edition in force asked for."""

    SHOULD_HAVE_BEEN_DECLINED = "should_have_been_declined"
    ACCEPTED_PERSONALLY = "accepted_personally"
    WITHOUT_SENIOR_APPROVAL = "without_senior_approval"


class Band(Struct, frozen=True, kw_only=True):
    """Values up to a limit in pounds, with or without the limit itself; None: all the others."""

    up_to: Decimal | None = None
    with_limit: bool = True
    expectation: Expectation

    def holds(self, value: Decimal) -> bool:
        """Say whether a value, which no earlier band holds, is in this one."""
        if self.up_to is None:
            return True
        return value < self.up_to or (self.with_limit and value == self.up_to)


class Edition(Struct, frozen=True, kw_only=True):
    """The thresholds of one edition, from the day on which it applied until the next one's."""

    name: str
    starts_on: date
    source: str
    bands: Mapping[tuple[GiftKind, GiftSource], tuple[Band, ...]]


def _below(limit: str, expectation: Expectation) -> Band:
    return Band(up_to=Decimal(limit), with_limit=False, expectation=expectation)


def _up_to(limit: str, expectation: Expectation) -> Band:
    return Band(up_to=Decimal(limit), expectation=expectation)


def _otherwise(expectation: Expectation) -> Band:
    return Band(expectation=expectation)


def _both(kind: GiftKind, *bands: Band) -> dict[tuple[GiftKind, GiftSource], tuple[Band, ...]]:
    return {(kind, source): bands for source in GiftSource}


# From here on the guidance gives no figure: modest is accepted and declared.
_JUDGED: Final = {
    **_both(GiftKind.TRAVEL, _otherwise(Expectation.ACCEPT_AND_DECLARE)),
    **_both(GiftKind.OTHER, _otherwise(Expectation.ACCEPT_AND_DECLARE)),
}

EDITIONS: Final[Sequence[Edition]] = (
    Edition(
        name="2016",
        starts_on=date(2016, 6, 28),
        source="NHS England, Managing conflicts of interest: revised statutory guidance, June 2016",
        bands=MappingProxyType(
            {
                **_both(
                    GiftKind.PROMOTIONAL,
                    _below("10", Expectation.ACCEPT),
                    _otherwise(Expectation.DECLINE),
                ),
                (GiftKind.GIFT, GiftSource.SUPPLIER): (_otherwise(Expectation.DECLINE),),
                (GiftKind.GIFT, GiftSource.OTHER): (
                    _below("10", Expectation.ACCEPT),
                    _otherwise(Expectation.DECLINE),
                ),
                **_both(
                    GiftKind.MEAL,
                    _up_to("25", Expectation.ACCEPT_AND_DECLARE),
                    _otherwise(Expectation.SENIOR_APPROVAL),
                ),
                **_JUDGED,
            }
        ),
    ),
    Edition(
        name="2017",
        starts_on=date(2017, 6, 16),
        source="NHS England, Managing conflicts of interest: revised statutory guidance, June 2017",
        bands=MappingProxyType(
            {
                (GiftKind.PROMOTIONAL, GiftSource.SUPPLIER): (
                    _up_to("6", Expectation.ACCEPT),
                    _otherwise(Expectation.DECLINE),
                ),
                (GiftKind.GIFT, GiftSource.SUPPLIER): (_otherwise(Expectation.DECLINE),),
                **{
                    (kind, GiftSource.OTHER): (
                        _below("50", Expectation.ACCEPT),
                        _up_to("50", Expectation.ACCEPT_AND_DECLARE),
                        _otherwise(Expectation.ORGANISATION_ONLY),
                    )
                    for kind in (GiftKind.GIFT, GiftKind.PROMOTIONAL)
                },
                **_both(
                    GiftKind.MEAL,
                    _below("25", Expectation.ACCEPT),
                    _up_to("75", Expectation.ACCEPT_AND_DECLARE),
                    _otherwise(Expectation.SENIOR_APPROVAL),
                ),
                **_JUDGED,
            }
        ),
    ),
)
"""The editions that have thresholds, the earliest first.

How the edges are read, where a value is exactly a limit. 2017: "under £25" and "over £75" leave
25.00 and 75.00 in the middle band; a promotional thing "up to £6" may cost 6.00; of gifts those
"under £50" need not be declared and those "over £50" are for the organisation, so that one of 50.00
may be accepted and is declared: the careful reading of what the source leaves open. 2016: trifles
of "less than £10" do not include 10.00; hospitality "above £25" is not modest, so 25.00 still is.
Travel and what is none of these has no figure in either: it is accepted where modest, and declared.
"""


def edition_in_force(day: date) -> Edition | None:
    """The edition whose thresholds applied to an offer made on a day."""
    return next((one for one in reversed(EDITIONS) if one.starts_on <= day), None)


def expectation_of(
    kind: GiftKind, source: GiftSource, value: Decimal, offered_on: date
) -> Expectation:
    """What the edition in force on the day of the offer asked for."""
    edition = edition_in_force(offered_on)
    if edition is None:
        return Expectation.NONE_IN_FORCE
    bands = edition.bands[kind, source]
    return next(band.expectation for band in bands if band.holds(value))


def departure_of(
    expectation: Expectation, *, accepted: bool, for_organisation: bool, approved: bool
) -> Departure | None:
    """How an acceptance departs from what was asked for; declining never does."""
    if not accepted:
        return None
    if expectation is Expectation.DECLINE:
        return Departure.SHOULD_HAVE_BEEN_DECLINED
    if expectation is Expectation.ORGANISATION_ONLY and not for_organisation:
        return Departure.ACCEPTED_PERSONALLY
    if expectation is Expectation.SENIOR_APPROVAL and not approved:
        return Departure.WITHOUT_SENIOR_APPROVAL
    return None
