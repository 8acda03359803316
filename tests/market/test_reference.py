from collections import Counter

import pytest

from market.organisations.rules import SUPPLIER_KINDS, OrganisationKind, Scheme, normalise
from market.reference import (
    BadReferenceData,
    ClinicalCommissioningGroup,
    load_ccgs,
    load_csus,
    load_service_lines,
    read_rows,
)

HEADING = "ods_code,name,population\n"


def test_the_files_are_complete() -> None:
    assert (len(load_ccgs()), len(load_csus()), len(load_service_lines())) == (135, 19, 35)


def test_no_code_is_used_twice() -> None:
    ods_codes = [group.ods_code for group in load_ccgs()] + [unit.ods_code for unit in load_csus()]
    service_lines = [line.code for line in load_service_lines()]

    assert len(set(ods_codes)) == 135 + 19
    assert len(set(service_lines)) == 35


@pytest.mark.parametrize(
    ("ods_code", "name", "population"),
    [
        ("06F", "NHS Bedfordshire CCG", 461940),
        ("06P", "NHS Luton CCG", 213052),
        ("04F", "NHS Milton Keynes CCG", 275882),
    ],
)
def test_the_demonstration_groups_are_there(ods_code: str, name: str, population: int) -> None:
    expected = ClinicalCommissioningGroup(ods_code=ods_code, name=name, population=population)

    assert [group for group in load_ccgs() if group.ods_code == ods_code] == [expected]


def test_every_ods_code_is_one_by_our_own_rule() -> None:
    codes = [group.ods_code for group in load_ccgs()] + [unit.ods_code for unit in load_csus()]

    assert [normalise(Scheme.NHS, code) for code in codes] == codes


def test_the_one_company_with_a_support_unit_role_is_commercial() -> None:
    kinds = Counter(OrganisationKind(unit.kind) for unit in load_csus())
    commercial = [(unit.ods_code, unit.name) for unit in load_csus() if unit.kind == "commercial"]

    assert commercial == [("0DG", "Optum Health Solutions (UK) Limited")]
    assert kinds == {
        OrganisationKind.COMMISSIONING_SUPPORT_UNIT: 18,
        OrganisationKind.COMMERCIAL: 1,
    }
    assert set(kinds) <= SUPPLIER_KINDS


def test_a_row_is_read_with_its_types() -> None:
    rows = read_rows("ccgs.csv", HEADING + '00A,"A, and B CCG",12\n', ClinicalCommissioningGroup)

    assert rows == (ClinicalCommissioningGroup(ods_code="00A", name="A, and B CCG", population=12),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ccgs.csv, line 1: the heading must be ods_code,name,population."),
        ("ods_code,name\n", "ccgs.csv, line 1: the heading must be ods_code,name,population."),
        (
            "code,name,population\n",
            "ccgs.csv, line 1: the heading must be ods_code,name,population.",
        ),
        (HEADING + "00A,A CCG\n", "ccgs.csv, line 2: 3 fields expected, 2 found."),
        (HEADING + "00A,A CCG,1,x\n", "ccgs.csv, line 2: 3 fields expected, 4 found."),
        (HEADING + "00A,A CCG,1\n\n", "ccgs.csv, line 3: 3 fields expected, 0 found."),
        (HEADING + "00A, A CCG,1\n", "ccgs.csv, line 2, name: blanks around ' A CCG'."),
        (HEADING + "00A,,1\n", "ccgs.csv, line 2, name: Expected `str` of length >= 1."),
        (HEADING + "00A,A CCG,\n", "ccgs.csv, line 2, population: Expected `int`, got `str`."),
        (HEADING + "00A,A CCG,1.5\n", "ccgs.csv, line 2, population: Expected `int`, got `str`."),
        (HEADING + "00A,A CCG,0\n", "ccgs.csv, line 2, population: Expected `int` >= 1."),
        (
            HEADING + "00A,A CCG,1\n00a,A CCG,1\n",
            "ccgs.csv, line 3, ods_code: Expected `str` matching regex '^[0-9A-Z]{3}$'.",
        ),
        (
            HEADING + "00A,A CCG,1\n00A,B CCG,2\n",
            "ccgs.csv, line 3, ods_code: '00A' is already on line 2.",
        ),
        (HEADING + '"00A"x,A CCG,1\n', "ccgs.csv, line 2: ',' expected after '\"'."),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(text: str, message: str) -> None:
    with pytest.raises(BadReferenceData) as caught:
        read_rows("ccgs.csv", text, ClinicalCommissioningGroup)

    assert str(caught.value) == message
