import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.organisations.rules import (
    BUYER_KINDS,
    REGISTERS,
    REQUIRED_SCHEMES,
    SUPPLIER_KINDS,
    BadIdentifier,
    Identifier,
    IdentifierFault,
    OrganisationKind,
    Scheme,
    identifier_faults,
    normalise,
)

GOOD = {
    Scheme.NHS: [
        ("06F", "06F"),
        ("0dg", "0DG"),
        (" 0 D G ", "0DG"),
        ("RAX", "RAX"),
        ("7A1A5", "7A1A5"),
        ("g7h8j", "G7H8J"),
        ("EE134290", "EE134290"),
        ("GB-NHS-06F", "06F"),
    ],
    Scheme.COMPANIES_HOUSE: [
        ("01234567", "01234567"),
        ("1234567", "01234567"),
        ("00 445 790", "00445790"),
        ("6", "00000006"),
        ("sc123456", "SC123456"),
        ("NI 012345", "NI012345"),
        ("OC303525", "OC303525"),
        ("so301234", "SO301234"),
        ("RC000766", "RC000766"),
        ("R0000123", "R0000123"),
        ("CE012345", "CE012345"),
        ("SL00123A", "SL00123A"),
        ("IP00525R", "IP00525R"),
        ("RS007150", "RS007150"),
        ("SP2520RS", "SP2520RS"),
        ("gb-coh-1234567", "01234567"),
        ("01234567\u00a0", "01234567"),
    ],
    Scheme.CHARITY_COMMISSION: [
        ("202918", "202918"),
        ("1089464", "1089464"),
        ("1 089 464", "1089464"),
        ("000001", "000001"),
        ("GB-CHC-1089464", "1089464"),
    ],
    Scheme.SCOTTISH_CHARITIES: [
        ("SC012345", "SC012345"),
        ("sc 042 386", "SC042386"),
        ("GB-SC-SC012345", "SC012345"),
    ],
    Scheme.NORTHERN_IRELAND_CHARITIES: [
        ("104226", "104226"),
        ("NIC104226", "104226"),
        ("nic 104 226", "104226"),
        ("GB-NIC-104226", "104226"),
    ],
    Scheme.MUTUALS: [
        ("17815R", "17815R"),
        ("235c", "235C"),
        ("IP031455", "IP031455"),
        ("4453", "4453"),
        ("0123", "123"),
        ("2520 RS", "2520RS"),
        ("GB-MPR-17815R", "17815R"),
    ],
}

BAD = {
    Scheme.NHS: ["", "06", "06F-1", "123456789", "000", "ßA", "0\uff16F", "GB-COH-06F"],
    Scheme.COMPANIES_HOUSE: [
        "", "123456789", "00000000", "0", "SC12345", "SC1234567", "XX123456", "0123456O",
        "S0123456", "SC-123456", "SCABCDEF", "IP0525RSXY", "IPABCDEF", "1234567.", "-1234567",
        "\uff112345678", "²",
    ],
    Scheme.CHARITY_COMMISSION: ["", "12345", "0123456", "12345678", "SC012345", "1089464-1",
        "000000"],
    Scheme.SCOTTISH_CHARITIES: ["", "012345", "SC12345", "SC0123456", "SCO12345", "NI012345"],
    Scheme.NORTHERN_IRELAND_CHARITIES: ["", "NIC", "10422", "1042261", "NI104226", "000000"],
    Scheme.MUTUALS: ["", "R", "0", "1234567", "17815-R", "XX17815R", "123ABCDEF"],
}  # fmt: skip


def each(table: dict[Scheme, list[str]]) -> list[tuple[Scheme, str]]:
    return [(scheme, text) for scheme, texts in table.items() for text in texts]


@pytest.mark.parametrize(
    ("scheme", "text", "expected"),
    [(scheme, text, expected) for scheme, pairs in GOOD.items() for text, expected in pairs],
)
def test_an_identifier_is_written_as_its_register_does(
    scheme: Scheme, text: str, expected: str
) -> None:
    assert normalise(scheme, text) == expected
    assert normalise(scheme, expected) == expected


@pytest.mark.parametrize(("scheme", "text"), each(BAD))
def test_a_wrong_form_is_refused_with_the_right_form(scheme: Scheme, text: str) -> None:
    with pytest.raises(BadIdentifier) as caught:
        normalise(scheme, text)

    message = str(caught.value)
    assert message.startswith(f'"{text}" is not an identifier of the register {scheme}, ')
    assert message.endswith(f"The right form is {REGISTERS[scheme].form}.")


def test_every_scheme_has_good_and_bad_examples_here() -> None:
    assert set(GOOD) == set(BAD) == set(REGISTERS) == set(Scheme)


@pytest.mark.parametrize("scheme", Scheme)
def test_the_examples_in_the_right_form_are_of_the_right_form(scheme: Scheme) -> None:
    _, _, after = REGISTERS[scheme].form.partition("such as ")
    examples = [word for word in re.findall(r"[0-9A-Z]{3,}", after) if word != "NIC"]

    assert examples
    assert [normalise(scheme, example) for example in examples] == examples


@given(scheme=st.sampled_from(Scheme), text=st.text() | st.from_regex(r"\A[A-Z]{0,3}[0-9]{0,9}\Z"))
def test_what_is_normalised_stays_as_it_is(scheme: Scheme, text: str) -> None:
    try:
        normal = normalise(scheme, text)
    except BadIdentifier:
        return

    assert normalise(scheme, normal) == normal
    assert normal.isascii()
    assert normal == normal.upper()


def test_a_long_text_is_quoted_in_part() -> None:
    with pytest.raises(BadIdentifier) as caught:
        normalise(Scheme.NHS, "x" * 100_000)

    assert f'"{"x" * 40}…"' in str(caught.value)
    assert len(str(caught.value)) < 300


# ---------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        (OrganisationKind.CLINICAL_COMMISSIONING_GROUP, (Scheme.NHS, "06F")),
        (OrganisationKind.COMMISSIONING_SUPPORT_UNIT, (Scheme.NHS, "0DE")),
        (OrganisationKind.OTHER_NHS_BODY, (Scheme.NHS, "RAX")),
        (OrganisationKind.COMMERCIAL, (Scheme.COMPANIES_HOUSE, "01234567")),
        (OrganisationKind.THIRD_SECTOR, (Scheme.CHARITY_COMMISSION, "1089464")),
        (OrganisationKind.THIRD_SECTOR, (Scheme.SCOTTISH_CHARITIES, "SC012345")),
        (OrganisationKind.THIRD_SECTOR, (Scheme.NORTHERN_IRELAND_CHARITIES, "104226")),
        (OrganisationKind.THIRD_SECTOR, (Scheme.COMPANIES_HOUSE, "01234567")),
        (OrganisationKind.THIRD_SECTOR, (Scheme.MUTUALS, "17815R")),
    ],
)
def test_one_identifier_of_a_required_register_is_enough(
    kind: OrganisationKind, identifier: tuple[Scheme, str]
) -> None:
    scheme, value = identifier

    assert identifier_faults(kind, [Identifier(scheme=scheme, value=value)]) == ()


def test_further_identifiers_are_welcome() -> None:
    identifiers = [
        Identifier(scheme=Scheme.COMPANIES_HOUSE, value="1234567"),
        Identifier(scheme=Scheme.NHS, value="8HA03"),
    ]

    assert identifier_faults(OrganisationKind.COMMERCIAL, identifiers) == ()


@pytest.mark.parametrize("kind", OrganisationKind)
def test_no_kind_goes_without_identifiers(kind: OrganisationKind) -> None:
    (fault,) = identifier_faults(kind, [])

    assert fault.field == "identifiers"
    assert all(f"({scheme})" in fault.reason for scheme in REQUIRED_SCHEMES[kind])


def test_an_ods_code_alone_does_not_make_a_company() -> None:
    faults = identifier_faults(
        OrganisationKind.COMMERCIAL, [Identifier(scheme=Scheme.NHS, value="0DG")]
    )

    assert faults == (
        IdentifierFault(
            field="identifiers",
            reason="A commercial supplier must have an identifier of this register:"
            " Companies House (GB-COH).",
        ),
    )


def test_all_faults_are_told_at_once() -> None:
    faults = identifier_faults(
        OrganisationKind.THIRD_SECTOR,
        [
            Identifier(scheme=Scheme.NHS, value="8ha03"),
            Identifier(scheme=Scheme.NHS, value="x"),
            Identifier(scheme=Scheme.NHS, value="8HA03"),
            Identifier(scheme=Scheme.NHS, value="8 HA03"),
        ],
    )

    assert [(fault.field, fault.reason.partition(",")[0]) for fault in faults] == [
        ("identifiers[1].value", '"x" is not an identifier of the register GB-NHS'),
        (
            "identifiers[2].value",
            "This is the same identifier as identifiers[0]. Give it once.",
        ),
        (
            "identifiers[3].value",
            "This is the same identifier as identifiers[0]. Give it once.",
        ),
        (
            "identifiers",
            (
                "A third-sector organisation must have an identifier of at least one of these"
                " registers: Charity Commission for England and Wales (GB-CHC)"
            ),
        ),
    ]


def test_a_required_identifier_of_a_wrong_form_is_told_once() -> None:
    faults = identifier_faults(
        OrganisationKind.COMMERCIAL, [Identifier(scheme=Scheme.COMPANIES_HOUSE, value="12A")]
    )

    assert [fault.field for fault in faults] == ["identifiers[0].value"]


def test_the_same_text_on_two_registers_is_two_identifiers() -> None:
    identifiers = [
        Identifier(scheme=Scheme.COMPANIES_HOUSE, value="SC012345"),
        Identifier(scheme=Scheme.SCOTTISH_CHARITIES, value="SC012345"),
    ]

    assert identifier_faults(OrganisationKind.THIRD_SECTOR, identifiers) == ()


def test_every_kind_buys_or_supplies_and_only_an_nhs_body_may_do_both() -> None:
    assert set(OrganisationKind) == BUYER_KINDS | SUPPLIER_KINDS
    assert {OrganisationKind.OTHER_NHS_BODY} == BUYER_KINDS & SUPPLIER_KINDS
