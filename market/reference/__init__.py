"""Reference data shipped with the market: commissioning groups, support units, service lines.

Sources, licence and the one thing we changed are in README.md beside the data. Contains public
sector information licensed under the Open Government Licence v3.0.
"""

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

OdsCode = Annotated[str, Meta(pattern="^[0-9A-Z]{3}$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=200)]


class ClinicalCommissioningGroup(Struct, frozen=True, kw_only=True):
    """A clinical commissioning group of April 2020, with its residents (mid-2019 estimate)."""

    ods_code: OdsCode
    name: Name
    population: Annotated[int, Meta(gt=0)]


class CommissioningSupportUnit(Struct, frozen=True, kw_only=True):
    """An organisation with the commissioning support unit role (RO213); README.md says why `kind`.

    `kind` is one of the values of OrganisationKind.
    """

    ods_code: OdsCode
    name: Name
    kind: Literal["commissioning_support_unit", "commercial"]
    address: Name
    town: Name
    county: Text
    postcode: Annotated[str, Meta(pattern="^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$")]


class ServiceLine(Struct, frozen=True, kw_only=True):
    """A line of commissioning support, with its CPV code (Regulation (EC) No 213/2008)."""

    code: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*$", max_length=50)]
    name: Name
    group: Name
    cpv: Annotated[str, Meta(pattern="^[0-9]{8}$")]
    source: Name


class BadReferenceData(ValueError):
    """A row of reference data is not as it must be. The message names file, line and field."""


Row = TypeVar("Row", bound=Struct)


@cache
def load_ccgs() -> tuple[ClinicalCommissioningGroup, ...]:
    """Return the 135 clinical commissioning groups, in the order of the file."""
    return _load("ccgs.csv", ClinicalCommissioningGroup)


@cache
def load_csus() -> tuple[CommissioningSupportUnit, ...]:
    """Return the 19 commissioning support units, in the order of the file."""
    return _load("csus.csv", CommissioningSupportUnit)


@cache
def load_service_lines() -> tuple[ServiceLine, ...]:
    """Return the 35 service lines, in the order of the file."""
    return _load("service_lines.csv", ServiceLine)


def read_rows(file: str, text: str, row_type: type[Row]) -> tuple[Row, ...]:
    """Read CSV text (RFC 4180, with a heading) strictly; the first field is the key and unique.

    `file` is its name in messages. Raises BadReferenceData.
    """
    fields = row_type.__struct_fields__
    rows: list[Row] = []
    lines_of_keys: dict[str, int] = {}
    records = _records(file, text)
    _, heading = next(records, (0, []))
    if tuple(heading) != fields:
        raise BadReferenceData(f"{file}, line 1: the heading must be {','.join(fields)}.")
    for line, values in records:
        if len(values) != len(fields):
            raise BadReferenceData(
                f"{file}, line {line}: {len(fields)} fields expected, {len(values)} found."
            )
        for field, value in zip(fields, values, strict=True):
            if value != value.strip():
                raise BadReferenceData(f"{file}, line {line}, {field}: blanks around {value!r}.")
        if (first := lines_of_keys.setdefault(values[0], line)) != line:
            raise BadReferenceData(
                f"{file}, line {line}, {fields[0]}: {values[0]!r} is already on line {first}."
            )
        rows.append(_convert(file, line, dict(zip(fields, values, strict=True)), row_type))
    return tuple(rows)


def _load(file: str, row_type: type[Row]) -> tuple[Row, ...]:
    text = resources.files("market.reference").joinpath(file).read_text(encoding="utf-8")
    return read_rows(file, text, row_type)


def _records(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with its line; a record that spans lines counts as its last."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            yield reader.line_num, values
    except csv.Error as error:
        raise BadReferenceData(f"{file}, line {reader.line_num}: {error}.") from error


def _convert(file: str, line: int, values: dict[str, str], row_type: type[Row]) -> Row:
    """Convert the text of a row to the types of its fields."""
    try:
        return msgspec.convert(values, row_type, strict=False)
    except msgspec.ValidationError as error:
        # msgspec ends its message with the path of the first bad field: "… - at `$.population`".
        reason, _, path = str(error).rpartition(" - at ")
        field = re.sub(r"[^a-z_]", "", path)
        raise BadReferenceData(f"{file}, line {line}, {field}: {reason}.") from error
