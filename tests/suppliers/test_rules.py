"""Rules about applications: what contradicts what the market knows."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.organisations.rules import Identifier, OrganisationKind, Scheme
from suppliers.rules import (
    APPLICANT_KINDS,
    Known,
    form_faults,
    service_line_faults,
    standing_faults,
)

UNIT = UUID(int=1)
ODS = Identifier(scheme=Scheme.NHS, value="0AD")
COMPANY = Identifier(scheme=Scheme.COMPANIES_HOUSE, value="01234567")


def _known(
    organisation: UUID = UNIT, identifier: Identifier = ODS, *, proposed: bool = False
) -> Known:
    return Known(
        organisation=organisation,
        kind=OrganisationKind.COMMISSIONING_SUPPORT_UNIT,
        demonstration=False,
        proposed=proposed,
        scheme=identifier.scheme,
        identifier=identifier.value,
    )


def test_whom_the_market_does_not_know_nothing_contradicts() -> None:
    assert standing_faults(OrganisationKind.COMMERCIAL, [COMPANY], [], demonstration=True) == []


@given(st.sampled_from(OrganisationKind), st.booleans())
def test_an_organisation_that_was_only_proposed_may_be_described_anew(
    kind: OrganisationKind,
    demonstration: bool,  # noqa: FBT001  # hypothesis gives it
) -> None:
    known = [_known(proposed=True)]
    assert standing_faults(kind, [ODS, COMPANY], known, demonstration=demonstration) == []


@given(st.sampled_from(OrganisationKind))
def test_a_registered_organisation_stays_of_its_kind(kind: OrganisationKind) -> None:
    faults = standing_faults(kind, [ODS], [_known()], demonstration=False)
    agrees = kind is OrganisationKind.COMMISSIONING_SUPPORT_UNIT
    assert [fault.field for fault in faults] == ([] if agrees else ["organisation.kind"])


def test_identifiers_of_two_organisations_belong_to_none() -> None:
    known = [_known(), _known(uuid4(), COMPANY, proposed=True)]
    (fault,) = standing_faults(known[0].kind, [ODS, COMPANY], known, demonstration=False)
    assert fault.field == "organisation.identifiers"


@pytest.mark.parametrize("kind", OrganisationKind)
def test_only_three_kinds_apply(kind: OrganisationKind) -> None:
    fields = [fault.field for fault in form_faults(kind, [ODS, COMPANY], ["end-to-end"])]
    assert ("organisation.kind" in fields) == (kind not in APPLICANT_KINDS)


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8), st.sets(st.sampled_from("abcd"))
)
def test_each_service_line_is_known_and_given_once(given_codes: list[str], known: set[str]) -> None:
    twice = form_faults(OrganisationKind.COMMERCIAL, [COMPANY], given_codes)
    assert len(twice) == len(given_codes) - len(set(given_codes))
    unknown = service_line_faults(given_codes, known)
    assert len(unknown) == sum(code not in known for code in given_codes)


def test_faults_of_identifiers_bear_the_names_of_the_api() -> None:
    wrong = Identifier(scheme=Scheme.COMPANIES_HOUSE, value="1234567890")
    faults = form_faults(OrganisationKind.COMMERCIAL, [wrong], [])
    assert [fault.field for fault in faults] == ["organisation.identifiers[0].identifier"]
    none = form_faults(OrganisationKind.COMMERCIAL, [], [])
    assert [fault.field for fault in none] == ["organisation.identifiers"]
